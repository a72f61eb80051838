"""Pairs and families of graphs whose separability is known: BREC, EXP, SRG(25,12,5,6), CSL and two classics."""

from itertools import combinations
from pathlib import Path

import networkx
import numpy as np
import pytest
import torch

from grapevine.graph import Graph, from_networkx

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "expressiveness"
needs_graphs = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the graphs are not in {FOLDER}")

CSL_SKIPS = (2, 3, 4, 5, 6, 9, 11, 12, 13, 16)


def graph6(text: str) -> Graph:
    """A graph from its graph6 code."""
    return from_networkx(networkx.from_graph6_bytes(text.encode()))


def brec_pairs(kind: str) -> list[tuple[Graph, Graph]]:
    """The pairs of BREC of a kind: basic, regular or strongly_regular."""
    lines = (FOLDER / f"brec_{kind}_pairs.txt").read_text().splitlines()
    return [(graph6(first), graph6(second)) for first, second in map(str.split, lines)]


def strongly_regular() -> list[Graph]:
    """The 15 strongly regular graphs with 25 nodes of degree 12."""
    return [graph6(line) for line in (FOLDER / "sr251256.g6").read_text().splitlines()]


def exp_graphs() -> list[Graph]:
    """The 1,200 EXP graphs, each with its class; graphs 2 k and 2 k + 1 are a pair."""
    with np.load(FOLDER / "exp.npz") as file:
        held = {name: torch.from_numpy(file[name]) for name in file.files}
    x = held["x"].float().split(held["num_nodes"].tolist())
    edges = held["edge_index"].long().split(held["num_edges"].tolist(), dim=1)
    return [Graph(e, x=f, graph={"y": y.reshape(1)}) for e, f, y in zip(edges, x, held["y"], strict=True)]


def csl(skip: int, num_nodes: int = 41) -> Graph:
    """A ring with chords of a skip (Murphy et al. 2019)."""
    return from_networkx(networkx.circulant_graph(num_nodes, [1, skip]))


def ring_and_triangles() -> tuple[Graph, Graph]:
    """C6 and two triangles: both 2-regular on six nodes."""
    triangles = networkx.disjoint_union(networkx.cycle_graph(3), networkx.cycle_graph(3))
    return from_networkx(networkx.cycle_graph(6)), from_networkx(triangles)


def rook_and_shrikhande() -> tuple[Graph, Graph]:
    """The 4 x 4 rook's graph and the Shrikhande graph: both strongly regular with parameters (16, 6, 2, 2)."""
    places = [(i, j) for i in range(4) for j in range(4)]
    rook, shrikhande = networkx.Graph(), networkx.Graph()
    for a, b in combinations(range(16), 2):
        step = tuple((p - q) % 4 for p, q in zip(places[a], places[b], strict=True))
        if 0 in step:
            rook.add_edge(a, b)
        if step in {(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)}:
            shrikhande.add_edge(a, b)
    for network in (rook, shrikhande):
        network.add_nodes_from(range(16))
    return from_networkx(rook), from_networkx(shrikhande)
