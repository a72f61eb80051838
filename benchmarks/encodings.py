"""How fast nodes are told their place, beside PyTorch Geometric: python -m benchmarks.encodings [--quick]

Return probabilities after 1 .. 16 steps (RWPE-16) of 1,000 drug-like molecules and of graphs of 100,000 nodes, against
`AddRandomWalkPE`. Molecules come one by one, or as one batch. One by one, theirs is called in every way that it can:
on each, on batches small enough for its dense path, and on all joined; the fastest counts. Both sides begin with the
same in memory, ours with none of what an adjacency keeps, and must agree before anything is timed.
"""

import tempfile
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.spatial import Delaunay
from torch import Tensor

from benchmarks.graphs import DATA, fresh_graph
from benchmarks.named import run_named
from benchmarks.report import Claim, Result, Table, skipped
from benchmarks.timing import CAN_MEASURE_MEMORY, Scale, in_turn, peak_growth
from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.data.readers.molecules import read_molecules
from grapevine.encoding import RandomWalk
from grapevine.graph import Graph

OURS, STEPS = "Grapevine", 16
_ZINC = DATA / "molecules" / "zinc_24k_smiles.txt"
_FASTER = 5.0
_OF_MOLECULES = ("molecules", "batch")
_DENSE = 2000  # nodes up to which theirs takes its dense path
_FULL = Scale(share=1.0, long_rounds=3, short_rounds=5, threads=2)
_QUICK = Scale(share=0.02, long_rounds=1, short_rounds=1, threads=1)


class Sides(NamedTuple):
    """Calls that give [n, 16], ours first, by name."""

    ours: Callable[[], Tensor]
    theirs: dict[str, Callable[[], Tensor]]


def molecules(scale: Scale) -> Sides:
    """One by one: ours makes one batch of them; theirs goes over them one by one, or joins ten or all."""
    graphs = _molecules(scale).unbatch()
    datas, transform, pyg = [_data(one.adj.edge_index, one.num_nodes) for one in graphs], *_theirs()
    batch = pyg.data.Batch.from_data_list
    tens = [datas[k : k + 10] for k in range(0, len(datas), 10)]
    assert max(batch(some).num_nodes for some in tens) <= _DENSE
    return Sides(
        lambda: RandomWalk(STEPS)(Graph.batch(graphs)),  # whose adjacency is a new one each time
        {
            "PyG, one by one": lambda: torch.cat([transform(one).pe for one in datas]),
            "PyG, ten joined": lambda: torch.cat([transform(batch(some)).pe for some in tens]),
            "PyG, all joined": lambda: transform(batch(datas)).pe,
        },
    )


def batch(scale: Scale) -> Sides:
    """The same as one batch."""
    graph = _molecules(scale)
    (transform, _), data = _theirs(), _data(graph.adj.edge_index, graph.num_nodes)
    return Sides(lambda: RandomWalk(STEPS)(fresh_graph(graph)), {"PyG": lambda: transform(data).pe})


def _molecules(scale: Scale) -> Graph:
    count = max(20, int(1000 * scale.share))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zinc.csv"
        path.write_text("\n".join(["smiles", *_ZINC.read_text().split()[:count]]))
        return read_molecules(path, MoleculeSpec()).graph


def lattice(scale: Scale) -> Sides:
    """A square lattice, as of roads: 400 x 250."""
    high, wide = max(40, int(400 * scale.share)), max(60, int(250 * scale.share))
    place = np.arange(high * wide).reshape(high, wide)
    down, right = (place[:-1].ravel(), place[1:].ravel()), (place[:, :-1].ravel(), place[:, 1:].ravel())
    return _of_one(np.concatenate([np.stack(down), np.stack(right)], axis=1), place.size)


def triangulation(scale: Scale) -> Sides:
    """100,000 points in a plane, each joined to those around it (Delaunay), six of them on average."""
    points = np.random.default_rng(0).random((max(2500, int(100_000 * scale.share)), 2))
    corners = Delaunay(points).simplices
    sides = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    return _of_one(np.unique(np.sort(sides, axis=1), axis=0).T, len(points))


