"""The ways to look at a graph: 1-WL, 1-WL with an encoding beside it, and the stronger tests, with what each costs.

Encodings enter a test as classes of equal numbers (within 1e-9), as any network could read them. Laplacian
eigenvectors are left out: signs and bases are theirs to choose, so that they may part what is the same, and no bound
follows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.diagnose import WLTest, color_refinement, graph_colors, node_colors
from grapevine.diagnose.labelled import labelled, multiset_classes, near_classes
from grapevine.encoding import parse
from grapevine.graph import Graph

Colored: TypeAlias = tuple[Tensor, Tensor]  # the colours of the nodes and of the graphs
Cost: TypeAlias = Callable[[Graph], float]

MPNN = "every network that passes messages"
_ENCODED = "encoding"


@dataclass(frozen=True)
class Look:
    """A test that is stronger than 1-WL, or 1-WL with an encoding.

    Args:
        words: what the test is called.
        bounds: whom it bounds.
        cost: how many `unit` it would look at.
        most: how many are taken, some seconds' worth.
        spec: of the encoding, if any.
    """

    test: WLTest
    words: str
    bounds: str
    cost: Cost
    unit: str
    most: float
    spec: str = ""

    def obstacle(self, graph: Graph) -> str | None:
        """Why it is not made; None if it is."""
        count = self.cost(graph)
        most = f"and no more than {self.most:.2g} are taken"
        return None if count <= self.most else f"not made: it would look at {count:.2g} {self.unit}, {most}"

    def colors(self, graph: Graph, node: Sequence[str], edge: Sequence[str]) -> Colored:
        """By this test, told these tensors."""
        if not self.spec:
            return colored(graph, self.test, node=node, edge=edge)
        return colored(encoded(graph, self.spec), self.test, node=(*node, _ENCODED), edge=edge)


def colored(graph: Graph, test: WLTest = "1-wl", *, node: Sequence[str] = (), edge: Sequence[str] = ()) -> Colored:
    """The colours of a test.

    >>> nodes, graphs = colored(Graph([[0, 1, 1, 2], [1, 0, 2, 1]]))
    >>> nodes.tolist(), graphs.tolist()
    ([0, 1, 0], [0])
    """
    nodes = node_colors(graph, test, node=node, edge=edge)
    is_many = graph.num_graphs > 1
    return nodes, graph_colors(graph, test, node=node, edge=edge) if is_many else torch.zeros(1, dtype=torch.int64)


def unheard(graph: Graph, *, node: Sequence[str]) -> Colored:
    """The features of each node by themselves; of a graph all of them, in no order.

    >>> unheard(Graph([[0, 1], [1, 0]], x=torch.tensor([[1.0], [2.0]])), node=("x",))[0].tolist()
    [0, 1]
    """
    held = {name: graph.node[name] for name in node}
    bare = Graph(torch.zeros(2, 0, dtype=torch.int64), node=held, num_nodes=graph.num_nodes)
    nodes = node_colors(bare, "1-wl", node=node)
    return nodes, _of_graphs(graph, nodes)


def rounds(graph: Graph, *, node: Sequence[str], edge: Sequence[str], count: int) -> Colored:
    """1-WL for so many rounds: what a network of so many layers hears.

    >>> path = Graph([[0, 1, 1, 2, 2, 3, 3, 4], [1, 0, 2, 1, 3, 2, 4, 3]])
    >>> [len(rounds(path, node=(), edge=(), count=k)[0].unique()) for k in (1, 2)]
    [2, 3]
    """
    given = labelled(graph, node, edge)
    labels = torch.from_numpy(given.node), torch.from_numpy(given.edge)
    found = color_refinement(graph, node_labels=labels[0], edge_labels=labels[1], max_rounds=count)
    return found.colors, _of_graphs(graph, found.colors)


def encoded(graph: Graph, spec: str) -> Graph:
    """The graph with the classes of an encoding's numbers as a tensor of its nodes."""
    columns = np.concatenate([one.values(graph) for one in parse(spec)], 1)
    found = [near_classes(column) for column in columns.T]
    classes = torch.from_numpy(np.stack(found, 1) if found else np.zeros((graph.num_nodes, 0), np.int64))
    return graph.replace(node={_ENCODED: classes})


def _of_graphs(graph: Graph, nodes: Tensor) -> Tensor:
    """The same number for graphs whose nodes have the same colours, equally often."""
    return torch.from_numpy(multiset_classes(nodes.numpy(), graph.ptr.numpy()))


def _of_sizes(cost: Callable[[Float[np.ndarray, " g"], Float[np.ndarray, " g"]], np.ndarray]) -> Cost:
    """A cost by the numbers n of nodes and e of edges of each graph."""

    def of(graph: Graph) -> float:
        nodes = graph.ptr.diff().double().numpy()
        owner = graph.graph_id[graph.adj.dst.long()]
        return float(cost(nodes, torch.bincount(owner, minlength=graph.num_graphs).double().numpy()).sum())

    return of


def _walks(length: int) -> Cost:
    """How many walks there are of so many steps: what paths are searched among."""

    def of(graph: Graph) -> float:
        src, dst = graph.adj.edge_index.numpy()
        count = np.ones(graph.num_nodes)
        for _ in range(length):
            count = np.bincount(dst, count[src], minlength=graph.num_nodes)
        return float(count.sum())

    return of


_TOLD = f"{MPNN} and is told it"
LOOKS = (
    Look("1-wl", "1-WL", _TOLD, _of_sizes(lambda n, e: n * e), "steps of random walks", 1e8, "rwpe:16"),
    Look("1-wl", "1-WL", _TOLD, _of_sizes(lambda n, e: n * e), "pairs of nodes and edges", 1e8, "distance:8"),
    Look("1-wl", "1-WL", _TOLD, _of_sizes(lambda n, e: n**3), "triples of nodes", 1e9, "resistance:8"),
    Look("1-wl", "1-WL", _TOLD, _walks(5), "walks of five steps", 2e7, "rings:6"),
    Look("1-wl", "1-WL", _TOLD, _walks(4), "walks of four steps", 2e7, "substructures:5"),
    Look(
        "distance-wl", "distance-WL", "graph transformers told shortest paths", _of_sizes(lambda n, e: n**2),
        "pairs of nodes", 1e7,
    ),
    Look(
        "resistance-wl", "resistance-WL", "graph transformers told resistances", _of_sizes(lambda n, e: n**2),
        "pairs of nodes", 4e6,
    ),
    Look(
        "node-marking", "node marking", "networks on subgraphs with one node marked",
        _of_sizes(lambda n, e: n * (n + e)), "copied nodes and edges", 6e6,
    ),
    Look(
        "2-fwl", "2-FWL (= oblivious 3-WL)", "networks on pairs of nodes", _of_sizes(lambda n, e: n**3),
        "triples of nodes", 3e7,
    ),
    Look(
        "root-and-neighbour-marking", "root-and-neighbour marking", "networks on subgraphs with two nodes marked",
        _of_sizes(lambda n, e: e * (n + e)), "copied nodes and edges", 2e6,
    ),
    Look(
        "3-fwl", "3-FWL (= oblivious 4-WL)", "networks on triples of nodes", _of_sizes(lambda n, e: n**4),
        "quadruples of nodes", 4e7,
    ),
)  # fmt: skip
