"""Tests that tell graphs and nodes apart, from 1-WL upwards: no network of a test's power does better.

c_i' = (c_i, {{ (l_ji, c_j) : j -> i }})     1-WL, the bound of networks that pass messages (Xu et al. 2019)

Two forms of k-WL are confused in print. Oblivious k-WL replaces one node of a tuple at a time, folklore k-WL (k-FWL)
each of them in turn by the same one, and sees the results together. Folklore k-WL equals oblivious (k + 1)-WL, and
oblivious 2-WL equals 1-WL. See folklore.py, distance.py and marking.py for the other tests and their papers.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from grapevine.checks import check_rows
from grapevine.diagnose.distance import distance_wl, random_walk_wl, resistance_wl
from grapevine.diagnose.folklore import tuple_wl
from grapevine.diagnose.labelled import Coloring, Labelled, labelled, multiset_classes, row_classes
from grapevine.diagnose.marking import node_marking, root_and_neighbour_marking
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.ops import color_refinement as refinement
from grapevine.ops.color_refinement import Colors
from grapevine.ops.sparse import SparseMatrix

WLTest: TypeAlias = Literal[
    "1-wl",
    "oblivious-2-wl",
    "oblivious-3-wl",
    "2-fwl",
    "3-fwl",
    "distance-wl",
    "resistance-wl",
    "random-walk",
    "node-marking",
    "root-and-neighbour-marking",
]
WL_TESTS: tuple[WLTest, ...] = get_args(WLTest)


def color_refinement(
    edges: Graph | Adjacency | Int[Tensor, "2 e"],
    *,
    node_labels: Shaped[Tensor, "n *c"] | SparseMatrix | None = None,
    edge_labels: Shaped[Tensor, "e *c"] | None = None,
    max_rounds: int | None = None,
) -> Colors:
    """The 1-WL colours of the nodes, 0 .. k - 1, and how many rounds parted a class. Each node hears its sources.

    Isomorphic graphs get the same colours node by node, however their nodes are numbered; those of different graphs
    compare only if they are refined together, as a batch. It is exact, in O((n + e) log n): no hash decides.

    Args:
        node_labels: numbers or features [n, ...] that colour the nodes at the start; by default all are alike.
        edge_labels: the same of the edges, in the adjacency's order.
        max_rounds: how far a node may see; by default until nothing changes.

    Raises:
        InputError: if sources and targets are not one set, or labels have another number of rows.

    >>> triangles = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 0, 4, 5, 3]])
    >>> ring = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 3, 4, 5, 0]])
    >>> both = Graph.batch([Graph(torch.cat([edges, edges.flip(0)], 1)) for edges in (triangles, ring)])
    >>> color_refinement(both)
    Colors(colors=tensor([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), num_rounds=0)
    """
    adj = as_adjacency(edges)
    check(adj.is_square, f"colours are of one set of nodes, got {adj}")
    labels = []
    for name, given, count, what in (
        ("node_labels", node_labels, adj.num_dst, "nodes"),
        ("edge_labels", edge_labels, adj.num_edges, "edges"),
    ):
        if given is not None:
            check(isinstance(given, Tensor | SparseMatrix), f"{name} must be a tensor, got {type(given).__name__}")
            rows: Tensor = given  # pyright: ignore[reportAssignmentType]
            check_rows(name, rows, count, what)
        labels.append(None if given is None else torch.from_numpy(row_classes(given)))
    return refinement.color_refinement(adj.pattern, *labels, max_rounds=max_rounds)


def separates(
    first: Graph, second: Graph, test: WLTest = "1-wl", *, node: Sequence[str] | None = None, edge: Sequence[str] = ()
) -> bool:
    """Whether a test tells two graphs apart: then they are not isomorphic. Arguments as of `graph_colors`.

    >>> one, two = torch.tensor([[0, 1, 2, 3, 4, 5], [1, 2, 0, 4, 5, 3]]), torch.arange(6)
    >>> triangles, ring = one, torch.stack([two, two.roll(-1)])
    >>> pair = [Graph(torch.cat([edges, edges.flip(0)], 1)) for edges in (triangles, ring)]
    >>> [test for test in WL_TESTS if not separates(*pair, test)]
    ['1-wl', 'oblivious-2-wl']
    """
    for which, graph in (("first", first), ("second", second)):
        is_one = isinstance(graph, Graph) and graph.num_graphs == 1
        check(is_one, f"{which} must be one Graph, got {graph if isinstance(graph, Graph) else type(graph).__name__}")
    names = [name for name in ("x", "z") if name in first.node or name in second.node] if node is None else node
    pair = [_only(graph, names, edge) for graph in (first, second)]
    colors = graph_colors(Graph.batch(pair), test, node=names, edge=edge)
    return bool(colors[0] != colors[1])


def graph_colors(
    graph: Graph, test: WLTest = "1-wl", *, node: Sequence[str] | None = None, edge: Sequence[str] = ()
) -> Int[Tensor, " g"]:
    """A number for each graph of a batch, the same for those that the test does not tell apart.

    Args:
        test: the name of the test; `WL_TESTS` lists them.
        node: the node tensors that are known from the start; by default those of x and z that there are.
        edge: the edge tensors that are; by default none.

    Raises:
        InputError: for an unknown test, a tensor the graph does not hold, a graph too large for the test, or edges in
            one direction where the test needs both.

    >>> path, star = Graph([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]), Graph([[0, 1, 0, 2, 0, 3], [1, 0, 2, 0, 3, 0]])
    >>> a, b, c = graph_colors(Graph.batch([path, star, path])).tolist()
    >>> a == c, a == b
    (True, False)
    """
    made = coloring(graph, test, node=node, edge=edge)
    return torch.from_numpy(multiset_classes(made.items, made.ptr)).to(graph.device)


def node_colors(
    graph: Graph, test: WLTest = "1-wl", *, node: Sequence[str] | None = None, edge: Sequence[str] = ()
) -> Int[Tensor, " n"]:
    """A number for each node, the same for those that the test does not tell apart. Arguments as of `graph_colors`.

    The tests on k-tuples give a node v the colour of (v, ..., v).

    >>> node_colors(Graph([[0, 1, 1, 2], [1, 0, 2, 1]]), "node-marking").tolist()
    [1, 0, 1]
    """
    _, ranks = np.unique(coloring(graph, test, node=node, edge=edge).node, return_inverse=True)
    return torch.from_numpy(ranks).to(graph.device)


def color_multiset(
    graph: Graph, test: WLTest = "1-wl", *, node: Sequence[str] | None = None, edge: Sequence[str] = ()
) -> list[dict[int, int]]:
    """For each graph of a batch how often each colour occurs: of its nodes, or of their tuples where a test has them.

    Arguments as of `graph_colors`. Only the graphs of one batch compare.

    >>> color_multiset(Graph([[0, 1, 1, 2], [1, 0, 2, 1]]))
    [{0: 2, 1: 1}]
    """
    made = coloring(graph, test, node=node, edge=edge)
    counts = (np.unique(part, return_counts=True) for part in np.split(made.items, made.ptr[1:-1]))
    return [dict(zip(colors.tolist(), count.tolist(), strict=True)) for colors, count in counts]


def coloring(graph: Graph, test: WLTest, *, node: Sequence[str] | None = None, edge: Sequence[str] = ()) -> Coloring:
    """The colours of nodes and those that make the graphs' multisets. Arguments as of `graph_colors`."""
    if test not in _TESTS:
        raise InputError(f"test must be one of {', '.join(WL_TESTS)}, got {test!r}")
    return _TESTS[test](labelled(graph, node, edge))


def _plain(graph: Labelled) -> Coloring:
    labels = torch.from_numpy(graph.node), torch.from_numpy(graph.edge)
    colors = refinement.color_refinement(graph.adj.pattern, *labels).colors.numpy()
    return Coloring(colors, colors, graph.ptr)


def _only(graph: Graph, node: Sequence[str], edge: Sequence[str]) -> Graph:
    """The graph with no other tensors than these."""
    for level, names, held in (("node", node, graph.node), ("edge", edge, graph.edge)):
        for name in names:
            check(name in held, f"a graph holds no {level} tensor {name!r}, it holds {', '.join(held) or 'none'}")
    chosen = {name: graph.node[name] for name in node}
    return Graph(graph.adj, node=chosen, edge={name: graph.edge[name] for name in edge})


_TESTS: dict[str, Callable[[Labelled], Coloring]] = {
    "1-wl": _plain,
    "oblivious-2-wl": partial(tuple_wl, k=2, folklore=False),
    "oblivious-3-wl": partial(tuple_wl, k=3, folklore=False),
    "2-fwl": partial(tuple_wl, k=2, folklore=True),
    "3-fwl": partial(tuple_wl, k=3, folklore=True),
    "distance-wl": distance_wl,
    "resistance-wl": resistance_wl,
    "random-walk": random_walk_wl,
    "node-marking": node_marking,
    "root-and-neighbour-marking": root_and_neighbour_marking,
}
