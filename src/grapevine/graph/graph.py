"""The record that flows: an adjacency and tensors, each known to belong to the nodes, the edges or the graph.

One graph, or the disjoint union of several: graph k then owns the nodes ptr[k] .. ptr[k + 1] - 1.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import scipy.sparse
import torch
from jaxtyping import Bool, Float, Int, Shaped
from numpy.typing import ArrayLike
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph.adjacency import Adjacency, kept
from grapevine.graph.batch import join_adjacencies, join_tensors, split_adjacency, split_tensors, starts
from grapevine.graph.levels import LEVELS, Level, Tensors, add_y, by_level, check_rows
from grapevine.ops.pattern import Pattern
from grapevine.ops.sparse import SparseMatrix

Features = Shaped[Tensor, "n *c"] | SparseMatrix | scipy.sparse.sparray | scipy.sparse.spmatrix
Given = Mapping[str, Tensor] | Mapping[str, Features]


class Graph:
    """Edges, and tensors with a row for each node, each edge or each graph. Immutable.

    Every tensor is an attribute: `graph.x`. Tensors of other than the standard names are declared with their level,
    as in `node={"charge": charge}`. Edge tensors come in the order of the edges they come with and are kept in the
    adjacency's: beside an edge_index they are sorted with it, beside an Adjacency they are in its order already.

    Args:
        edges: the `edge_index` [2, e], or a square Adjacency.
        x, pos, z, train_mask, val_mask, test_mask: [n, ...] features, places, atomic numbers and masks of the nodes;
            x may be sparse (a SparseMatrix, or from torch or SciPy), the masks are boolean.
        edge_attr, edge_weight: [e, ...] features and [e] weights of the edges.
        y: what is to be predicted, of the nodes if it has a row for each of them, of the graph if it has one row or
            is a scalar. Where both fit, as in a graph of one node, declare it: `graph={"y": y}`.
        num_nodes: how many nodes there are; by default as many as rows of the node tensors, and where there are
            none as `Adjacency` counts them.
        node, edge, graph: more tensors of each level, by name. A tensor of the graph has one row.

    Raises:
        InputError: for a wrong number of rows, another type or device, a name that is taken or given twice, or a
            y of unclear level.

    >>> graph = Graph([[0, 1, 2], [1, 0, 1]], x=torch.eye(3), edge_weight=torch.tensor([1.0, 2.0, 3.0]))
    >>> graph
    Graph(3 nodes, 3 edges; node: x [3, 3]; edge: edge_weight [3])
    >>> graph.edge_weight.tolist(), graph.adj.edge_id.tolist()
    ([2.0, 1.0, 3.0], [1, 0, 2])
    >>> Graph.batch([graph, graph])
    Graph(2 graphs, 6 nodes, 6 edges; node: x [6, 3]; edge: edge_weight [6])
    """

    adj: Adjacency
    ptr: Int[Tensor, " g+1"]  # where each graph's nodes begin
    _tensors: Tensors
    _kept: dict

    def __init__(
        self,
        edges: Adjacency | Int[Tensor, "2 e"] | ArrayLike,
        *,
        x: Features | None = None,
        pos: Float[Tensor, "n d"] | None = None,
        z: Int[Tensor, " n"] | None = None,
        edge_attr: Shaped[Tensor, "e *c"] | None = None,
        edge_weight: Float[Tensor, " e"] | None = None,
        y: Shaped[Tensor, "*rows"] | None = None,
        train_mask: Bool[Tensor, " n"] | None = None,
        val_mask: Bool[Tensor, " n"] | None = None,
        test_mask: Bool[Tensor, " n"] | None = None,
        num_nodes: int | None = None,
        node: Given | None = None,
        edge: Given | None = None,
        graph: Given | None = None,
    ):
        named = {
            "x": x, "pos": pos, "z": z, "train_mask": train_mask, "val_mask": val_mask, "test_mask": test_mask,
            "edge_attr": edge_attr, "edge_weight": edge_weight,
        }  # fmt: skip
        tensors = _declared(named, node, edge, graph)
        adj = _adjacency(edges, num_nodes, tensors["node"])
        sizes: dict[Level, int] = {"node": adj.num_nodes, "edge": adj.num_edges, "graph": 1}
        add_y(tensors, y, None, sizes)
        check_rows(tensors, sizes, adj.device)
        if not isinstance(edges, Adjacency):
            edge_tensors: dict[str, Any] = tensors["edge"]
            tensors["edge"] = {name: tensor[adj.edge_id] for name, tensor in edge_tensors.items()}
        self._fill(adj, tensors, torch.tensor([0, adj.num_nodes], device=adj.device))

    @classmethod
    def _made(cls, adj: Adjacency, tensors: Tensors, ptr: Tensor) -> "Graph":
        """Of parts that are known to fit, the edge tensors in the adjacency's order."""
        graph = cls.__new__(cls)
        graph._fill(adj, tensors, ptr)
        return graph

    def _fill(self, adj: Adjacency, tensors: Tensors, ptr: Tensor) -> None:
        self.__dict__.update(adj=adj, ptr=ptr, _tensors=tensors, _kept={})

    @staticmethod
    def batch(graphs: Sequence["Graph"]) -> "Graph":
        """The disjoint union: nodes and edges side by side, one row of the graph tensors for each graph.

        All must hold tensors of the same names, levels, widths, dtypes and devices, or an InputError names the first
        graph that does not. Batches among them count as the graphs they hold.
        """
        check(len(graphs) > 0, "a batch needs at least one graph, got none")
        for k, graph in enumerate(graphs):
            check(isinstance(graph, Graph), f"a batch is made of graphs, got {type(graph).__name__} at {k}")
        tensors = join_tensors([graph._tensors for graph in graphs])
        adj = join_adjacencies([graph.adj for graph in graphs])
        sizes = [
            n for graph in graphs for n in ([graph.num_nodes] if graph.num_graphs == 1 else graph.ptr.diff().tolist())
        ]
        return Graph._made(adj, tensors, starts(sizes).to(adj.device))

    def unbatch(self) -> list["Graph"]:
        """The graphs of a batch, as they were; their tensors share its memory.

        >>> parts = [Graph([[0], [1]]), Graph([[0], [0]])]
        >>> Graph.batch(parts).unbatch()
        [Graph(2 nodes, 1 edges), Graph(1 nodes, 1 edges)]
        """
        adjacencies = split_adjacency(self.adj, self.ptr.tolist())
        counts: dict[Level, list[int]] = {
            "node": [adj.num_nodes for adj in adjacencies],
            "edge": [adj.num_edges for adj in adjacencies],
            "graph": [1] * self.num_graphs,
        }
        ptrs = [torch.tensor([0, count], device=self.device) for count in counts["node"]]
        parts = zip(adjacencies, split_tensors(self._tensors, counts), ptrs, strict=True)
        return [Graph._made(*part) for part in parts]

    def replace(
        self,
        *,
        x: Features | None = None,
        pos: Float[Tensor, "n d"] | None = None,
        z: Int[Tensor, " n"] | None = None,
        edge_attr: Shaped[Tensor, "e *c"] | None = None,
        edge_weight: Float[Tensor, " e"] | None = None,
        y: Shaped[Tensor, "*rows"] | None = None,
        train_mask: Bool[Tensor, " n"] | None = None,
        val_mask: Bool[Tensor, " n"] | None = None,
        test_mask: Bool[Tensor, " n"] | None = None,
        node: Given | None = None,
        edge: Given | None = None,
        graph: Given | None = None,
    ) -> "Graph":
        """The same edges with these tensors in place of those of their names, or beside them.

        Edge tensors are in the adjacency's order, as this graph's are. A y keeps its level.

        >>> graph = Graph([[0], [1]], x=torch.zeros(2, 1))
        >>> graph.replace(x=torch.ones(2, 4), node={"charge": torch.zeros(2)})
        Graph(2 nodes, 1 edges; node: x [2, 4], charge [2])
        """
        named = {
            "x": x, "pos": pos, "z": z, "train_mask": train_mask, "val_mask": val_mask, "test_mask": test_mask,
            "edge_attr": edge_attr, "edge_weight": edge_weight,
        }  # fmt: skip
        changed = _declared(named, node, edge, graph)
        sizes: dict[Level, int] = {"node": self.num_nodes, "edge": self.num_edges, "graph": self.num_graphs}
        add_y(changed, y, self.levels.get("y"), sizes)
        check_rows(changed, sizes, self.device)
        new = {name for tensors in changed.values() for name in tensors}
        tensors: Tensors = {}
        for level, held in self._tensors.items():
            tensors[level] = {name: tensor for name, tensor in held.items() if name not in new} | changed[level]
        return Graph._made(self.adj, tensors, self.ptr)

    def to(self, device: torch.device | str) -> "Graph":
        """This graph on another device."""
        tensors: Tensors = {}
        for level, held in self._tensors.items():
            tensors[level] = {name: tensor.to(device) for name, tensor in held.items()}
        return Graph._made(self.adj.to(device), tensors, self.ptr.to(device))

    def __getattr__(self, name: str) -> Any:
        held = self.__dict__.get("_tensors", {})  # a copy being made asks before there are any
        for tensors in held.values():
            if name in tensors:
                return tensors[name]
        names = ", ".join(name for tensors in held.values() for name in tensors)
        raise AttributeError(f"this graph holds no {name}, it holds {names or 'no tensors'}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Graph is not changed: graph.replace({name}=...) makes another one")

    @property
    def levels(self) -> dict[str, Level]:
        """The level of each tensor, by name."""
        return {name: level for level in LEVELS for name in self._tensors[level]}

    @property
    def node(self) -> Mapping[str, Tensor | SparseMatrix]:
        """The tensors of the nodes, by name."""
        return MappingProxyType(self._tensors["node"])

    @property
    def edge(self) -> Mapping[str, Tensor | SparseMatrix]:
        """The tensors of the edges, by name, in the adjacency's order."""
        return MappingProxyType(self._tensors["edge"])

    @property
    def graph(self) -> Mapping[str, Tensor | SparseMatrix]:
        """The tensors of the graphs, by name: a row for each graph of a batch."""
        return MappingProxyType(self._tensors["graph"])

    @property
    def num_nodes(self) -> int:
        return self.adj.num_nodes

    @property
    def num_edges(self) -> int:
        return self.adj.num_edges

    @property
    def num_graphs(self) -> int:
        return self.ptr.shape[0] - 1

    @property
    def device(self) -> torch.device:
        return self.adj.device

    @property
    @kept
    def graph_id(self) -> Int[Tensor, " n"]:
        """The graph of each node."""
        return self.members.row_of.long()

    @property
    @kept
    def members(self) -> Pattern:
        """Rows are graphs, columns nodes: what a readout reduces over."""
        dtype = self.adj.pattern.indptr.dtype
        nodes = torch.arange(self.num_nodes, dtype=dtype, device=self.device)
        return Pattern.trusted(self.ptr.to(dtype), nodes, self.num_nodes)

    def __repr__(self) -> str:
        several = f"{self.num_graphs} graphs, " if self.num_graphs != 1 else ""
        parts = [f"{several}{self.num_nodes} nodes, {self.num_edges} edges"]
        for level, held in self._tensors.items():
            if held:
                parts.append(f"{level}: " + ", ".join(f"{name} {_shape(tensor)}" for name, tensor in held.items()))
        return f"Graph({'; '.join(parts)})"


