"""A collection of graphs as one `Graph`, made at once: nodes by graph, edges sorted, no loop over graphs."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from grapevine.errors import check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.levels import Level, check_rows
from grapevine.graph.levels import Tensors as _Tensors


def collection(
    edge_index: Int[np.ndarray, "2 e"],
    sizes: Int[np.ndarray, " g"],
    *,
    node: Mapping[str, Tensor] | None = None,
    edge: Mapping[str, Tensor] | None = None,
    graph: Mapping[str, Tensor] | None = None,
) -> Graph:
    """The union of `g` graphs, as `Graph.batch` gives it: graph k owns the next `sizes[k]` nodes.

    Args:
        edge_index: node numbers of the union; no edge joins two graphs.
        sizes: how many nodes each graph has.
        node, edge, graph: tensors by level and name; those of the edges in the order of `edge_index`.

    Raises:
        InputError: if an edge joins two graphs or is out of range, or a tensor has another number of rows.

    >>> pair = collection(np.array([[0, 2], [1, 2]]), np.array([2, 1]), graph={"y": torch.tensor([0, 1])})
    >>> pair.unbatch()
    [Graph(2 nodes, 1 edges; graph: y [1]), Graph(1 nodes, 1 edges; graph: y [1])]
    """
    num_nodes = int(sizes.sum())
    owner = np.repeat(np.arange(len(sizes)), sizes)
    is_inside = edge_index.min(initial=0) >= 0 and edge_index.max(initial=-1) < num_nodes
    check(is_inside, f"edges must name nodes in 0 .. {num_nodes - 1}")
    of_edge = owner[edge_index]
    crossing = (of_edge[0] != of_edge[1]).nonzero()[0]
    check(len(crossing) == 0, f"edge {crossing[:1]} joins two graphs, and {len(crossing) - 1} more do")
    by_graph = np.argsort(of_edge[0], kind="stable")  # so that `edge_id` counts on from graph to graph
    adj = Adjacency(torch.from_numpy(np.ascontiguousarray(edge_index[:, by_graph])), num_nodes)
    order = torch.from_numpy(by_graph)[adj.edge_id]
    tensors: _Tensors = {
        "node": dict(node or {}),
        "edge": {name: tensor[order] for name, tensor in (edge or {}).items()},
        "graph": dict(graph or {}),
    }
    counts: dict[Level, int] = {"node": num_nodes, "edge": adj.num_edges, "graph": len(sizes)}
    check_rows(tensors, counts, adj.device)
    ptr = torch.from_numpy(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))
    return Graph._made(adj, tensors, ptr)
