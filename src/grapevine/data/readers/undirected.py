"""Makes every edge run both ways, once."""

import numpy as np


def both_ways(src: np.ndarray, dst: np.ndarray, num_nodes: int, *, keep_loops: bool = False) -> np.ndarray:
    """[2, e] int64, each pair that is joined in either direction in both, once, sorted by source.

    Args:
        src, dst: [k] node numbers in 0 .. num_nodes - 1.
        keep_loops: whether an edge from a node to itself stays, once.

    >>> both_ways(np.array([0, 1, 2]), np.array([1, 0, 2]), 3).tolist()
    [[0, 1], [1, 0]]
    """
    src, dst = src.astype(np.int64), dst.astype(np.int64)
    both = np.unique(np.concatenate([src * num_nodes + dst, dst * num_nodes + src]))
    edges = np.stack([both // num_nodes, both % num_nodes]) if num_nodes else np.zeros((2, 0), np.int64)
    return edges if keep_loops else edges[:, edges[0] != edges[1]]
