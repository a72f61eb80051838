"""Where data comes from: a data set by name, tables of nodes and edges, a query, molecules, or a file of graphs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

import polars as pl
from pydantic import BaseModel, ConfigDict

from grapevine.data.dataset import Dataset
from grapevine.data.datasets import load_dataset
from grapevine.data.datasets.molecules import NAME as MOLECULES
from grapevine.data.download import Progress
from grapevine.data.molecules.detect import holds_molecules
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.data.molecules.table import MoleculeTable
from grapevine.data.readers.gin_text import read_gin_text
from grapevine.data.readers.gnn_benchmark_npz import read_gnn_benchmark
from grapevine.data.readers.heterophilous_npz import read_heterophilous
from grapevine.data.readers.molecules import read_molecules
from grapevine.data.readers.npz import read_npz
from grapevine.data.readers.ogb_csv import read_ogb_nodes
from grapevine.data.readers.tu import read_tu
from grapevine.data.readers.xyz_blocks import XyzBlocks, read_xyz_blocks
from grapevine.data.tables import TableEncoders, TableGraph, TableSpec, Target, read_sql, tables_to_graph
from grapevine.errors import InputError, check

Encoders: TypeAlias = TableEncoders | MoleculeEncoders
Format = Literal["tu", "gin", "graph", "gnn-benchmark", "heterophilous", "ogb", "xyz"]

_TABLES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".arrow", ".feather", ".ipc", ".gz")


class Source(BaseModel):
    """Where data comes from. One of `dataset`, `edges`, `sql` or `path` says which kind it is.

    Args:
        dataset: the name of a data set; `root` is the folder of its files.
        nodes, edges: paths of tables; without `nodes` the nodes are those that the edges name.
        sql: the address of a database, with `nodes_query` and `edges_query`.
        path: a file or folder of graphs: the TU format, the one-file format of the GIN paper, GraphML, GEXF, npz,
            OGB's folders or molecules with places (xyz); `format` says which where that can not be seen.
        molecules: what the columns of the molecules at `path` are; None: it holds no molecules.
        table: what the columns of tables are.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str | None = None
    root: str | None = None
    nodes: str | None = None
    edges: str | None = None
    sql: str | None = None
    nodes_query: str | None = None
    edges_query: str | None = None
    path: str | None = None
    format: Format | None = None
    molecules: MoleculeSpec | None = None
    table: TableSpec = TableSpec()

    @property
    def name(self) -> str:
        """What a run on this data is called.

        >>> Source(dataset="tu:MUTAG").name, Source(edges="data/friends.csv").name
        ('tu-MUTAG', 'friends')
        """
        if self.dataset is not None:
            return self.dataset.replace(":", "-").replace("/", "-")
        place = self.path or self.nodes or self.edges
        return Path(place).name.split(".")[0] or "graph" if place else "query"

    @property
    def is_of_molecules(self) -> bool:
        """Whether its graphs are molecules, of atoms and bonds.

        >>> Source(dataset="molecules:gap").is_of_molecules, Source(dataset="tu:MUTAG").is_of_molecules
        (True, False)
        """
        if self.path is not None:
            return self.molecules is not None or self.format == "xyz" or _holds_blocks(Path(self.path))
        return self.dataset is not None and self.dataset.split(":")[0] == MOLECULES

    def absolute(self) -> "Source":
        """The same with whole paths, which mean the same from any folder."""
        paths = {name: getattr(self, name) for name in ("root", "nodes", "edges", "path")}
        return self.model_copy(
            update={name: str(Path(p).expanduser().absolute()) for name, p in paths.items() if p is not None}
        )


@dataclass(frozen=True)
class Loaded:
    """What a source gave.

    Args:
        dataset: the graph, or graphs, and what is asked of it.
        tables: what was read of tables: rejects, identifiers, reports. None for other sources.
        molecules: the same of molecules.
        blocks: the same of molecules with places.
        notes: what was found and inferred, a sentence each.
    """

    dataset: Dataset
    tables: TableGraph | None = None
    molecules: MoleculeTable | None = None
    blocks: XyzBlocks | None = None
    notes: tuple[str, ...] = ()

    @property
    def rejected(self) -> pl.DataFrame | None:
        """The rows of the tables, or the blocks, that were left out; None if there are none."""
        read = self.tables or self.molecules or self.blocks
        return read.rejects.frame if read is not None and len(read.rejects) else None

    @property
    def encoders(self) -> Encoders | None:
        """What further tables, or molecules, are to be read by."""
        read = self.tables or self.molecules
        return None if read is None else read.encoders

    @property
    def target(self) -> Target | None:
        """What the column of answers holds; None where there is none, or the data are no table."""
        read = self.tables or self.molecules
        return None if read is None else read.target


def load(source: Source, *, encoders: Encoders | None = None, on_progress: Progress | None = None) -> Loaded:
    """Read what a source says.

    Args:
        encoders: of a trained model, to read tables or molecules as they were read for it.

    Raises:
        InputError: if there is no such data, or it can not be read.

    >>> load(Source(dataset="karate")).dataset.graph.num_nodes
    34
    """
    kinds = [source.dataset, source.edges, source.sql, source.path]
    if sum(kind is not None for kind in kinds) != 1:
        raise InputError("say where the data is: the name of a data set, a file or folder, --edges FILE, or --sql URL")
    check(source.nodes is None or source.edges is not None, "a table of nodes needs a table of edges: give --edges")
    if source.edges is not None or source.sql is not None:
        return _tables(source, encoders if isinstance(encoders, TableEncoders) else None, on_progress)
    if source.molecules is not None:
        return _molecules(source, source.molecules, encoders, on_progress)
    if source.dataset is not None:
        root = None if source.root is None else Path(source.root)
        return Loaded(load_dataset(source.dataset, root, on_progress=on_progress))
    if _format(source) == "xyz":
        return _blocks(source)
    return Loaded(_graphs(source))


