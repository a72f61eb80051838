"""Pairs of nodes that no edge joins, drawn at random: what link prediction is to tell from the edges.

An edge j -> i is kept as the key j * num_dst + i; the keys are sorted, so that a pair is looked up in log2(e) steps.
"""

from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.graph.adjacency import Adjacency
from grapevine.ops.pattern import check_bounds

_ROUNDS = 20  # of drawing and throwing away, before what is left is drawn from a list of all that could be
_MOST_LISTED = 2**27  # pairs in such a list: a gigabyte


class EdgeSet:
    """The edges of an adjacency as a set, on its device: asks whether a pair is joined. Repeated edges count once.

    A symmetric adjacency is undirected here: `sample_non_edges` then draws each unordered pair at most once.

    >>> edges = EdgeSet(Adjacency([[0, 1], [1, 2]]))
    >>> edges
    EdgeSet(3 nodes, 2 directed edges)
    >>> edges.contains(torch.tensor([[0, 1, 1], [1, 0, 2]])).tolist()
    [True, False, True]
    """

    def __init__(self, adj: Adjacency):
        check(isinstance(adj, Adjacency), f"an EdgeSet is made of an Adjacency, got {type(adj).__name__}")
        by_source = adj.pattern.transposed  # sorted by source, then by target: the keys come out sorted
        self.adj = adj
        self.keys = (by_source.row_of.long() * adj.num_dst + by_source.indices).unique_consecutive()

    @cached_property
    def is_directed(self) -> bool:
        """Whether some edge has no edge back; of two sets of nodes it always is."""
        if not self.adj.is_square:
            return True
        by_target = self.adj.pattern.transposed.transposed  # sorted by target, then by source: no lookups are needed
        turned = (by_target.row_of.long() * self.adj.num_dst + by_target.indices).unique_consecutive()
        return not torch.equal(turned, self.keys)

    @property
    def pairs(self) -> Int[Tensor, "2 e"]:
        """Every edge once, sorted by source and then by target."""
        return self._pairs_of(self.keys)

    @property
    def num_pairs(self) -> int:
        """How many pairs there could be: all but those of a node with itself, unordered ones where undirected."""
        num_src, num_dst = self.adj.num_src, self.adj.num_dst
        ordered = num_src * (num_dst - 1 if self.adj.is_square else num_dst)
        return ordered if self.is_directed else ordered // 2

    @cached_property
    def num_joined(self) -> int:
        """How many of these are edges."""
        num_loops = int((self.pairs[0] == self.pairs[1]).sum()) if self.adj.is_square else 0
        num_ordered = len(self.keys) - num_loops
        return num_ordered if self.is_directed else num_ordered // 2

    def contains(self, pairs: Int[Tensor, "2 k"]) -> Bool[Tensor, " k"]:
        """Whether each pair, source in row 0, is an edge.

        Raises:
            InputError: if a node is none of the adjacency's.
        """
        check_tensor("pairs", pairs, ndim=2, dtypes=(torch.int64, torch.int32))
        check(pairs.shape[0] == 2, f"pairs must have shape [2, k], sources in row 0, got {tuple(pairs.shape)}")
        check_bounds("the sources, pairs[0],", pairs[0], self.adj.num_src, "source nodes")
        check_bounds("the targets, pairs[1],", pairs[1], self.adj.num_dst, "target nodes")
        return self.contains_keys(pairs[0].long() * self.adj.num_dst + pairs[1])

    def contains_keys(self, keys: Int[Tensor, " k"]) -> Bool[Tensor, " k"]:
        """Whether each source * num_dst + target is an edge; the keys are trusted to be of pairs."""
        if len(self.keys) == 0:
            return torch.zeros_like(keys, dtype=torch.bool)
        place = torch.searchsorted(self.keys, keys).clamp_(max=len(self.keys) - 1)
        return self.keys[place] == keys

    def _pairs_of(self, keys: Tensor) -> Tensor:
        num_dst = max(self.adj.num_dst, 1)
        return torch.stack([keys // num_dst, keys % num_dst])

    def _may_be_drawn(self, keys: Tensor) -> Tensor:
        """Which of these pairs are no edges and no loops."""
        src, dst = self._pairs_of(keys)
        free = ~self.contains_keys(keys)
        return free & (src != dst) if self.adj.is_square else free

    def __repr__(self) -> str:
        nodes = self.adj.num_dst if self.adj.is_square else f"{self.adj.num_src} -> {self.adj.num_dst}"
        return f"EdgeSet({nodes} nodes, {self.num_joined} {'directed' if self.is_directed else 'undirected'} edges)"


def sample_non_edges(
    edges: EdgeSet,
    count: int,
    *,
    generator: torch.Generator,
    sources: Int[Tensor, " k"] | None = None,
    target_weights: Float[Tensor, " num_dst"] | None = None,
) -> Int[Tensor, "2 count"]:
    """`count` pairs that are no edges and join no node to itself, in random order.

    Without `sources` the pairs are distinct, and of an undirected graph each unordered pair comes at most once; the
    sources are uniform. With `sources` pair k starts at sources[k], its target is drawn among the nodes that this
    source has no edge to, and a pair can come twice.

    Args:
        count: how many; with `sources` their number.
        generator: on the device of the edges; the same state draws the same pairs.
        target_weights: how likely each target is, up to a factor; uniform by default. Those of 0 are never drawn.

    Raises:
        InputError: if there are not so many such pairs, or a source is joined to every target it could have.

    >>> edges = EdgeSet(Adjacency([[0, 1, 1, 2, 2, 3], [1, 0, 2, 1, 3, 2]]))  # a path of four nodes
    >>> pairs = sample_non_edges(edges, 3, generator=torch.Generator().manual_seed(0))
    >>> sorted(sorted(pair) for pair in pairs.T.tolist())
    [[0, 2], [0, 3], [1, 3]]
    """
    check(count >= 0, f"count must not be negative, got {count}")
    if target_weights is not None:
        _check_weights(target_weights, edges.adj.num_dst)
    if count == 0:
        return torch.empty(2, 0, dtype=torch.int64, device=edges.adj.device)
    if sources is not None:
        check_tensor("sources", sources, ndim=1, dtypes=(torch.int64, torch.int32))
        check(len(sources) == count, f"count must be the number of sources, {len(sources)}, got {count}")
        check_bounds("sources", sources, edges.adj.num_src, "source nodes")
        return torch.stack([sources.long(), _targets_for(edges, sources.long(), target_weights, generator)])
    free = edges.num_pairs - edges.num_joined
    check(count <= free, f"the graph is too dense: {count} pairs without an edge are asked for, there are {free}")
    # Where most draws would be thrown away, a list of all pairs is no larger than the edges and what is asked for.
    if 4 * (edges.num_joined + count) > edges.num_pairs:
        return edges._pairs_of(_from_list(edges, count, target_weights, generator))
    return edges._pairs_of(_by_rejection(edges, count, target_weights, generator))


def _by_rejection(edges: EdgeSet, count: int, weights: Tensor | None, generator: torch.Generator) -> Tensor:
    """[count] keys, the first distinct ones of a row of draws."""
    adj, kept = edges.adj, edges.keys.new_empty(0)
    for _ in range(_ROUNDS):
        size = (count - len(kept)) * 5 // 4 + 16
        src = torch.randint(adj.num_src, (size,), generator=generator, device=adj.device)
        keys = src * adj.num_dst + _draw_targets(size, adj, weights, generator)
        kept = torch.cat([kept, keys[edges._may_be_drawn(keys)]])
        kept = kept[_first_of_each(_unordered(edges, kept))][:count]
        if len(kept) == count:
            return kept
    return _from_list(edges, count, weights, generator)  # weights that favour what is joined already


def _from_list(edges: EdgeSet, count: int, weights: Tensor | None, generator: torch.Generator) -> Tensor:
    """[count] keys drawn without replacement from all that there are."""
    adj = edges.adj
    total = adj.num_src * adj.num_dst
    check(total <= _MOST_LISTED, f"{count} pairs without an edge can not be drawn with these target_weights")
    keys = torch.arange(total, device=adj.device)
    keys = keys[edges._may_be_drawn(keys)]
    if weights is None:
        keys = keys[torch.randperm(len(keys), generator=generator, device=adj.device)]
    else:  # Efraimidis & Spirakis 2006: the largest log(u) / w come as if drawn one after the other
        weight = weights.double()[keys % adj.num_dst]
        keys, weight = keys[weight > 0], weight[weight > 0]
        uniform = torch.rand(len(keys), generator=generator, device=adj.device, dtype=torch.float64)
        keys = keys[(uniform.log() / weight).argsort(descending=True)]
    keys = keys[_first_of_each(_unordered(edges, keys))]
    check(len(keys) >= count, f"only {len(keys)} pairs without an edge have a target of weight > 0, not {count}")
    return keys[:count]


def _targets_for(edges: EdgeSet, sources: Tensor, weights: Tensor | None, generator: torch.Generator) -> Tensor:
    """[k] a target for each source, to which it has no edge."""
    adj = edges.adj
    targets = _draw_targets(len(sources), adj, weights, generator)
    wrong = (~edges._may_be_drawn(sources * adj.num_dst + targets)).nonzero().squeeze(1)
    for _ in range(_ROUNDS):
        if len(wrong) == 0:
            return targets
        again = _draw_targets(len(wrong), adj, weights, generator)
        targets[wrong] = again
        wrong = wrong[~edges._may_be_drawn(sources[wrong] * adj.num_dst + again)]
    likely = torch.ones(adj.num_dst, device=adj.device) if weights is None else weights
    for source in sources[wrong].unique().tolist():  # hubs: list what is left for them
        places = wrong[sources[wrong] == source]
        keys = source * adj.num_dst + torch.arange(adj.num_dst, device=adj.device)
        left = (edges._may_be_drawn(keys) & (likely > 0)).nonzero().squeeze(1)
        check(len(left) > 0, f"node {source} has an edge to every node that could be drawn for it")
        targets[places] = left[_draw(len(places), likely[left], generator)]
    return targets


def _draw_targets(count: int, adj: Adjacency, weights: Tensor | None, generator: torch.Generator) -> Tensor:
    if weights is None:
        return torch.randint(adj.num_dst, (count,), generator=generator, device=adj.device)
    return _draw(count, weights, generator)


def _draw(count: int, weights: Tensor, generator: torch.Generator) -> Tensor:
    """[count] places, each as likely as its weight; torch.multinomial stops at 2^24 of them."""
    ends = weights.double().cumsum(0)
    uniform = torch.rand(count, generator=generator, device=weights.device, dtype=torch.float64)
    last = int(weights.nonzero().max())  # u near 1 may round up to the end, behind which nothing has a weight
    return torch.searchsorted(ends, uniform * ends[-1], right=True).clamp_(max=last)


def _unordered(edges: EdgeSet, keys: Tensor) -> Tensor:
    """The same key for both directions of a pair, where the graph is undirected."""
    if edges.is_directed:
        return keys
    src, dst = edges._pairs_of(keys)
    return torch.minimum(src, dst) * edges.adj.num_dst + torch.maximum(src, dst)


def _first_of_each(keys: Tensor) -> Tensor:
    """The places, rising, at which a key comes for the first time."""
    by_key, order = keys.sort(stable=True)
    is_first = torch.ones_like(keys, dtype=torch.bool)
    is_first[1:] = by_key[1:] != by_key[:-1]
    return order[is_first].sort().values


def _check_weights(weights: Tensor, num_targets: int) -> None:
    check_tensor("target_weights", weights, ndim=1)
    check_rows("target_weights", weights, num_targets, "targets")
    if not bool((weights.isfinite() & (weights >= 0)).all()) or not bool((weights > 0).any()):
        raise InputError("target_weights must be finite, not negative and not all 0")
