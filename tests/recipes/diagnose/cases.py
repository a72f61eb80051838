"""Data for the tests of the diagnosis: sets from the shared folder, and graphs that 1-WL can not split."""

from pathlib import Path

import pytest
import torch

from grapevine.data.dataset import Dataset
from grapevine.data.split import Split
from grapevine.graph import Graph
from grapevine.recipes.source import Loaded, Source
from tests.diagnose.pairs import csl, ring_and_triangles

DATA = Path(__file__).parents[3].parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the data sets are not in {DATA}")

SETS = {
    "cora": Source(dataset="cora", root=str(DATA / "planetoid")),
    "texas": Source(dataset="texas", root=str(DATA / "heterophilous")),
    "minesweeper": Source(dataset="minesweeper", root=str(DATA / "heterophilous")),
    "mutag": Source(dataset="tu:MUTAG", root=str(DATA)),
    "enzymes": Source(dataset="tu:ENZYMES", root=str(DATA)),
}


def of_graphs(graphs: list[Graph], y: torch.Tensor | None, *, name: str = "made") -> Loaded:
    """Graphs with an answer each, as if they had been read; a third of each answer's graphs in each part."""
    batch = Graph.batch(graphs)
    if y is None:
        return Loaded(Dataset(name, batch, level="graph"))
    batch = batch.replace(graph={"y": y})
    place = torch.arange(len(y)) // 2 % 3
    split = Split(*(place == part for part in range(3)))
    names = None if y.is_floating_point() else tuple(f"class {k}" for k in range(int(y.max()) + 1))
    return Loaded(Dataset(name, batch, level="graph", splits=(split,), class_names=names))


def rings_and_triangles(count: int = 12, *, is_of_numbers: bool = False) -> Loaded:
    """C6 and two triangles in turn, which 1-WL does not tell apart: class 0 and 1, or the numbers 0 and 1."""
    y = torch.arange(2 * count) % 2
    return of_graphs(list(ring_and_triangles()) * count, y.float() if is_of_numbers else y)


def rings_with_chords() -> Loaded:
    """Ten CSL graphs, two copies of each."""
    graphs = [csl(skip) for skip in (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)]
    return of_graphs([graph for graph in graphs for _ in range(2)], torch.arange(20) // 2)
