"""Who is one step away, and who exactly two.

N_1(i) = { j : an edge leads from j to i, j not i },  N_2(i) = { j : an edge leads from j into N_1(i) } but N_1(i) and i
"""

from typing import Any

import numpy as np
import scipy.sparse
import torch

from grapevine.errors import InputError
from grapevine.graph.adjacency import Adjacency, kept
from grapevine.ops.pattern import Pattern

MOST_PATHS = 200_000_000  # that are walked; an edge of the answer takes four bytes, and a path about a nanosecond


@kept
def one_and_two_hops(adj: Adjacency, most: int = MOST_PATHS) -> tuple[Adjacency, Adjacency]:
    """Each node's neighbours at distance one and at distance two, each of them once; kept with the adjacency.

    It takes time in proportion to the paths of two edges, of which a hub with d edges in and d out has d^2.

    Raises:
        InputError: if there are more than `most` such paths, or sources and targets are not the same nodes.

    >>> near, far = one_and_two_hops(Adjacency([[0, 1, 2, 2], [1, 2, 3, 2]]))  # 0 -> 1 -> 2 -> 3, and a loop at 2
    >>> near.edge_index.tolist(), far.edge_index.tolist()
    ([[0, 1, 2], [1, 2, 3]], [[0, 1], [2, 3]])
    """
    bare = adj.without_self_loops()
    num_paths = int((bare.in_degree * bare.out_degree).sum())
    if num_paths > most:
        raise InputError(
            f"the nodes two steps away are found along {num_paths:,} paths of two edges, more than the {most:,} that "
            "are walked: take a model that hears one step at a time, such as gprgnn or sage-sep, or sample the graph"
        )
    size, pattern = bare.num_nodes, bare.pattern
    indptr, indices = pattern.indptr.cpu().numpy(), pattern.indices.cpu().numpy()
    near: Any = scipy.sparse.csr_array((np.ones(len(indices), dtype=bool), indices, indptr), shape=(size, size))
    near.sum_duplicates()
    known = near + scipy.sparse.eye_array(size, dtype=bool, format="csr")
    return _adjacency(near, adj), _adjacency((near @ near) > known, adj)


def _adjacency(matrix: Any, adj: Adjacency) -> Adjacency:
    matrix.sort_indices()
    dtype = adj.pattern.indptr.dtype if matrix.nnz < 2**31 else torch.int64
    indptr, indices = (torch.from_numpy(part).to(adj.device, dtype) for part in (matrix.indptr, matrix.indices))
    return Adjacency.trusted(Pattern.trusted(indptr.contiguous(), indices.contiguous(), adj.num_src))
