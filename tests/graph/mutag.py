"""MUTAG from its one-file format, read here so that what tests compare with is no reader of ours."""

from pathlib import Path

import pytest
import torch

from grapevine.graph import Graph
from tests.graph.cases import index_of

MUTAG = Path(__file__).parents[2].parent / "shared" / "data" / "tu" / "MUTAG" / "MUTAG.txt"


needs_mutag = pytest.mark.skipif(not MUTAG.is_file(), reason=f"MUTAG is not in {MUTAG}")


def read_mutag() -> list[Graph]:
    """The file's graphs: z is the atom's tag, y the class."""
    lines = iter(MUTAG.read_text().splitlines())
    graphs = []
    for _ in range(int(next(lines))):
        num_nodes, label = map(int, next(lines).split())
        tags, edges = [], []
        for i in range(num_nodes):
            tag, _, *neighbours = map(int, next(lines).split())
            tags.append(tag)
            edges += [(j, i) for j in neighbours]
        graphs.append(
            Graph(index_of(edges), node={"z": torch.tensor(tags)}, y=torch.tensor(label), num_nodes=num_nodes)
        )
    return graphs
