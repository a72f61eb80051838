"""Writes frames, and a graph as a table of nodes and a table of edges, to files of the kind their suffix says."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import Tensor

from grapevine.data.tables.identifiers import Identifiers
from grapevine.data.tables.read import suffix_of
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix

_JSON_LINES = (".jsonl", ".ndjson")
_SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}


def write_table(frame: pl.DataFrame, path: str | Path) -> None:
    """Write a frame as CSV, TSV, JSON lines, Parquet or Arrow; text files also packed, as .csv.gz.

    Raises:
        InputError: for an unknown suffix, or a file that can not be written.
    """
    path = Path(path)
    kind = suffix_of(path)
    compression = "gzip" if path.suffix.lower() == ".gz" else "uncompressed"
    try:
        if kind in _SEPARATORS:
            options = {"compression": compression, "check_extension": False}
            frame.write_csv(path, separator=_SEPARATORS[kind], **options)
        elif kind in _JSON_LINES:
            frame.write_ndjson(path, compression=compression, check_extension=False)
        elif kind in (".parquet", ".pq"):
            frame.write_parquet(path)
        else:
            frame.write_ipc(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"can not write {path}: {error}") from error


class TableWriter:
    """Writes a table part by part, all of the same columns: CSV, TSV and JSON lines as they come, so that a long table
    takes no memory; other kinds at the end. To be used in a `with` statement.

    Raises:
        InputError: for an unknown suffix, or a file that can not be written.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "said.csv"
    >>> with TableWriter(path) as writer:
    ...     for part in (pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [3]})):
    ...         writer.append(part)
    >>> path.read_text().split(), writer.num_rows
    (['a', '1', '2', '3'], 3)
    """

    def __init__(self, path: str | Path):
        self.path, self.num_rows = Path(path), 0
        self._kind, self._held, self._file = suffix_of(self.path), [], None
        self._is_text = self._kind in _SEPARATORS or self._kind in _JSON_LINES

    def __enter__(self) -> "TableWriter":
        if self._is_text:
            is_packed = self.path.suffix.lower() == ".gz"
            try:
                self._file = gzip.open(self.path, "wb") if is_packed else self.path.open("wb")
            except OSError as error:
                raise InputError(f"can not write {self.path}: {error}") from error
        return self

    def append(self, frame: pl.DataFrame) -> None:
        """The next rows."""
        if self._file is None:
            self._held.append(frame)
        else:
            try:
                if self._kind in _SEPARATORS:
                    is_first = self.num_rows == 0
                    text = frame.write_csv(separator=_SEPARATORS[self._kind], include_header=is_first)
                else:
                    text = frame.write_ndjson()
                self._file.write(text.encode())
            except (OSError, pl.exceptions.PolarsError) as error:
                raise InputError(f"can not write {self.path}: {error}") from error
        self.num_rows += frame.height

    def __exit__(self, kind: object, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        elif kind is None:
            write_table(pl.concat(self._held), self.path)


def read_written(path: Path) -> pl.DataFrame:
    """The rows of a file that `write_table` or a `TableWriter` wrote, with the types that they seem to have."""
    kind = suffix_of(path)
    if kind in _SEPARATORS:
        return pl.read_csv(path, separator=_SEPARATORS[kind], infer_schema_length=None)
    if kind in _JSON_LINES:
        content = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else path
        return pl.read_ndjson(content, infer_schema_length=None)
    return pl.read_parquet(path) if kind in (".parquet", ".pq") else pl.read_ipc(path)


def write_tables(
    graph: Graph,
    nodes: str | Path,
    edges: str | Path,
    *,
    ids: Identifiers | None = None,
    names: Mapping[str, Sequence[str]] | None = None,
    directed: bool | None = None,
) -> None:
    """Write the nodes with their names and tensors, and the edges with their ends and tensors.

    A tensor of several columns is written as NAME_0, NAME_1, ..., or under the names given for it; NaN and
    the class -1 as a gap. An undirected graph is written with each edge once.

    Args:
        nodes, edges: the files; their suffixes say what kind.
        ids: the nodes' names; by default their numbers.
        names: what to call the columns of a tensor, as {"x": encoders.node_names}.
        directed: whether to write both directions of an edge; by default if the graph is not symmetric.

    Raises:
        InputError: for a wrong number of names, an unknown suffix, or a file that can not be written.
    """
    called = pl.Series(np.arange(graph.num_nodes)) if ids is None else ids.names
    count = f"ids must name each of the {graph.num_nodes} nodes, got {len(called)}"
    check(len(called) == graph.num_nodes, count)
    adj = graph.adj
    directed = not adj.is_symmetric() if directed is None else directed
    chosen = torch.arange(graph.num_edges) if directed else (adj.src <= adj.dst).nonzero().squeeze(1)
    columns = {"id": called} | _columns(dict(graph.node), names or {}, None)
    ends = {"source": called[adj.src[chosen].numpy()], "target": called[adj.dst[chosen].numpy()]}
    write_table(pl.DataFrame(columns), nodes)
    write_table(pl.DataFrame(ends | _columns(dict(graph.edge), names or {}, chosen)), edges)


def _columns(
    tensors: dict[str, Tensor | SparseMatrix], names: Mapping[str, Sequence[str]], rows: Tensor | None
) -> dict[str, pl.Series]:
    columns: dict[str, pl.Series] = {}
    for name, tensor in tensors.items():
        dense = tensor.to_dense() if isinstance(tensor, SparseMatrix) else tensor
        matrix = (dense if rows is None else dense[rows]).detach().cpu()
        told = names.get(name)
        if matrix.ndim == 1:
            parts = {name: matrix}
        else:
            matrix = matrix.flatten(1)
            width = matrix.shape[1]
            told = [f"{name}_{k}" for k in range(width)] if told is None else told
            check(len(told) == width, f"{name} has {width} columns, got {len(told)} names")
            parts = dict(zip(told, matrix.unbind(1), strict=True))
        for part, values in parts.items():
            check(part not in columns and part != "id", f"two columns would be called {part!r}: give other names")
            columns[part] = _series(name, values)
    return columns


def _series(name: str, values: Tensor) -> pl.Series:
    series = pl.Series(values.contiguous().numpy())
    if values.is_floating_point():
        return series.fill_nan(None)
    return series.set(series < 0, None) if name == "y" else series
