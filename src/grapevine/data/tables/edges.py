"""Edges as a table names them made edges as a graph holds them: numbered, each once, in both directions if need be."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import torch

from grapevine.graph import Adjacency


@dataclass(frozen=True)
class EdgeList:
    """The edges, and which row of the table each came from, in the adjacency's order."""

    adj: Adjacency
    rows: torch.Tensor  # [e] int64
    repeated: int  # rows left out because their edge stood before
    reversed: int  # of these, how many stood before only in the other direction
    loops: int


def edge_list(src: np.ndarray, dst: np.ndarray, num_nodes: int, *, directed: bool) -> EdgeList:
    """Each edge once, from the first row that names it; in both directions with that row unless directed.

    >>> edges = edge_list(np.array([0, 1, 1]), np.array([1, 0, 1]), 2, directed=False)
    >>> edges.adj.edge_index.tolist(), edges.rows.tolist(), edges.repeated, edges.loops
    ([[1, 0, 1], [0, 1, 1]], [0, 0, 2], 1, 1)
    """
    way = pl.Series(src * num_nodes + dst)
    first = way.is_first_distinct().to_numpy()
    turned = 0
    if not directed:
        ends = pl.Series(np.minimum(src, dst) * num_nodes + np.maximum(src, dst))
        first_of_ends = ends.is_first_distinct().to_numpy()
        turned = int((first & ~first_of_ends).sum())
        first = first_of_ends
    rows = first.nonzero()[0]
    src, dst = src[rows], dst[rows]
    repeated = len(first) - len(rows)
    is_loop = src == dst
    if not directed:
        back = (~is_loop).nonzero()[0]
        src, dst = np.concatenate([src, dst[back]]), np.concatenate([dst, src[back]])
        rows = np.concatenate([rows, rows[back]])
    adj = Adjacency(torch.from_numpy(np.stack([src, dst])), num_nodes)
    return EdgeList(adj, torch.from_numpy(rows)[adj.edge_id], repeated, turned, int(is_loop.sum()))
