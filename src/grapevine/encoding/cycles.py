"""How many cycles of each length pass through each node, with or without chords, by following paths.

It costs as many steps as there are paths of that length from a node, so it is for graphs of small degrees.
"""

import numpy as np
from jaxtyping import Float

from grapevine.errors import InputError
from grapevine.graph.measures import Undirected
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import share_rows

_MOST = 2**26  # steps of a node


def cycle_counts(graph: Undirected, most: int, *, is_chordless: bool = False) -> Float[np.ndarray, "n k"]:
    """[n, most - 2] the cycles of 3, 4, ..., most nodes through each node.

    Args:
        is_chordless: only those of which no two nodes are neighbours but along the cycle.

    Raises:
        InputError: if there are too many paths from a node.

    >>> from grapevine.graph import Adjacency
    >>> from grapevine.graph.measures import undirected
    >>> square_with_a_chord = undirected(Adjacency([[0, 1, 2, 3, 0], [1, 2, 3, 0, 2]]))
    >>> cycle_counts(square_with_a_chord, 4).tolist()
    [[2.0, 1.0], [1.0, 1.0], [2.0, 1.0], [1.0, 1.0]]
    """
    out, has_failed = np.zeros((graph.num_nodes, most - 2)), np.zeros(graph.num_nodes, np.bool_)
    told = graph.indptr, graph.indices, is_chordless, _MOST, out, has_failed
    share_rows(_count, graph.num_nodes, *told, work=64 * len(graph.indices))
    if has_failed.any():
        node = int(has_failed.argmax())
        raise InputError(f"too many paths of {most} nodes begin at node {node}: ask for smaller rings, or take rwpe")
    return out


@kernel
def _count(begin, end, indptr, indices, is_chordless, most_steps, out, has_failed):
    """A path of increasing length from i; each cycle is met in both directions, and counted in one."""
    num_nodes, longest = indptr.shape[0] - 1, out.shape[1] + 2
    is_near, is_on = np.zeros(num_nodes, np.bool_), np.zeros(num_nodes, np.bool_)
    chords = np.zeros(num_nodes, np.int64)  # how many inner nodes of the path, but its last, are neighbours
    path, at = np.empty(longest, np.int64), np.empty(longest, np.int64)
    for i in range(begin, end):
        for p in range(indptr[i], indptr[i + 1]):
            is_near[indices[p]] = True
        path[0], at[0], is_on[i], depth, steps = i, indptr[i], True, 1, 0
        while depth > 0:
            last = path[depth - 1]
            if at[depth - 1] == indptr[last + 1] or steps > most_steps:
                is_on[last] = False
                if depth > 2:
                    _change(path[depth - 2], -1, indptr, indices, chords)
                depth -= 1
                continue
            v = indices[at[depth - 1]]
            at[depth - 1] += 1
            steps += 1
            if is_on[v] or (is_chordless and chords[v] > 0):
                continue
            if depth > 1 and is_near[v] and v > path[1]:
                out[i, depth - 2] += 1
            is_closed = is_chordless and depth > 1 and is_near[v]  # every longer one has the chord from v to i
            if depth + 1 < longest and not is_closed:
                if depth > 1:
                    _change(last, 1, indptr, indices, chords)
                path[depth], at[depth], is_on[v] = v, indptr[v], True
                depth += 1
        if steps > most_steps:
            has_failed[i] = True
            return
        for p in range(indptr[i], indptr[i + 1]):
            is_near[indices[p]] = False


@kernel
def _change(node, by, indptr, indices, chords):
    for p in range(indptr[node], indptr[node + 1]):
        chords[indices[p]] += by
