"""Fingerprints that do not depend on how nodes are numbered: 1-WL colours of nodes, and of graphs their multiset.

c_i <- mix(c_i, sum over j -> i of mix(c_j, e_ji), sum over i -> j of mix'(c_j, e_ij)),   graph = mix(sum_i mix(c_i))

in integers modulo 2^64, where sums of mixed values stand for multisets. Weisfeiler & Leman 1968; Shervashidze et al.
2011, "Weisfeiler-Lehman graph kernels". Equal graphs have equal hashes. Equal hashes mean (but for a collision, of
probability 2^-64 a pair) that 1-WL does not tell the graphs apart in these rounds, not that they are isomorphic.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph.graph import Graph
from grapevine.ops.sparse import SparseMatrix

# Odd constants of splitmix64 (Steele, Lea & Flood 2014) as signed numbers, and salts that keep roles apart.
_FIRST, _SECOND, _GOLDEN = (c - 2**64 for c in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15))
_IN, _OUT, _SELF, _SIZE = 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179, 0x3C6EF372FE94F82B, 0x510E527FADE682D1
_CHUNK = 2**22  # numbers of a dense tensor that are hashed at once


def graph_hash(
    graph: Graph, *, rounds: int = 3, node: Sequence[str] | None = None, edge: Sequence[str] = ()
) -> Int[Tensor, " g"]:
    """The 1-WL hash of each graph of a batch: the same for graphs that differ in nothing but their nodes' order.

    Args:
        rounds: how far a node's colour sees.
        node: the node tensors that colour the nodes at the start; by default those of x and z that there are.
        edge: the edge tensors that count too; by default none.

    Raises:
        InputError: for a negative number of rounds or a tensor that the graph does not hold.

    >>> star, path = Graph([[0, 1, 0, 2, 0, 3], [1, 0, 2, 0, 3, 0]]), Graph([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]])
    >>> turned = Graph([[3, 1, 3, 2, 3, 0], [1, 3, 2, 3, 0, 3]])
    >>> a, b, c = graph_hash(Graph.batch([star, path, turned])).tolist()
    >>> a == c, a == b
    (True, False)
    """
    colors = wl_colors(graph, rounds=rounds, node=node, edge=edge)
    total = torch.zeros(graph.num_graphs, dtype=torch.int64, device=graph.device)
    total.index_add_(0, graph.graph_id, mix(colors + _SELF))
    return mix(total + mix(graph.ptr.diff() + _SIZE))


def wl_colors(
    graph: Graph, *, rounds: int = 3, node: Sequence[str] | None = None, edge: Sequence[str] = ()
) -> Int[Tensor, " n"]:
    """The 1-WL colour of each node as a 64-bit hash; arguments and errors as of `graph_hash`.

    >>> ends = wl_colors(Graph([[0, 1, 1, 2], [1, 0, 2, 1]]))
    >>> (ends[0] == ends[2]).item(), (ends[0] == ends[1]).item()
    (True, False)
    """
    check(rounds >= 0, f"rounds must not be negative, got {rounds}")
    names = [name for name in ("x", "z") if name in graph.node] if node is None else node
    adj = graph.adj
    color = _start(graph, "node", names)
    label = _start(graph, "edge", edge)
    for _ in range(rounds):
        heard = torch.zeros_like(color)
        heard.index_add_(0, adj.dst, mix(mix(color + _IN)[adj.src] + label))
        heard.index_add_(0, adj.src, mix(mix(color + _OUT)[adj.dst] + label))
        color = mix(mix(color + _SELF) + heard)
    return color


def hash_rows(rows: Shaped[Tensor, "n *c"] | SparseMatrix) -> Int[Tensor, " n"]:
    """[n] a hash of each row's numbers; rows of zeros have 0, and a sparse row the hash of the same dense one.

    >>> a, b, c, d = hash_rows(torch.tensor([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [0.0, 0.0]])).tolist()
    >>> a == c, a == b, d
    (True, False, 0)
    """
    if isinstance(rows, SparseMatrix):
        values = rows.values.detach()
        values = values if rows.pattern.entry is None else values[rows.pattern.entry]
        hashes = torch.zeros(len(rows), dtype=torch.int64, device=rows.device)
        return hashes.index_add_(0, rows.pattern.row_of.long(), _entries(values, rows.pattern.indices.long()))
    if rows.numel() == 0:
        return torch.zeros(rows.shape[0], dtype=torch.int64, device=rows.device)
    flat = rows.detach().reshape(rows.shape[0], -1)
    columns = torch.arange(flat.shape[1], device=flat.device)
    parts = flat.split(max(_CHUNK // flat.shape[1], 1))
    return torch.cat([_entries(part, columns).sum(1) for part in parts])


def mix(keys: Int[Tensor, "*any"]) -> Int[Tensor, "*any"]:
    """Each integer's bits well mixed, one to one: the finaliser of splitmix64.

    >>> mix(torch.tensor([0, 1])).tolist()
    [0, 6238072747940578789]
    """
    keys = (keys ^ (keys >> 30 & (1 << 34) - 1)) * _FIRST
    keys = (keys ^ (keys >> 27 & (1 << 37) - 1)) * _SECOND
    return keys ^ (keys >> 31 & (1 << 33) - 1)


def _entries(values: Tensor, columns: Tensor) -> Tensor:
    """The hash of each number in its column; 0 of 0."""
    if values.is_floating_point():
        wide = values.double() + 0.0  # one zero, not two
        bits = torch.where(wide.isnan(), torch.full_like(wide, float("nan")), wide).view(torch.int64)
    else:
        bits = values.long()
    return torch.where(bits == 0, 0, mix(mix(bits) + mix((columns + 1) * _GOLDEN)))


def _start(graph: Graph, level: str, names: Sequence[str]) -> Tensor:
    """What is known of each node or edge before the first round."""
    held = graph.node if level == "node" else graph.edge
    count = graph.num_nodes if level == "node" else graph.num_edges
    label = torch.zeros(count, dtype=torch.int64, device=graph.device)
    for k, name in enumerate(names, start=1):
        if name not in held:
            raise InputError(f"the graph holds no {level} tensor {name!r}, it holds {', '.join(held) or 'none'}")
        label = mix(label + mix(hash_rows(held[name]) + k))
    return label
