"""Colour refinement on the processor: only nodes that hear of a class that was split off are looked at again.

When a class falls apart, its largest part keeps the number and the others get new ones. Nodes of one class have heard
alike so far, so what they hear of the renamed nodes alone tells them apart. A node is renamed at most log2 n times, so
the work is O((n + e) log n) however many rounds there are (Hopcroft 1971; Cardon & Crochemore 1982).

What is heard is sorted by a 64-bit hash of the multiset; where two hashes are equal, the multisets are compared in
full, so no two classes fall together by chance. New numbers follow the order of the hashes, and those depend on the
numbers of before: how the nodes are numbered has no part in it.
"""

from typing import TypeAlias

import numpy as np

from grapevine.ops.runtime.kernel import kernel, lean

_ALL_BITS = 2**64 - 1
_SHORT = 24  # a longer list is not sorted by insertion
_DIGIT_BITS = 11
_DIGITS = 2**_DIGIT_BITS
_MANY = 8  # from this share of the edges on, rows are read one after another
View: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def refine(hears: View, heard_by: View, colors: np.ndarray, max_rounds: int, *, hash_bits: int = _ALL_BITS) -> int:
    """Refine `colors` [n], numbers 0 .. k - 1 that are all in use, in place; the number of rounds that split a class.

    Args:
        hears: whom each node hears: indptr, nodes and the labels of the edges, whole numbers from 0 on, or None.
        heard_by: the same of who hears each node.
        max_rounds: -1: until nothing changes.
        hash_bits: a mask of the hashes, so that tests can make them meet.
    """
    num_nodes = len(colors)
    sizes = np.zeros(num_nodes, np.int64)
    counted = np.bincount(colors, minlength=0)
    sizes[: len(counted)] = counted
    members = np.argsort(colors, kind="stable")
    place, first = np.empty(num_nodes, np.int64), np.zeros(num_nodes, np.int64)
    place[members] = np.arange(num_nodes)
    first[1:] = np.cumsum(sizes)[:-1]
    items = np.empty(len(hears[1]), np.int32 if hears[2] is None and num_nodes < 2**31 else np.int64)
    classes = sizes, first, members, place
    limit = np.iinfo(np.int64).max if max_rounds < 0 else max_rounds
    return _rounds(hears, heard_by, colors, classes, len(counted), items, limit, np.uint64(hash_bits))


@kernel
def _rounds(hears, heard_by, colors, classes, num_colors, items, max_rounds, bits):
    num_nodes, sizes, begin = colors.shape[0], classes[0], hears[0]
    moved, reached = np.arange(num_nodes), np.empty(num_nodes, np.int64)
    count, hashes = np.zeros(num_nodes, np.int64), np.zeros(num_nodes, np.uint64)
    heard_in, keeper, largest = (
        np.zeros(num_nodes, np.int64),
        np.empty(num_nodes, np.int64),
        np.empty(num_nodes, np.int64),
    )
    is_alone, is_moved = np.zeros(num_nodes, np.uint8), np.zeros(num_nodes, np.uint8)
    for i in range(num_nodes):
        is_alone[i] = sizes[colors[i]] == 1
    num_moved, num_rounds = num_nodes, 0
    while num_moved > 0 and num_rounds < max_rounds:
        known = colors, is_alone, reached, items, count, hashes
        if num_colors == 1 and hears[2] is None:
            num_reached = _count(hears[0], known)
        elif _work(heard_by[0], moved[:num_moved]) > items.shape[0] // _MANY:
            num_reached = _gather(hears[0], hears[1], hears[2], moved[:num_moved], is_moved, known)
        else:
            num_reached = _scatter(heard_by[0], heard_by[1], heard_by[2], moved[:num_moved], begin, known)
        nodes, starts = _group(reached[:num_reached], colors, items, begin, count, hashes, bits)
        own = colors[nodes[starts[:-1]]]
        _choose(own, starts, sizes, heard_in, keeper, largest)
        num_moved, num_colors = _split(nodes, starts, own, colors, classes, num_colors, keeper, moved)
        num_moved, num_colors = _split_rest(own, count, colors, classes, num_colors, keeper, moved, num_moved)
        heard_in[own] = 0
        for i in nodes:
            count[i], hashes[i], is_alone[i] = 0, 0, sizes[colors[i]] == 1
        for i in moved[:num_moved]:
            is_alone[i] = sizes[colors[i]] == 1
        num_rounds += num_moved > 0
    return num_rounds


