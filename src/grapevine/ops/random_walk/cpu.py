"""Probabilities of random walks on the processor, one start after another: only nodes that are reached are touched.

A walk's probabilities lie in an array of all nodes, of which a list says where it is not zero: a node of a large graph
costs what its surroundings cost. Small graphs of a batch are blocks of nodes that no edge leaves: there the walks from
all nodes of a block go side by side, a lane each.
"""

from typing import TypeAlias

import numpy as np

from grapevine.ops.runtime.kernel import kernel, lean
from grapevine.ops.runtime.parallel import share_rows

_LANES = 64  # nodes of a small block: both arrays of its walks stay in the second-level cache
View: TypeAlias = tuple[np.ndarray, np.ndarray]


def returns(
    rows: View, num_steps: int, is_symmetric: bool, most_work: int, num_walks: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """[n, k] the probabilities, and [n] how many of each row are exact."""
    indptr, indices = rows
    n = len(indptr) - 1
    out, num_exact = np.zeros((n, num_steps)), np.full(n, num_steps)
    most = most_work // max(n, 1)
    work = len(indices) * num_steps * 16
    degree = _out_degree(rows)
    if is_symmetric:
        starts, is_small = _blocks(indptr, indices, most // ((num_steps + 1) // 2))
        share_rows(_small_returns, len(is_small), starts, is_small, indptr, indices, out, work=work)
        large = np.flatnonzero(~np.repeat(is_small, np.diff(starts)))
        share_rows(_returns, len(large), large, indptr, indices, most, out, num_exact, work=work)
    else:
        share_rows(_walks_to, n, indptr, indices, degree, most, num_steps, out, None, num_exact, work=work)
    nodes = np.flatnonzero(num_exact < num_steps)
    if len(nodes):
        if not is_symmetric:
            indptr, indices = _turned(rows, degree)
        draw = _meet if is_symmetric else _return
        told = nodes, indptr, indices, num_walks, np.uint64(seed % 2**64), num_exact, out
        share_rows(draw, len(nodes), *told, work=len(nodes) * num_walks * num_steps * 8)
    return out, num_exact


def arrivals(rows: View, num_steps: int) -> np.ndarray:
    """[e, k] from the source of each entry to its target."""
    indptr, indices = rows
    n = len(indptr) - 1
    out = np.zeros((len(indices), num_steps))
    limit, work = np.iinfo(np.int64).max, len(indices) * num_steps * 16
    told = indptr, indices, _out_degree(rows), limit, num_steps, None, out, np.empty(n, np.int64)
    share_rows(_walks_to, n, *told, work=work)
    return out


def _out_degree(rows: View) -> np.ndarray:
    return np.bincount(rows[1], minlength=len(rows[0]) - 1)


def _turned(rows: View, degree: np.ndarray) -> View:
    """The targets of each source."""
    targets = np.repeat(np.arange(len(rows[0]) - 1), np.diff(rows[0]))
    return np.concatenate([np.zeros(1, np.int64), degree.cumsum()]), targets[np.argsort(rows[1], kind="stable")]


@kernel
def _blocks(indptr, indices, most):
    """Where each run of nodes begins that no edge of a symmetric pattern leaves, the end too; and which are small."""
    num_nodes, furthest, count = indptr.shape[0] - 1, 0, 0
    starts, is_small = np.zeros(num_nodes + 1, np.int64), np.zeros(num_nodes, np.bool_)
    for i in range(num_nodes):
        for p in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
            furthest = max(furthest, np.int64(indices[p]))
        if furthest <= i:
            first = starts[count]
            num_edges = np.int64(indptr[i + 1]) - np.int64(indptr[first])
            is_small[count] = i + 1 - first <= _LANES and num_edges <= most
            count += 1
            starts[count] = furthest = i + 1
    return starts[: count + 1], is_small[:count]


@kernel
def _small_returns(begin, end, starts, is_small, indptr, indices, out):
    """Of small blocks. here[j, s]: how probable a walk from s is at j after some steps, over the degree of j."""
    here, there = np.empty((_LANES, _LANES)), np.empty((_LANES, _LANES))
    odd, even = np.empty(_LANES), np.empty(_LANES)
    for b in range(begin, end):
        first, size = starts[b], starts[b + 1] - starts[b]
        if not is_small[b]:
            continue
        here[:size, :size] = 0.0
        for j in range(size):
            here[j, j] = 1.0 / max(1, np.int64(indptr[first + j + 1]) - np.int64(indptr[first + j]))
        for known in range(0, out.shape[1], 2):
            odd[:size], even[:size] = 0.0, 0.0
            for j in range(size):
                _hear(j, first, size, indptr, indices, here, there, odd, even)
            for j in range(size):
                degree = np.int64(indptr[first + j + 1]) - np.int64(indptr[first + j])
                out[first + j, known] = degree * odd[j]
                if known + 1 < out.shape[1]:
                    out[first + j, known + 1] = degree * even[j]
            here, there = there, here


@lean
def _hear(j, first, size, indptr, indices, here, there, odd, even):
    """One step of all walks to node j, and what that adds to the returns after an odd and an even number of steps."""
    begin, end = np.int64(indptr[first + j]), np.int64(indptr[first + j + 1])
    there[j, :size] = 0.0
    for p in range(begin, end):
        k = np.int64(indices[p]) - first
        for s in range(size):
            there[j, s] += here[k, s]
    share = 1.0 / max(1, end - begin)
    for s in range(size):
        arrived = there[j, s]
        odd[s] += here[j, s] * arrived
        there[j, s] = arrived * share
        even[s] += arrived * there[j, s]


@kernel
def _returns(begin, end, nodes, indptr, indices, most, out, num_exact):
    """Of a symmetric pattern, by half the steps. `here` and `there`: probabilities, and the nodes where they are."""
    num_nodes, num_steps = indptr.shape[0] - 1, out.shape[1]
    here = np.zeros(num_nodes), np.empty(num_nodes, np.int64)
    there = np.zeros(num_nodes), np.empty(num_nodes, np.int64)
    seen, stamp = np.zeros(num_nodes, np.int64), 0
    for k in range(begin, end):
        i = nodes[k]
        here[0][i], here[1][0], count, left, known = 1.0, i, 1, most, 0
        degree = np.int64(indptr[i + 1]) - np.int64(indptr[i])
        while known < num_steps:
            left -= _edges_of(here[1], count, indptr)
            if left < 0:
                break
            stamp += 1
            reached = _go(here, count, there, seen, stamp, indptr, indices)
            out[i, known] = degree * _product(here, count, there, indptr)
            if known + 1 < num_steps:
                out[i, known + 1] = degree * _product(there, reached, there, indptr)
            _clear(here, count)
            here, there, count = there, here, reached
            known = min(known + 2, num_steps)
        _clear(here, count)
        num_exact[i] = known


@kernel
def _go(here, count, there, seen, stamp, indptr, indices):
    """One step on from all nodes of `here`; how many are reached."""
    reached = 0
    for q in range(count):
        j = here[1][q]
        first, last = np.int64(indptr[j]), np.int64(indptr[j + 1])
        share = here[0][j] / max(1, last - first)
        for p in range(first, last):
            m = np.int64(indices[p])
            if seen[m] != stamp:
                seen[m] = stamp
                there[1][reached] = m
                reached += 1
            there[0][m] += share
    return reached


@kernel
def _product(one, count, other, indptr):
    """The sum over j of the two probabilities, by the degree of j; `one` is not 0 at its first `count` nodes."""
    total = 0.0
    for q in range(count):
        j = one[1][q]
        total += one[0][j] * other[0][j] / max(1, np.int64(indptr[j + 1]) - np.int64(indptr[j]))
    return total


@kernel
def _clear(walk, count):
    for q in range(count):
        walk[0][walk[1][q]] = 0.0


@kernel
def _walks_to(begin, end, indptr, indices, degree, most, num_steps, at_node, at_edge, num_exact):
    """How probable it is to come to i, from i itself (at_node) or from its neighbours (at_edge)."""
    num_nodes = indptr.shape[0] - 1
    here = np.zeros(num_nodes), np.empty(num_nodes, np.int64)
    there = np.zeros(num_nodes), np.empty(num_nodes, np.int64)
    seen, stamp = np.zeros(num_nodes, np.int64), 0
    for i in range(begin, end):
        here[0][i], here[1][0], count, left, known = 1.0, i, 1, most, 0
        while known < num_steps:
            left -= _edges_of(here[1], count, indptr)
            if left < 0:
                break
            stamp += 1
            reached = _come(here, count, there, seen, stamp, (indptr, indices, degree))
            _clear(here, count)
            here, there, count = there, here, reached
            if at_node is not None:
                at_node[i, known] = here[0][i]
            if at_edge is not None:
                for p in range(np.int64(indptr[i]), np.int64(indptr[i + 1])):
                    at_edge[p, known] = here[0][np.int64(indices[p])]
            known += 1
        _clear(here, count)
        num_exact[i] = known


@kernel
def _come(here, count, there, seen, stamp, graph):
    """One step back from all nodes of `here`, to those whose edges lead there; how many there are."""
    indptr, indices, degree = graph
    reached = 0
    for q in range(count):
        j = here[1][q]
        for p in range(np.int64(indptr[j]), np.int64(indptr[j + 1])):
            m = np.int64(indices[p])
            if seen[m] != stamp:
                seen[m] = stamp
                there[1][reached] = m
                reached += 1
            there[0][m] += here[0][j] / degree[m]
    return reached


@kernel
def _meet(begin, end, nodes, indptr, indices, num_walks, seed, num_exact, out):
    """Estimates of a symmetric pattern: of two independent walks, how often they meet after a and b steps."""
    num_nodes, num_steps = indptr.shape[0] - 1, out.shape[1]
    at, before = np.empty(num_walks, np.int64), np.empty(num_walks, np.int64)
    here, there = np.zeros(num_nodes, np.int64), np.zeros(num_nodes, np.int64)  # how many walks are at each node
    pairs = np.float64(num_walks) * (num_walks - 1)
    for k in range(begin, end):
        i = nodes[k]
        scale, first = (indptr[i + 1] - indptr[i]) / pairs, np.uint64(i) * np.uint64(num_walks) * np.uint64(num_steps)
        at[:] = i
        here[i] = num_walks
        for a in range((num_steps + 1) // 2):
            odd = 0.0
            for r in range(num_walks):
                before[r] = at[r]
                number = first + np.uint64(r) * np.uint64(num_steps) + np.uint64(a)
                at[r] = _step(at[r], indptr, indices, seed, number)
                there[at[r]] += 1
                if at[r] == before[r]:  # over a loop: the same walk twice is no pair
                    odd -= 1.0 / (indptr[at[r] + 1] - indptr[at[r]])
            more, even = _pairs_at(at, here, there, indptr)
            here[before] = 0
            if 2 * a >= num_exact[i]:
                out[i, 2 * a] = scale * (odd + more)
                if 2 * a + 1 < num_steps:
                    out[i, 2 * a + 1] = scale * even
            here, there = there, here
        here[at] = 0


@kernel
def _pairs_at(at, here, there, indptr):
    """Of the walks' new nodes, by their degrees: how many walks were at them before, and how many others are now."""
    odd, even = 0.0, 0.0
    for j in at:
        degree = indptr[j + 1] - indptr[j]
        odd += here[j] / degree
        even += (there[j] - 1) / degree
    return odd, even


@kernel
def _return(begin, end, nodes, indptr, indices, num_walks, seed, num_exact, out):
    """Estimates of any pattern, whose rows are sources here: the share of the walks that are back."""
    num_steps = out.shape[1]
    for k in range(begin, end):
        i = nodes[k]
        out[i, num_exact[i] :] = 0.0
        first = np.uint64(i) * np.uint64(num_walks) * np.uint64(num_steps)
        for r in range(num_walks):
            at = i
            for a in range(num_steps):
                if indptr[at] == indptr[at + 1]:
                    break
                at = _step(at, indptr, indices, seed, first + np.uint64(r * num_steps + a))
                if at == i and a >= num_exact[i]:
                    out[i, a] += 1.0 / num_walks


@lean
def _edges_of(nodes, count, indptr):
    """How many edges a step passes over."""
    total = np.int64(0)
    for q in range(count):
        total += np.int64(indptr[nodes[q] + 1]) - np.int64(indptr[nodes[q]])
    return total


@lean
def _step(at, indptr, indices, seed, number):
    """One of the neighbours, each as probable, by the finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    first = np.int64(indptr[at])
    count = np.uint64(np.int64(indptr[at + 1]) - first)
    key = seed + (number + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    key ^= key >> np.uint64(31)
    return np.int64(indices[first + np.int64(((key >> np.uint64(32)) * count) >> np.uint64(32))])
