"""A virtual node: one more node in each graph, joined to all others, so that any two are two steps apart.

E' = E + { v -> i, i -> v  for every node i }

Gilmer, Schoenholz, Riley, Vinyals & Dahl 2017, "Neural message passing for quantum chemistry" (the master node); Hu,
Fey, Ren, Nakata, Dong & Leskovec 2021, "OGB-LSC", whose networks keep its state apart from the graph. That is
`grapevine.nn.VirtualNode`, with which no readout and no split ever meets a node that is none.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.levels import Tensors
from grapevine.ops.pattern import Pattern
from grapevine.ops.sparse import SparseMatrix
from grapevine.rewire.rewiring import NEW, Rewiring

VIRTUAL = "is_virtual"


@dataclass(frozen=True)
class VirtualNode(Rewiring):
    """Give each graph a last node that all others are joined to (Gilmer et al. 2017).

    Its tensors are zeros, and the node tensor `is_virtual` says which it is. A readout over all nodes reads it too.

    Raises:
        InputError: if nodes are what is to be answered or split, so that one more would be counted among them, or
            they have places, as atoms do; and for a graph that has a virtual node already.

    >>> graph = Graph([[0], [1]], x=torch.ones(2, 3), graph={"y": torch.tensor([1])})
    >>> VirtualNode()(Graph.batch([graph, graph])).is_virtual.tolist()
    [False, False, True, False, False, True]
    """

    name: ClassVar[str] = "virtual-node"

    def __call__(self, graph: Graph) -> Graph:
        check(isinstance(graph, Graph), f"a rewiring is called with a Graph, got {type(graph).__name__}")
        _check_fits(graph)
        sizes = graph.ptr.diff()
        nodes = torch.arange(graph.num_nodes, device=graph.device) + graph.graph_id  # where each one stands now
        ptr = torch.cat([graph.ptr.new_zeros(1), (sizes + 1).cumsum(0)])
        hub = ptr[1:] - 1
        to = hub[graph.graph_id]
        edges = torch.cat([nodes[graph.adj.edge_index], torch.stack([nodes, to]), torch.stack([to, nodes])], 1)
        adj = Adjacency(edges, int(ptr[-1]))
        node = {name: _spread(tensor, nodes, adj.num_nodes) for name, tensor in graph.node.items()}
        is_virtual = torch.zeros(adj.num_nodes, dtype=torch.bool, device=graph.device)
        is_virtual[hub] = True
        node[VIRTUAL] = is_virtual
        held = self._edge(graph)
        edge = {name: _extended(tensor, name, 2 * len(nodes))[adj.edge_id] for name, tensor in held.items()}
        tensors: Tensors = {"node": node, "edge": dict(edge), "graph": dict(graph.graph)}
        return Graph._made(Adjacency.trusted(adj.pattern), tensors, ptr)

    def _edge(self, graph: Graph) -> dict[str, Any]:
        held: dict[str, Any] = dict(graph.edge)
        if self.mark:
            held.setdefault(NEW, torch.zeros(graph.num_edges, dtype=torch.bool, device=graph.device))
        return held


def _check_fits(graph: Graph) -> None:
    instead = "use grapevine.nn.VirtualNode, which keeps the virtual node's state outside the graph"
    for name in ("y", "train_mask", "val_mask", "test_mask"):
        check(name not in graph.node, f"a virtual node would be counted among the nodes that {name} is of: {instead}")
    for name in ("pos", "z", "forces"):
        check(name not in graph.node, f"a virtual node has no {name}: {instead}")
    check(VIRTUAL not in graph.node, "this graph has a virtual node already")


def _spread(tensor: Tensor | SparseMatrix, nodes: Tensor, num_nodes: int) -> Tensor | SparseMatrix:
    """The rows where the nodes stand now, zeros elsewhere."""
    if isinstance(tensor, SparseMatrix):
        counts = tensor.pattern.indptr.diff()
        indptr = counts.new_zeros(num_nodes + 1)
        indptr[1:][nodes] = counts
        indptr = indptr.cumsum(0).to(tensor.pattern.indptr.dtype)
        values = tensor.values if tensor.pattern.entry is None else tensor.values[tensor.pattern.entry.long()]
        return SparseMatrix(Pattern(indptr, tensor.pattern.indices, tensor.shape[1]), values)
    out = tensor.new_zeros(num_nodes, *tensor.shape[1:])
    out[nodes] = tensor
    return out


def _extended(tensor: Tensor, name: str, count: int) -> Tensor:
    new = tensor.new_zeros(count, *tensor.shape[1:])
    return torch.cat([tensor, new + 1 if name == "edge_weight" else new | True if name == NEW else new])
