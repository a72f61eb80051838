"""Reads graphs from their graph6 codes, one, a pair or more a line, as those of BREC.

Wang & Zhang 2024, "An empirical study of realized GNN expressiveness". graph6: McKay's code of small undirected graphs.
"""

from pathlib import Path

from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.graph.convert import from_networkx


def read_graph6(path: Path) -> list[tuple[Graph, ...]]:
    """The graphs of each line that is not empty; a header ">>graph6<<" is passed over.

    Raises:
        InputError: if the file is missing, or a code is none, with its line.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "pairs.txt")
    ...     _ = path.write_text("Bw A_\\n")
    ...     read_graph6(path)
    [(Graph(3 nodes, 6 edges), Graph(2 nodes, 2 edges))]
    """
    path = Path(path)
    check(path.is_file(), f"there is no file {path}")
    lines = path.read_bytes().splitlines()
    rows = ((number, line.removeprefix(b">>graph6<<").split()) for number, line in enumerate(lines, 1))
    return [tuple(_graph(code, path, number) for code in codes) for number, codes in rows if codes]


def _graph(code: bytes, path: Path, number: int) -> Graph:
    import networkx  # slow to import, and seldom needed

    is_code = all(63 <= letter <= 126 for letter in code)
    check(is_code, f"{path}, line {number}: {code[:40]!r} is no graph6 code: its letters run from ? to ~")
    try:
        return from_networkx(networkx.from_graph6_bytes(code))
    except (networkx.NetworkXError, ValueError, IndexError) as error:
        raise InputError(f"{path}, line {number}: {code[:40]!r} is no graph6 code: {error}") from None