def source_of(place: str, root: str | None = None) -> Source:
    """What a name or path on the command line means: a path if there is such a file or folder, else a data set.

    Raises:
        InputError: if it is a single table, of which it can not be said whether it holds the nodes or the edges.

    >>> source_of("cora").dataset
    'cora'
    """
    path = Path(place)
    if not path.exists() and not (len(path.parts) > 1 or path.suffix in _TABLES):
        return Source(dataset=place, root=root)
    check(path.exists(), f"there is no file or folder {place}")
    if holds_molecules(path):
        return Source(path=place, molecules=MoleculeSpec())
    if path.suffix in _TABLES:
        raise InputError(
            f"{place} is a table without a column of SMILES: say --smiles COLUMN for molecules, or --edges {place} for "
            "the edges of a graph, and --nodes FILE if there is a table of nodes"
        )
    return Source(path=place)


def _tables(source: Source, encoders: TableEncoders | None, on_progress: Progress | None) -> Loaded:
    nodes: Any = source.nodes
    edges: Any = source.edges
    if source.sql is not None:
        if source.edges_query is None:
            raise InputError("--sql needs --edges-query, and --nodes-query if there is a table of nodes")
        nodes = None if source.nodes_query is None else read_sql(source.sql, source.nodes_query, name="the nodes")
        edges = read_sql(source.sql, source.edges_query, name="the edges")
    spec = source.table if encoders is None else None
    made = tables_to_graph(nodes, edges, spec, encoders=encoders, on_progress=on_progress)
    return Loaded(made.dataset(source.name), tables=made, notes=made.notes)


def _molecules(source: Source, spec: MoleculeSpec, encoders: Encoders | None, on_progress: Progress | None) -> Loaded:
    path = Path(source.path or "")
    check(path.exists(), f"there is no file {path}")
    told = encoders if isinstance(encoders, MoleculeEncoders) else spec
    made = read_molecules(path, told, on_progress=on_progress)
    return Loaded(replace(made.dataset(source.name), smiles=made.smiles), molecules=made, notes=made.notes)


def _graphs(source: Source) -> Dataset:
    path, kind = Path(source.path or ""), _format(source)
    if kind == "graph":
        target = source.table.target
        check(len(target) <= 1, f"one attribute is predicted of a {path.suffix} file, got {', '.join(target)}")
        from grapevine.data.readers.networkx import read_network  # slow to import, and seldom needed

        dataset = read_network(path, target=target[0]) if target else read_network(path)
    elif kind == "ogb":
        dataset = read_ogb_nodes(path, add_reverse=not source.table.directed)
    else:
        dataset = _READERS[kind](path)
    return replace(dataset, name=source.name)


def _blocks(source: Source) -> Loaded:
    """Molecules with places: of a folder test.txt judges, and train.txt, or val.txt where there is none, teaches."""
    path = Path(source.path or "")
    if path.is_dir():
        teach = next((path / name for name in _TEACH if (path / name).is_file()), path / _TEACH[-1])
        made = read_xyz_blocks(teach, path / _JUDGE)
        notes = [f"{teach.name} teaches, and a tenth of it chooses; {_JUDGE} judges"]
    else:
        made, notes = read_xyz_blocks(path), []
    about = {**made.dataset.about, "unit": "eV"}  # as all files of this layout have it
    return Loaded(replace(made.dataset, name=source.name, about=about), blocks=made, notes=(*notes, *made.notes))


_TEACH, _JUDGE = ("train.txt", "val.txt"), "test.txt"
_READERS: Mapping[str, Any] = {
    "tu": read_tu,
    "gin": read_gin_text,
    "gnn-benchmark": read_gnn_benchmark,
    "heterophilous": read_heterophilous,
}


def _format(source: Source) -> Format:
    """As told, or else as can be seen."""
    path = Path(source.path or "")
    check(path.exists(), f"there is no file or folder {path}")
    return source.format or _format_of(path)


def _holds_blocks(folder: Path) -> bool:
    return (folder / _JUDGE).is_file() and any((folder / name).is_file() for name in _TEACH)


def _format_of(path: Path) -> Format:
    if path.is_dir():
        if any(path.glob("*_graph_indicator.txt")):
            return "tu"
        if (path / "raw").is_dir() or any(path.glob("edge.csv*")):
            return "ogb"
        if _holds_blocks(path):
            return "xyz"
        texts = [file for file in path.glob("*.txt") if file.stem == path.name]
        check(len(texts) == 1, f"{path} holds no graphs in a format that is known: say --format")
        return "gin"
    if path.suffix in (".graphml", ".gexf"):
        return "graph"
    if path.suffix == ".txt":
        return "gin"
    check(path.suffix == ".npz", f"{path} is no file of graphs that is known: .graphml, .gexf, .npz, .txt or a folder")
    names = read_npz(path, (), ("adj_indptr", "edges"))
    check(len(names) > 0, f"{path} holds neither adj_indptr nor edges: it is no npz of graphs that is known")
    return "gnn-benchmark" if "adj_indptr" in names else "heterophilous"
