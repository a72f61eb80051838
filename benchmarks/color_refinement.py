"""How fast nodes are told apart by 1-WL, beside NetworkX: python -m benchmarks.color_refinement [--quick]

Colour refinement of random graphs until nothing changes: one of a million nodes and ten million edges, ours alone, and
two that NetworkX can do too. NetworkX hashes for as many rounds as ours took, as graphs and as nodes, and the faster of
the two counts; the classes of nodes that it finds must be ours.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import networkx as nx
import numpy as np
import torch

from benchmarks.graphs import fresh_graph
from benchmarks.named import run_named
from benchmarks.report import Claim, Result, Table
from benchmarks.timing import Scale, in_turn
from grapevine.diagnose import color_refinement
from grapevine.graph import Graph, from_networkx

OURS = "Grapevine"
_FULL = Scale(share=1.0, long_rounds=3, short_rounds=3, threads=2)
_QUICK = Scale(share=0.01, long_rounds=1, short_rounds=1, threads=1)


def large(scale: Scale) -> Result:
    """A graph that is too large for NetworkX."""
    nodes, edges = int(1_000_000 * scale.share), int(10_000_000 * scale.share)
    found = scale.fresh(_large, nodes, edges, scale.long_rounds)
    columns = ["nodes", "edges", "rounds", "classes", "seconds, median"]
    table = Table("1-WL of a random graph", columns, [[nodes, edges, *found.values()]])
    return Result([table], [Claim("1-WL of the large graph, seconds", found["seconds"], 15.0, is_limit=True)])


def networkx(scale: Scale) -> Result:
    """Those that it can do, a tenth of the large one last."""
    rows, ratio = [], 0.0
    for nodes, edges in ((20_000, 100_000), (100_000, 1_000_000)):
        sizes = int(nodes * scale.share), int(edges * scale.share)
        times = scale.fresh(_beside, *sizes, scale.short_rounds)
        ratio = min(took for name, took in times.items() if name != OURS) / times[OURS]
        rows.append([*sizes, *(took * 1e3 for took in times.values()), ratio])
    columns = ["nodes", "edges", "Grapevine, ms", "graph hash, ms", "node hashes, ms", "times faster"]
    claim = Claim("1-WL of the larger: faster than NetworkX", ratio, 20.0)
    return Result([Table(f"1-WL of random graphs beside NetworkX {nx.__version__}, medians", columns, rows)], [claim])


CASES = {"large": large, "networkx": networkx}


def _large(nodes: int, edges: int, rounds: int) -> Mapping[str, Any]:
    drawn = torch.randint(nodes, (2, edges), generator=torch.Generator().manual_seed(0))
    graph = Graph(torch.cat([drawn, drawn.flip(0)], 1), num_nodes=nodes)
    found = color_refinement(graph)
    took = in_turn({OURS: lambda: color_refinement(fresh_graph(graph))}, rounds)[OURS]
    return {"rounds": found.num_rounds, "classes": int(found.colors.max()) + 1, "seconds": took}


def _beside(nodes: int, edges: int, rounds: int) -> dict[str, float]:
    warnings.simplefilter("ignore", UserWarning)  # that its hashes have changed since 3.4
    theirs = nx.gnm_random_graph(nodes, edges, seed=1)
    graph = from_networkx(theirs)
    found = color_refinement(graph)
    hashes = nx.weisfeiler_lehman_subgraph_hashes(theirs, iterations=found.num_rounds)
    _, classes = np.unique([hashes[node][-1] for node in theirs], return_inverse=True)
    pairs = np.unique(np.stack([classes, found.colors.numpy()]), axis=1).shape[1]
    assert pairs == classes.max() + 1 == int(found.colors.max()) + 1, "the classes are not NetworkX's"
    calls = {
        OURS: lambda: color_refinement(fresh_graph(graph)),
        "NetworkX, of the graph": lambda: nx.weisfeiler_lehman_graph_hash(theirs, iterations=found.num_rounds),
        "NetworkX, of the nodes": lambda: nx.weisfeiler_lehman_subgraph_hashes(theirs, iterations=found.num_rounds),
    }
    return in_turn(calls, rounds)


if __name__ == "__main__":
    run_named("color_refinement", __doc__, CASES, full=_FULL, quick=_QUICK)