@kernel
def _work(indptr, moved):
    """How many edges leave the moved nodes."""
    if moved.shape[0] == indptr.shape[0] - 1:
        return np.int64(indptr[-1])
    total = np.int64(0)
    for j in moved:
        total += np.int64(indptr[j + 1]) - np.int64(indptr[j])
    return total


@kernel
def _count(indptr, known):
    """Where all nodes and edges are alike, what each node hears is how many it hears."""
    colors, _, reached, items, count, hashes = known
    num_reached = 0
    for i in range(colors.shape[0]):
        degree = np.int64(indptr[i + 1]) - np.int64(indptr[i])
        if degree > 0:
            items[np.int64(indptr[i])] = degree
            count[i], hashes[i], reached[num_reached] = 1, _mix(np.uint64(degree)), i
            num_reached += 1
    return num_reached


@kernel
def _gather(indptr, sources, labels, moved, is_moved, known):
    """What each node hears of the moved ones, where most have moved: row by row. A class of one is left out."""
    colors, is_alone, reached, items, count, hashes = known
    num_nodes, num_reached = colors.shape[0], 0
    is_moved[moved] = 1
    for i in range(num_nodes):
        if is_alone[i]:
            continue
        begin = np.int64(indptr[i])
        end, total = begin, np.uint64(0)
        for p in range(begin, np.int64(indptr[i + 1])):
            j = sources[p]
            if is_moved[j]:
                item = np.int64(colors[j])
                if labels is not None:
                    item += np.int64(labels[p]) * num_nodes
                items[end] = item
                end += 1
                total += _mix(np.uint64(item))
        if end > begin:
            count[i], hashes[i], reached[num_reached] = end - begin, total, i
            num_reached += 1
    is_moved[moved] = 0
    return num_reached


@kernel
def _scatter(indptr, targets, labels, moved, begin, known):
    """The same where few have moved: each is carried to those that hear it."""
    colors, is_alone, reached, items, count, hashes = known
    num_nodes, num_reached = colors.shape[0], 0
    for j in moved:
        item = np.int64(colors[j])
        for p in range(indptr[j], indptr[j + 1]):
            i = targets[p]
            if is_alone[i]:
                continue
            if labels is not None:
                item = np.int64(colors[j]) + np.int64(labels[p]) * num_nodes
            if count[i] == 0:
                reached[num_reached] = i
                num_reached += 1
            items[begin[i] + count[i]] = item
            count[i] += 1
            hashes[i] += _mix(np.uint64(item))
    return num_reached


@kernel
def _group(reached, colors, items, begin, count, hashes, bits):
    """The reached nodes, those of one colour that heard alike behind one another, and where each such group begins."""
    keys = np.empty(reached.shape[0], np.uint64)
    for r in range(reached.shape[0]):
        i = reached[r]
        keys[r] = _mix(hashes[i] + _mix(~np.uint64(colors[i]))) & bits
    order = _order(keys)
    nodes, starts = reached[order], np.empty(reached.shape[0] + 1, np.int64)
    num_groups, low = 0, 0
    while low < nodes.shape[0]:
        high = low + 1
        while high < nodes.shape[0] and keys[order[high]] == keys[order[low]]:
            high += 1
        if high - low > 1:
            _sort_run(nodes[low:high], colors, items, begin, count)
        for r in range(low, high):
            if r == low or _compare(nodes[r - 1], nodes[r], colors, items, begin, count) != 0:
                starts[num_groups] = r
                num_groups += 1
        low = high
    starts[num_groups] = nodes.shape[0]
    return nodes, starts[: num_groups + 1]


