"""Stochastic discrete Ricci flow: support the edge of lowest curvature, loosen the one of highest, again and again.

In each step, with B the balanced Forman curvature:
    i ~ j  the edge of the lowest B;  of the strangers k in {i} + N(i), l in {j} + N(j) one pair is joined, drawn with
           probabilities softmax(temperature (B(i, j) with k ~ l - B(i, j)));
    the edge of the highest B is removed, if that is above `bound`.

Topping, Di Giovanni, Chamberlain, Dong & Bronstein 2022, "Understanding over-squashing and bottlenecks on graphs via
curvature". A step changes B only near the two edges, and only there it is computed anew.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from grapevine.errors import check
from grapevine.graph.measures.undirected import Undirected
from grapevine.ops.runtime.kernel import kernel
from grapevine.rewire.lists import drop_edge, has_edge, neighbour_lists, place_edge
from grapevine.rewire.rewiring import Change, PairRewiring


@dataclass(frozen=True)
class SDRF(PairRewiring):
    """So many steps of the flow on each graph (Topping et al. 2022).

    A step that finds nothing to add, all near its edge being neighbours already, passes to the edge of the next lowest
    curvature; where there is none the flow ends.

    Args:
        num_steps: edges added. The paper tunes all three for each data set: for Cora 100, 163 and 0.95.
        temperature: the higher, the surer is the best pair drawn; "inf" always takes the best.
        bound: above it an edge is removed; "inf" removes none.
        seed: of the draws.

    >>> from grapevine.graph import Graph
    >>> two_triangles_and_a_bridge = Graph([[0, 1, 2, 3, 4, 5, 2], [1, 2, 0, 4, 5, 3, 3]])
    >>> SDRF(1, bound=10.0)(two_triangles_and_a_bridge).num_edges
    9
    """

    name: ClassVar[str] = "sdrf"
    num_steps: int = 100
    temperature: float = 163.0
    bound: float = 0.95
    seed: int = 0

    def __post_init__(self):
        check(self.num_steps >= 0, f"num_steps must not be negative, got {self.num_steps}")
        check(self.temperature > 0, f"temperature must be positive, got {self.temperature}")

    def change(self, graph: Undirected, number: int) -> Change:
        draws = np.random.default_rng([self.seed, number]).random(self.num_steps)
        ends = np.empty((2, graph.num_pairs + self.num_steps), np.int64)
        ends[0, : graph.num_pairs], ends[1, : graph.num_pairs] = graph.low, graph.high
        lists = neighbour_lists(graph, self.num_steps)
        count = _flow(lists, ends, graph.num_pairs, draws, self.temperature, self.bound)
        before, after = (_keys(pairs, graph.num_nodes) for pairs in (ends_of(graph), ends[:, :count]))
        added, removed = np.setdiff1d(after, before), np.setdiff1d(before, after)
        return Change(*(np.stack(np.divmod(keys, max(graph.num_nodes, 1))) for keys in (added, removed)))


def ends_of(graph: Undirected) -> np.ndarray:
    """[2, m] the pairs of neighbours."""
    return np.stack([graph.low, graph.high])


def _keys(pairs: np.ndarray, num_nodes: int) -> np.ndarray:
    return pairs[0] * num_nodes + pairs[1]


@kernel
def _flow(lists, ends, count, draws, temperature, bound):
    """The number of edges in the end, which stand in the first columns of `ends`, the smaller node first."""
    n = lists[0].shape[0]
    mark = np.zeros(n, np.int8)
    curvature = np.empty(ends.shape[1])
    for e in range(count):
        curvature[e] = _curvature(lists, ends[0, e], ends[1, e], mark)
    for draw in draws:
        e = _support(lists, ends, count, curvature, draw, temperature, mark)
        if e < 0:
            break
        count += 1
        _renew(lists, ends, count, ends[0, count - 1], ends[1, count - 1], curvature, mark)
        highest = np.argmax(curvature[:count])
        if curvature[highest] > bound:
            i, j = ends[0, highest], ends[1, highest]
            drop_edge(lists, i, j)
            count -= 1
            for row in range(2):
                ends[row, highest] = ends[row, count]
            curvature[highest] = curvature[count]
            _renew(lists, ends, count, i, j, curvature, mark)
    return count


@kernel
def _support(lists, ends, count, curvature, draw, temperature, mark):
    """Join two nodes near the edge of the lowest curvature that has strangers near it, as the new last pair."""
    order = np.argsort(curvature[:count], kind="mergesort")
    for e in order:
        i, j = ends[0, e], ends[1, e]
        pairs, gains = _candidates(lists, i, j, curvature[e], mark)
        if gains.shape[0] == 0:
            continue
        chosen = np.argmax(gains)
        if temperature < np.inf:
            weight = np.exp(temperature * (gains - gains[chosen]))
            chosen = min(np.searchsorted(np.cumsum(weight), draw * weight.sum(), side="right"), gains.shape[0] - 1)
        a, b = pairs[0, chosen], pairs[1, chosen]
        place_edge(lists, a, b)
        ends[0, count], ends[1, count] = min(a, b), max(a, b)
        return e
    return -1


@kernel
def _candidates(lists, i, j, before, mark):
    """The strangers near the two ends of an edge, and what its curvature gains from each pair."""
    near_i, near_j = _ball(lists, i), _ball(lists, j)
    pairs = np.empty((2, near_i.shape[0] * near_j.shape[0]), np.int64)
    gains = np.empty(pairs.shape[1])
    found = 0
    for a in near_i:
        for b in near_j:
            is_second = a > b and _is_in(near_i, b) and _is_in(near_j, a)  # the pair comes turned round too
            if a != b and not is_second and not has_edge(lists, a, b):
                place_edge(lists, a, b)
                gains[found] = _curvature(lists, i, j, mark) - before
                drop_edge(lists, a, b)
                pairs[0, found], pairs[1, found] = a, b
                found += 1
    return pairs[:, :found], gains[:found]


@kernel
def _is_in(ball, node):
    if ball[0] == node:
        return True
    p = np.searchsorted(ball[1:], node) + 1
    return p < ball.shape[0] and ball[p] == node


@kernel
def _ball(lists, i):
    """The node and its neighbours."""
    start, length, _, pool, _ = lists
    near = np.empty(length[i] + 1, np.int64)
    near[0] = i
    near[1:] = pool[start[i] : start[i] + length[i]]
    near[1:].sort()
    return near


@kernel
def _renew(lists, ends, count, a, b, curvature, mark):
    """The curvature of all that an edge between a and b has a part in: edges of a or b, and those between neighbours.

    B(i, j) depends on the edges between i, j and their neighbours alone, and of those among the neighbours only on
    the ones that lead from a neighbour of i to one of j.
    """
    near = np.zeros(lists[0].shape[0], np.int8)
    for node in _ball(lists, a):
        near[node] |= 1
    for node in _ball(lists, b):
        near[node] |= 2
    for e in range(count):
        i, j = ends[0, e], ends[1, e]
        touches = i in (a, b) or j in (a, b)
        if touches or (near[i] & 1 and near[j] & 2) or (near[i] & 2 and near[j] & 1):
            curvature[e] = _curvature(lists, i, j, mark)


@kernel
def _curvature(lists, i, j, mark):
    """Balanced Forman, as `grapevine.graph.measures.balanced_forman` defines it; `mark` is all 0 before and after."""
    start, length, _, pool, _ = lists
    small, large = min(length[i], length[j]), max(length[i], length[j])
    if small <= 1:
        return 0.0
    for p in range(start[i], start[i] + length[i]):
        mark[pool[p]] |= 1
    for p in range(start[j], start[j] + length[j]):
        mark[pool[p]] |= 2
    triangles = 0
    for p in range(start[i], start[i] + length[i]):
        triangles += mark[pool[p]] == 3
    squares_i, most_i = _squares(lists, i, j, 1, mark)
    squares_j, most_j = _squares(lists, j, i, 2, mark)
    for node in (i, j):
        for p in range(start[node], start[node] + length[node]):
            mark[pool[p]] = 0
    curvature = 2.0 / small + 2.0 / large - 2.0 + 2.0 * triangles / large + 1.0 * triangles / small
    if squares_i > 0:
        curvature += (squares_i + squares_j) / (1.0 * max(most_i, most_j) * large)
    return curvature


@kernel
def _squares(lists, i, j, own, mark):
    """How many neighbours of i alone a path of two steps leads from to j, and the most such paths of one of them."""
    start, length, _, pool, _ = lists
    count, most = 0, 0
    for p in range(start[i], start[i] + length[i]):
        k = pool[p]
        if k == j or mark[k] != own:
            continue
        paths = 0
        for q in range(start[k], start[k] + length[k]):
            w = pool[q]
            paths += w != i and mark[w] == 3 - own
        count += paths > 0
        most = max(most, paths)
    return count, most
