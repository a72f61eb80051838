"""The k-WL tests: colours of k-tuples of nodes, in the oblivious and in the folklore form.

oblivious k-WL  c(v)' = (c(v), {{ c(v[1 <- w]) : w }}, ..., {{ c(v[k <- w]) : w }})
folklore k-WL   c(v)' = (c(v), {{ (c(v[1 <- w]), ..., c(v[k <- w])) : w }})        v[i <- w]: w in place of node i of v

A tuple's first colour is its atomic type: which of its nodes are equal and joined, and their labels. In power, folklore
k-WL is oblivious (k + 1)-WL, and oblivious 2-WL is 1-WL (Cai, Fuerer & Immerman 1992; Grohe & Otto 2015; Morris et al.
2019, who call the oblivious form k-WL; Maron et al. 2019, whose k-WL it is, and k-FWL the other).

Multisets stand as sums of mixed numbers in two lanes of 64 bits with salts of their own. Two of N multisets fall
together with probability below N^2 / 2^129: for a billion of them about 10^-21.
"""

from functools import reduce
from itertools import combinations

import numpy as np

from grapevine.diagnose.labelled import Coloring, Labelled, check_size, pair_classes

_SALTS = np.random.default_rng(20190210).integers(0, 2**63, (2, 32), dtype=np.uint64)
_OWN, _SUM = 16, 20  # where the salts of a tuple's own colour and of the sums begin; those of positions begin at 0


def tuple_wl(graph: Labelled, k: int, *, folklore: bool) -> Coloring:
    """The stable colours of all k-tuples of each graph, and of a node v that of (v, ..., v)."""
    sizes = graph.sizes
    name = f"{k}-fwl" if folklore else f"oblivious-{k}-wl"
    check_size(name, sum(size**k for size in sizes), f"{k}-tuples of nodes")
    ends = np.cumsum([size**k for size in sizes], dtype=np.int64)
    colors, count = _ranks([_atomic_types(pairs, k) for pairs in _joined(graph)])
    while True:
        parts = [part.reshape((size,) * k) for part, size in zip(np.split(colors, ends[:-1]), sizes, strict=True)]
        step = _folklore_round if folklore else _oblivious_round
        colors, finer = _ranks([step(part) for part in parts])
        if finer == count:
            break
        count = finer
    parts = zip(np.split(colors, ends[:-1]), sizes, strict=True)
    diagonals = [part.reshape((size,) * k)[(np.arange(size),) * k] for part, size in parts]
    return Coloring(np.concatenate(diagonals).astype(np.int64), colors.astype(np.int64), np.append(0, ends))


def _joined(graph: Labelled) -> list[np.ndarray]:
    """For each graph what joins two nodes, [n, n]; on the diagonal the node's label and what joins it to itself."""
    pairs = pair_classes(graph)
    kinds = max((int(matrix.max(initial=0)) for matrix in pairs), default=0) + 1
    for k, matrix in enumerate(pairs):
        own = np.arange(len(matrix))
        matrix[own, own] += kinds * (1 + graph.node[graph.ptr[k] : graph.ptr[k + 1]])
    return pairs


def _atomic_types(pairs: np.ndarray, k: int) -> np.ndarray:
    """[2, n, ..., n] the hash of each tuple's atomic type."""
    n, lanes = len(pairs), []
    for salts in _SALTS:
        total = np.zeros((n,) * k, np.uint64)
        for i in range(k):
            total += _mix(_along(np.diagonal(pairs), k, i) + salts[i])
        for at, (i, j) in enumerate(combinations(range(k), 2)):
            total += _mix(_along(pairs, k, i, j) + salts[k + 2 * at])
            total += _mix(_along(pairs.T, k, i, j) + salts[k + 2 * at + 1])
        lanes.append(_mix(total))
    return np.stack(lanes)


def _folklore_round(colors: np.ndarray) -> np.ndarray:
    k, n, lanes = colors.ndim, len(colors), []
    for salts in _SALTS:
        mixed = [_mix(colors + salts[i]) for i in range(k)]
        total = np.zeros_like(colors)
        for w in range(n):
            heard = [np.expand_dims(mixed[i].take(w, axis=i), i) for i in range(k)]
            total += _mix(reduce(np.add, heard))
        lanes.append(_mix(_mix(colors + salts[_OWN]) + _mix(total + salts[_SUM])))
    return np.stack(lanes)


def _oblivious_round(colors: np.ndarray) -> np.ndarray:
    k, lanes = colors.ndim, []
    for salts in _SALTS:
        total = _mix(colors + salts[_OWN])
        for i in range(k):
            heard = _mix(colors + salts[i]).sum(axis=i, keepdims=True, dtype=np.uint64)
            total = total + _mix(heard + salts[_SUM + i])
        lanes.append(_mix(total))
    return np.stack(lanes)


def _along(values: np.ndarray, k: int, *axes: int) -> np.ndarray:
    """Values that hang on some of k axes, shaped to be spread over the others."""
    shape = [1] * k
    for axis, size in zip(axes, values.shape, strict=True):
        shape[axis] = size
    return values.astype(np.uint64).reshape(shape)


def _ranks(hashes: list[np.ndarray]) -> tuple[np.ndarray, int]:
    """Which of the distinct hashes of all graphs, in their order, each one is; and how many there are."""
    first, second = np.concatenate([pair.reshape(2, -1) for pair in hashes], axis=1)
    order = np.lexsort((second, first))
    is_new = np.ones(len(order), bool)
    is_new[1:] = (np.diff(first[order]) != 0) | (np.diff(second[order]) != 0)
    ranks = np.empty(len(order), np.uint64)
    ranks[order] = np.cumsum(is_new) - 1
    return ranks, int(is_new.sum())


def _mix(keys: np.ndarray) -> np.ndarray:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014), one to one."""
    keys = (keys ^ (keys >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    keys = (keys ^ (keys >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return keys ^ (keys >> np.uint64(31))