@kernel
def _order(keys):
    """Which key comes first, second, ...: digit by digit from the lowest one, where there are many."""
    num_keys = keys.shape[0]
    if num_keys < _DIGITS:
        return np.argsort(keys)
    order, spare = np.arange(num_keys), np.empty(num_keys, np.int64)
    ordered, spare_keys = keys.copy(), np.empty(num_keys, np.uint64)
    for shift in range(0, 64, _DIGIT_BITS):
        place = np.zeros(_DIGITS + 1, np.int64)
        for key in ordered:
            place[np.int64((key >> np.uint64(shift)) & np.uint64(_DIGITS - 1)) + 1] += 1
        for digit in range(_DIGITS):
            place[digit + 1] += place[digit]
        for r in range(num_keys):
            digit = np.int64((ordered[r] >> np.uint64(shift)) & np.uint64(_DIGITS - 1))
            spare[place[digit]], spare_keys[place[digit]] = order[r], ordered[r]
            place[digit] += 1
        order, spare, ordered, spare_keys = spare, order, spare_keys, ordered
    return order


@kernel
def _sort_run(nodes, colors, items, begin, count):
    """Nodes of one hash in the order of what they heard: nothing moves unless two different multisets share it."""
    for i in nodes:
        first, end = begin[i], begin[i] + count[i]
        if end - first > _SHORT:
            items[first:end].sort()
            continue
        for p in range(first + 1, end):
            value, q = items[p], p
            while q > first and items[q - 1] > value:
                items[q] = items[q - 1]
                q -= 1
            items[q] = value
    for r in range(1, nodes.shape[0]):
        node, s = nodes[r], r
        while s > 0 and _compare(nodes[s - 1], node, colors, items, begin, count) > 0:
            nodes[s] = nodes[s - 1]
            s -= 1
        nodes[s] = node


@kernel
def _choose(own, starts, sizes, heard_in, keeper, largest):
    """Which part of each class keeps its number: the largest, the first of several; -1 is who heard nothing."""
    for g in range(own.shape[0]):
        heard_in[own[g]] += starts[g + 1] - starts[g]
    for c in own:
        keeper[c], largest[c] = -1, sizes[c] - heard_in[c]
    for g in range(own.shape[0]):
        c, size = own[g], starts[g + 1] - starts[g]
        if size > largest[c]:
            keeper[c], largest[c] = g, size


@kernel
def _split(nodes, starts, own, colors, classes, num_colors, keeper, moved):
    """Give the groups that do not keep their number new ones."""
    num_moved = 0
    for g in range(own.shape[0]):
        if keeper[own[g]] != g:
            for i in nodes[starts[g] : starts[g + 1]]:
                _move(i, num_colors, colors, classes)
                moved[num_moved] = i
                num_moved += 1
            num_colors += 1
    return num_moved, num_colors


@kernel
def _split_rest(own, count, colors, classes, num_colors, keeper, moved, num_moved):
    """Give those who heard nothing a new number where a group keeps the old one."""
    sizes, first, members, _ = classes
    for g in range(own.shape[0]):
        c = own[g]
        if keeper[c] == g:
            before = num_moved
            for i in members[first[c] : first[c] + sizes[c]]:
                if count[i] == 0:
                    moved[num_moved] = i
                    num_moved += 1
            for i in moved[before:num_moved]:
                _move(i, num_colors, colors, classes)
            num_colors += num_moved > before
    return num_moved, num_colors


@lean
def _move(i, color, colors, classes):
    """Take node i out of its class, to the end of whose range it goes, and into a new one, which begins there."""
    sizes, first, members, place = classes
    old = colors[i]
    sizes[old] -= 1
    last, at = first[old] + sizes[old], place[i]
    other = members[last]
    members[at], place[other] = other, at
    members[last], place[i] = i, last
    colors[i], first[color] = color, last
    sizes[color] += 1


@lean
def _mix(key):
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014), one to one."""
    key += np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


@lean
def _compare(a, b, colors, items, begin, count):
    """Below, at or above 0 as node a comes before b, is in its group or comes behind it."""
    if colors[a] != colors[b]:
        return np.int64(colors[a]) - np.int64(colors[b])
    if count[a] != count[b]:
        return count[a] - count[b]
    for q in range(count[a]):
        difference = np.int64(items[begin[a] + q]) - np.int64(items[begin[b] + q])
        if difference != 0:
            return difference
    return np.int64(0)