def random(scale: Scale) -> Sides:
    """Edges drawn at random, six at a node: within eight steps is all of it, so later steps are estimated.

    Theirs would have to hold 10^10 numbers.
    """
    num_nodes = max(2000, int(100_000 * scale.share))
    pairs = np.random.default_rng(0).integers(num_nodes, size=(2, 3 * num_nodes))
    return Sides(_of_one(pairs[:, pairs[0] != pairs[1]], num_nodes).ours, {})


def _of_one(pairs: np.ndarray, num_nodes: int) -> Sides:
    graph = Graph(np.concatenate([pairs, pairs[::-1]], axis=1), num_nodes=num_nodes)
    (transform, _), data = _theirs(), _data(graph.adj.edge_index, num_nodes)
    return Sides(lambda: RandomWalk(STEPS)(fresh_graph(graph)), {"PyG": lambda: transform(data).pe})


CASES: dict[str, tuple[str, Callable[[Scale], Sides]]] = {
    "molecules": ("RWPE-16 of 1,000 molecules, one by one", molecules),
    "batch": ("RWPE-16 of a batch of 1,000 molecules", batch),
    "lattice": ("RWPE-16 of a lattice of 100,000 nodes", lattice),
    "triangulation": ("RWPE-16 of a triangulation of 100,000 nodes", triangulation),
    "random": ("RWPE-16 of a random graph of 100,000 nodes, in part estimated; too large for PyG", random),
}


def run(name: str, scale: Scale) -> Result:
    """Times in one process, the sides in turn; the memory of each in a process of its own."""
    title, _ = CASES[name]
    if name in _OF_MOLECULES and not _ZINC.is_file():
        return skipped(title, f"there is no file {_ZINC}")
    notes = []
    try:
        times = scale.fresh(seconds, name, scale)
    except BrokenProcessPool:  # killed: theirs can take more memory than there is
        times = scale.fresh(seconds, name, scale, is_alone=True)
        notes = ["PyG's process was killed for want of memory."]
    theirs = [side for side in times if side != OURS]
    best = min(theirs, key=lambda side: times[side], default=OURS)
    measured = dict.fromkeys((OURS, best)) if CAN_MEASURE_MEMORY else {}
    memory = {side: scale.fresh(growth, name, side, scale) for side in measured}
    rows = [[side, took * 1e3, took / times[OURS], _megabytes(memory.get(side))] for side, took in times.items()]
    table = Table(title, ["", "ms, median", "times Grapevine's", "peak memory beyond the graph, MB"], rows, notes)
    claims = [Claim(f"{title}: faster than {best}", times[best] / times[OURS], _FASTER)] if theirs else []
    return Result([table], claims)


def seconds(name: str, scale: Scale, *, is_alone: bool = False) -> dict[str, float]:
    """Median seconds of each side, in turn or by itself, after both were seen to agree; or of ours alone."""
    sides = CASES[name][1](scale)
    sides = Sides(sides.ours, {}) if is_alone else sides
    ours = sides.ours()
    for theirs in sides.theirs.values():
        torch.testing.assert_close(ours, theirs(), rtol=1e-4, atol=1e-6)
    rounds = scale.short_rounds if name in _OF_MOLECULES else scale.long_rounds
    calls = {OURS: sides.ours, **sides.theirs}
    together = in_turn(calls, rounds, are_warm=True)
    alone = {side: in_turn({side: call}, rounds)[side] for side, call in calls.items()}  # some are faster undisturbed
    return {side: min(together[side], alone[side]) for side in calls}


def growth(name: str, side: str, scale: Scale) -> int:
    """Bytes at the peak beyond what was there; what is loaded on first use is loaded before."""
    small = CASES[name][1](_QUICK)
    sides = CASES[name][1](scale)
    for some in (small, sides):
        call = some.ours if side == OURS else some.theirs[side]
        if some is small:
            call()
    return peak_growth(call)


def _data(edge_index: Tensor, num_nodes: int) -> Any:
    _, pyg = _theirs()
    return pyg.data.Data(edge_index=edge_index, num_nodes=num_nodes)


def _theirs() -> tuple[Any, Any]:
    import torch_geometric
    from torch_geometric.transforms import AddRandomWalkPE

    return AddRandomWalkPE(STEPS, attr_name="pe"), torch_geometric


def _megabytes(count: int | None) -> float | None:
    return None if count is None else count / 1e6


if __name__ == "__main__":
    run_named("encodings", __doc__, {name: partial(run, name) for name in CASES}, full=_FULL, quick=_QUICK)
