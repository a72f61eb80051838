"""Downloads from a server that answers, ends too early, knows ranges or not, or gives the wrong file."""

import hashlib
import threading

import pytest

from grapevine.data.download import download
from tests.data.files import serving

CONTENT = bytes(range(256)) * 1024
SUM = hashlib.sha256(CONTENT).hexdigest()


def test_a_file_arrives_whole_and_alone(tmp_path):
    told = []
    with serving({"/a": CONTENT}) as server:
        download(f"{server.address}/a", tmp_path / "in" / "a", sha256=SUM, on_progress=lambda *what: told.append(what))
    assert (tmp_path / "in" / "a").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["a"]
    assert told[-1] == ("downloading a", len(CONTENT), len(CONTENT))


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_was_cut_goes_on(tmp_path, ranges):
    path = tmp_path / "a"
    with serving({"/a": CONTENT}, short=1000) as server, pytest.raises(OSError, match=r"1000 of 262144|IncompleteRead"):
        download(f"{server.address}/a", path, sha256=SUM)
    assert not path.exists()
    assert (tmp_path / "a.part").read_bytes() == CONTENT[:1000]
    told = []
    with serving({"/a": CONTENT}, ranges=ranges) as server:
        download(f"{server.address}/a", path, sha256=SUM, on_progress=lambda *what: told.append(what))
        assert server.asked == [("/a", "bytes=1000-")]
    assert path.read_bytes() == CONTENT
    assert told[-1][1:] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_part_of_another_version_is_thrown_away(tmp_path):
    (tmp_path / "a.part").write_bytes(b"of an older version")
    with serving({"/a": CONTENT}) as server:
        download(f"{server.address}/a", tmp_path / "a", sha256=SUM)
        assert [wanted for _, wanted in server.asked] == ["bytes=19-", None]
    assert (tmp_path / "a").read_bytes() == CONTENT


def test_a_part_that_is_all_is_taken_and_one_that_is_more_is_not(tmp_path):
    with serving({"/a": CONTENT}) as server:
        (tmp_path / "a.part").write_bytes(CONTENT)
        download(f"{server.address}/a", tmp_path / "a", sha256=SUM)
        assert len(server.asked) == 1
        (tmp_path / "b.part").write_bytes(CONTENT + b"more")
        download(f"{server.address}/a", tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == CONTENT


def test_a_wrong_file_is_refused_and_leaves_nothing(tmp_path):
    with serving({"/a": b"wrong"}) as server, pytest.raises(OSError, match="not the file that was published"):
        download(f"{server.address}/a", tmp_path / "a", sha256=SUM)
    assert list(tmp_path.iterdir()) == []


def test_an_absent_file_is_an_error(tmp_path):
    with serving({}) as server, pytest.raises(OSError, match="404"):
        download(f"{server.address}/a", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_several_at_once_fetch_it_once(tmp_path):
    with serving({"/a": CONTENT}) as server:
        threads = [
            threading.Thread(target=download, args=(f"{server.address}/a", tmp_path / "a"), kwargs={"sha256": SUM})
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (tmp_path / "a").read_bytes() == CONTENT
        assert len(server.asked) == 1