def as_adjacency(
    edges: Adjacency | Graph | Int[Tensor, "2 e"], num_src: int | None = None, num_dst: int | None = None
) -> Adjacency:
    """What a layer makes of its `adj`: an Adjacency or a Graph as it is, an `edge_index` checked and sorted each time.

    Raises:
        InputError: if the numbers of sources and targets are given and are not those of the adjacency.

    >>> as_adjacency(torch.tensor([[0, 1], [1, 0]]), num_src=3, num_dst=3)
    Adjacency(3 nodes, 2 edges)
    """
    if isinstance(edges, Tensor):
        check((num_src is None) == (num_dst is None), "an edge_index goes with both num_src and num_dst, or neither")
        size = None if num_src is None or num_dst is None else (num_src, num_dst)
        return Adjacency(edges, size=size)
    adj = edges.adj if isinstance(edges, Graph) else edges
    if not isinstance(adj, Adjacency):
        raise InputError(f"edges must be an Adjacency, a Graph or an edge_index tensor, got {type(adj).__name__}")
    for what, size, expected in (("sources", adj.num_src, num_src), ("targets", adj.num_dst, num_dst)):
        if expected is not None and size != expected:
            raise InputError(f"{adj} takes features of {size} {what}, got {expected} rows")
    return adj


def _declared(named: Mapping[str, Any], node: Given | None, edge: Given | None, graph: Given | None) -> Tensors:
    tensors = by_level(named, {"node": node, "edge": edge, "graph": graph})
    for name in {**tensors["node"], **tensors["edge"], **tensors["graph"]}:
        is_taken = hasattr(Graph, name) or name in Graph.__annotations__
        check(not is_taken, f"{name} is an attribute of every Graph: give the tensor another name")
    return tensors


def _adjacency(edges: Any, num_nodes: int | None, node: Mapping[str, Tensor | SparseMatrix]) -> Adjacency:
    if isinstance(edges, Adjacency):
        check(edges.is_square, f"the edges of a Graph join nodes of one set, got {edges}")
        fits = num_nodes is None or num_nodes == edges.num_nodes
        check(fits, f"num_nodes is {num_nodes}, the adjacency has {edges.num_nodes} nodes")
        return edges
    for name, tensor in node.items():
        if num_nodes is None:
            check(len(tensor.shape) > 0, f"{name} must have a row for each node, got a scalar")
            num_nodes = tensor.shape[0]
    return Adjacency(edges, num_nodes)


def _shape(tensor: Tensor | SparseMatrix) -> str:
    return f"{'sparse ' if isinstance(tensor, SparseMatrix) else ''}{list(tensor.shape)}"
