"""Where the publishers' files are, and a server of files for tests of downloads."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


def needs(name: str) -> pytest.MarkDecorator:
    """Skip where a file or folder of the publishers' is not there."""
    return pytest.mark.skipif(not (SHARED / name).exists(), reason=f"{SHARED / name} is not there")


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves `contents` by path; `short` says after how many bytes an answer ends, `ranges` whether it knows ranges."""

    def do_GET(self):
        server = self.server
        server.asked.append((self.path, self.headers.get("Range")))
        content = server.contents.get(self.path)
        if content is None:
            self.send_error(404)
            return
        wanted, start = self.headers.get("Range"), 0
        if wanted and server.ranges:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : None if server.short is None else server.short])

    def log_message(self, *arguments):
        """Quietly."""


@contextmanager
def serving(contents: dict[str, bytes], *, ranges: bool = True, short: int | None = None) -> Iterator:
    """A server of these contents by path; `server.address` is where, `server.asked` lists paths and ranges."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.contents, server.ranges, server.short, server.asked = contents, ranges, short, []
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=partial(server.serve_forever, 0.01), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
