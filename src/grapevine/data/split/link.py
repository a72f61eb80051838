"""Splits for link prediction: which edges carry messages, which are to be predicted, and the pairs without an edge.

An edge that is predicted carries no message in either direction, or the model would read the answer off the graph.
Kipf & Welling 2016, "Variational graph auto-encoders" (85/5/10 of the edges, as many non-edges).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from grapevine.data.split.by_time import cut_times
from grapevine.data.split.pairs import pair_of_edges
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency, Graph
from grapevine.graph.non_edges import EdgeSet, sample_non_edges
from grapevine.ops.pattern import Pattern

_TRAIN, _VAL, _TEST, _LOOP = 0, 1, 2, 3


@dataclass(frozen=True)
class LinkSplit:
    """What link prediction learns from and is judged by.

    Args:
        graph: what messages pass over in training; `graph.adj.edge_id` says which edge of the whole graph each is.
        val_graph, test_graph: the same in validation and in the test.
        pairs: by part (train, val, test), [2, k] pairs that an edge joins, source in row 0; of an undirected graph
            each edge once, smaller node first. No self-loops.
        negatives: by part (val, test), [2, k] pairs that no edge of the whole graph joins, drawn once.
        is_directed: whether a pair has a direction.
        time: the name of the edge tensor the split went by; None: it was drawn.
        times: by part, [k] when each pair was first joined; empty where the split was drawn.
    """

    graph: Graph
    val_graph: Graph
    test_graph: Graph
    pairs: Mapping[str, Int[Tensor, "2 k"]]
    negatives: Mapping[str, Int[Tensor, "2 k"]]
    is_directed: bool = False
    time: str | None = None
    times: Mapping[str, Shaped[Tensor, " k"]] = field(default_factory=dict)

    def __repr__(self) -> str:
        pairs = ", ".join(f"{found.shape[1]} {part}" for part, found in self.pairs.items())
        kind = "directed" if self.is_directed else "undirected"
        return f"LinkSplit({pairs} {kind} pairs; messages over {self.graph.num_edges} edges)"


def link_split(
    graph: Graph,
    *,
    val: float = 0.05,
    test: float = 0.10,
    seed: int = 0,
    disjoint_train: float = 0.0,
    val_edges_in_test: bool = False,
    time: str | None = None,
) -> LinkSplit:
    """Split the edges of a graph for link prediction, and draw as many pairs without an edge for val and test.

    The parts are drawn among unordered pairs of nodes: all edges that join two nodes, in either direction and however
    often, are in one part. The shares are those of the pairs. Self-loops carry messages and are never predicted. A
    symmetric graph is undirected, any other directed.

    Args:
        disjoint_train: the share of the training pairs that are predicted in training and carry no messages there;
            the others then only carry messages. 0: every training edge does both.
        val_edges_in_test: whether the edges of val carry messages in the test. False is the safe choice: a model
            chosen by them sees nothing in the test that it did not see in validation.
        time: the name of an edge tensor: the pairs first joined latest are the test, those before them val, with all
            of one time in one part; edges that are newer than the training pairs carry no messages (with
            val_edges_in_test: newer than val's). `seed` then draws only the non-edges and the disjoint pairs.

    Raises:
        InputError: if a share is wrong or leaves a part empty, the graph is too dense for so many non-edges, it is a
            batch of several, or it has no such time.

    >>> ring = Graph([[0, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 0], [1, 2, 3, 4, 5, 0, 0, 1, 2, 3, 4, 5]])
    >>> split = link_split(ring, val=0.2, test=0.4)
    >>> split
    LinkSplit(3 train, 1 val, 2 test undirected pairs; messages over 6 edges)
    >>> split.negatives["test"].shape
    torch.Size([2, 2])
    """
    _check(graph, val, test, disjoint_train)
    generator = torch.Generator().manual_seed(seed)
    edges = _Edges(graph.adj, *pair_of_edges(graph.adj))
    if time is None:
        part, when = _drawn_parts(edges, val, test, generator), None
        is_old = {name: torch.ones_like(edges.pair, dtype=torch.bool) for name in ("train", "val")}
    else:
        part, when, is_old = _timed_parts(edges, _time_of(graph, time), val, test)
    is_asked = _asked_in_training(part, disjoint_train, generator)
    carries = (part == _TRAIN) | (part == _LOOP)
    train_edges, val_edges = edges.of(carries) & is_old["train"], edges.of(part == _VAL) & is_old["val"]
    val_graph = with_edges(graph, train_edges)
    # Where test may hear val's edges, it also hears the later repeats of training edges, up to val's last time.
    heard = edges.of(carries) & is_old["val"] | val_edges
    asked = {"train": is_asked, "val": part == _VAL, "test": part == _TEST}
    edge_set = EdgeSet(graph.adj)
    found = {name: edges.asked(mask, is_directed=edge_set.is_directed) for name, mask in asked.items()}
    return LinkSplit(
        graph=with_edges(graph, train_edges & ~edges.of(is_asked)) if disjoint_train > 0 else val_graph,
        val_graph=val_graph,
        test_graph=with_edges(graph, heard) if val_edges_in_test else val_graph,
        pairs={name: pairs for name, (pairs, _) in found.items()},
        negatives=_negatives(edge_set, found["val"][0].shape[1], found["test"][0].shape[1], generator),
        is_directed=edge_set.is_directed,
        time=time,
        times={} if when is None else {name: when[pair] for name, (_, pair) in found.items()},
    )


def with_edges(graph: Graph, is_kept: Bool[Tensor, " e"]) -> Graph:
    """The graph with only these edges, in their order with their tensors, and all that is known of its nodes.

    >>> path = Graph([[0, 1, 2], [1, 2, 3]], edge_weight=torch.tensor([1.0, 2.0, 3.0]))
    >>> with_edges(path, path.edge_weight != 2).edge_weight.tolist()
    [1.0, 3.0]
    """
    indptr, src = graph.adj.pattern.indptr, graph.adj.pattern.indices
    before = torch.nn.functional.pad(is_kept.cumsum(0), (1, 0)).to(indptr.dtype)
    place = is_kept.nonzero().squeeze(1)
    adj = Adjacency.trusted(Pattern.trusted(before[indptr], src[is_kept], graph.num_nodes), place)
    edge = {name: tensor[place] for name, tensor in graph.edge.items() if isinstance(tensor, Tensor)}
    return Graph(adj, node=graph.node, edge=edge, graph=graph.graph)


class _Edges(NamedTuple):
    """The edges of a graph and the unordered pairs they join."""

    adj: Adjacency
    pair: Tensor  # [e] the pair of each edge
    pairs: Tensor  # [2, u]

    def of(self, is_chosen: Tensor) -> Tensor:
        """[e] the edges that join those pairs."""
        return is_chosen[self.pair]

    def asked(self, is_chosen: Tensor, *, is_directed: bool) -> tuple[Tensor, Tensor]:
        """[2, k] those pairs, directed as their edges are, and the number of the pair of each."""
        if not is_directed:
            chosen = is_chosen.nonzero().squeeze(1)
            return self.pairs[:, chosen], chosen
        chosen = self.of(is_chosen).nonzero().squeeze(1)
        ends, pair = self.adj.edge_index[:, chosen], self.pair[chosen]
        ways = (pair * 2 + (ends[0] > ends[1])).unique()  # a repeated edge is asked for once
        low, high = self.pairs[:, ways // 2]
        is_down = ways % 2 == 1
        return torch.stack([torch.where(is_down, high, low), torch.where(is_down, low, high)]), ways // 2


def _check(graph: Graph, val: float, test: float, disjoint_train: float) -> None:
    check(isinstance(graph, Graph), f"link_split takes a Graph, got {type(graph).__name__}")
    check(graph.num_graphs == 1, f"link_split takes one graph, got a batch of {graph.num_graphs}")
    check(graph.device.type == "cpu", f"link_split takes a graph on the cpu, got one on {graph.device}")
    fits = 0 <= val < 1 and 0 <= test < 1 and val + test < 1
    check(fits, f"val and test must be shares in [0, 1) with a sum below 1, got {val} and {test}")
    check(0 <= disjoint_train < 1, f"disjoint_train must be a share in [0, 1), got {disjoint_train}")


def _drawn_parts(edges: _Edges, val: float, test: float, generator: torch.Generator) -> Tensor:
    """[u] the part of each pair."""
    part = _all_train(edges)
    candidates = (part == _TRAIN).nonzero().squeeze(1)
    counts = {_VAL: int(val * len(candidates) + 1e-9), _TEST: int(test * len(candidates) + 1e-9)}
    for share, name in ((val, _VAL), (test, _TEST)):
        check(share == 0 or counts[name] > 0, f"a share of {share} of {len(candidates)} joined pairs is none")
    drawn = candidates[torch.randperm(len(candidates), generator=generator)]
    part[drawn[: counts[_VAL]]] = _VAL
    part[drawn[counts[_VAL] : counts[_VAL] + counts[_TEST]]] = _TEST
    return part


def _timed_parts(edges: _Edges, time: Tensor, val: float, test: float) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The part of each pair, when it was first joined, and which edges are as old as train's and as val's."""
    part, num_pairs = _all_train(edges), edges.pairs.shape[1]
    first = time.new_zeros(num_pairs).scatter_reduce(0, edges.pair, time, "amin", include_self=False)
    first_val, first_test = cut_times(first[part == _TRAIN], 1 - val - test, val)
    is_pair = part == _TRAIN
    part[is_pair & (first >= first_val)] = _VAL
    part[is_pair & (first >= first_test)] = _TEST
    is_old = {"train": time < min(first_val, first_test), "val": time < first_test}
    return part, first, is_old


def _all_train(edges: _Edges) -> Tensor:
    is_loop = edges.pairs[0] == edges.pairs[1]
    check(not bool(is_loop.all()), "the graph has no edge to predict: none joins two different nodes")
    return torch.where(is_loop, _LOOP, _TRAIN)


def _time_of(graph: Graph, name: str) -> Tensor:
    held = graph.edge.get(name)
    if not isinstance(held, Tensor):
        raise InputError(f"the graph has no edge tensor {name!r} to split by, it has {', '.join(graph.edge) or 'none'}")
    check(held.ndim == 1, f"{name} must have one time an edge, got shape {tuple(held.shape)}")
    check(not bool(held.isnan().any()), f"{name} must be known for every edge, {int(held.isnan().sum())} are NaN")
    return held


def _asked_in_training(part: Tensor, disjoint: float, generator: torch.Generator) -> Tensor:
    """[u] the pairs that are predicted in training."""
    is_train = part == _TRAIN
    if disjoint == 0:
        return is_train
    candidates = is_train.nonzero().squeeze(1)
    count = int(disjoint * len(candidates) + 1e-9)
    check(count > 0, f"a disjoint_train of {disjoint} of {len(candidates)} training pairs is none")
    chosen = candidates[torch.randperm(len(candidates), generator=generator)[:count]]
    return torch.zeros_like(is_train).index_fill(0, chosen, True)


def _negatives(edge_set: EdgeSet, num_val: int, num_test: int, generator: torch.Generator) -> dict[str, Tensor]:
    """All drawn at once, so that val and test share none."""
    drawn = sample_non_edges(edge_set, num_val + num_test, generator=generator)
    return {"val": drawn[:, :num_val], "test": drawn[:, num_val:]}
