"""Labels of rows, pairs and multisets: equal exactly where the things are."""

import numpy as np
import torch

from grapevine.diagnose.labelled import labelled, near_classes, pair_classes, row_classes
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix


def test_rows_have_ranks():
    rows = torch.tensor([[0.0, 3.0], [-1.0, 5.0], [0.0, 3.0], [0.0, -2.0]])
    assert row_classes(rows).tolist() == [2, 0, 2, 1]
    assert row_classes(torch.tensor([True, False, True])).tolist() == [1, 0, 1]
    assert row_classes(torch.zeros(3, 0)).tolist() == [0, 0, 0]
    assert row_classes(torch.tensor([float("nan"), 1.0, float("nan")])).tolist() == [1, 0, 1]
    assert row_classes(torch.tensor([1.5, 1.5], dtype=torch.bfloat16)).tolist() == [0, 0]


def test_sparse_rows_are_equal_where_dense_ones_are():
    dense = torch.tensor([[0.0, 2.0], [2.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    sparse = row_classes(SparseMatrix.from_torch(dense.to_sparse()))
    assert sparse[0] == sparse[2]
    assert len(set(sparse.tolist())) == len(set(row_classes(dense).tolist())) == 3


def test_near_numbers_are_one():
    values = np.array([[1.0, 2.0], [1.0 + 1e-12, 2.0 - 1e-12], [1.5, 0.0]])
    assert near_classes(values).tolist() == [[1, 3], [1, 3], [2, 0]]


def test_repeated_edges_join_otherwise_than_single_ones():
    graph = Graph([[0, 0, 1, 2], [1, 1, 2, 2]], edge={"kind": torch.tensor([4, 7, 4, 4])})
    (pairs,) = pair_classes(labelled(graph, None, ["kind"]))
    assert (pairs == 0).sum() == 6
    assert pairs[1, 2] == pairs[2, 2] != pairs[0, 1] != 0
