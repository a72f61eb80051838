"""The simple undirected graph under any list of edges: against NetworkX."""

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.graph.measures.undirected import from_pairs, pairs_of, undirected
from tests.diagnose.cases import any_graph, many


@many
@given(any_graph())
def test_as_networkx_sees_it(case):
    adj, plain = case
    found = undirected(adj)
    nodes = range(found.num_nodes)
    assert {*zip(found.low.tolist(), found.high.tolist(), strict=True)} == {tuple(sorted(e)) for e in plain.edges}
    heard = [found.indices[found.indptr[i] : found.indptr[i + 1]].tolist() for i in nodes]
    assert heard == [sorted(plain[i]) for i in nodes]
    assert found.degree.tolist() == [plain.degree[i] for i in nodes]
    assert found.num_components == nx.number_connected_components(plain)
    dense = nx.to_numpy_array(plain, nodelist=nodes)
    assert np.array_equal(found.matrix.toarray(), dense)
    assert np.array_equal(found.laplacian.toarray(), np.diag(dense.sum(0)) - dense)


@many
@given(any_graph())
def test_position(case):
    adj, plain = case
    found, n = undirected(adj), adj.num_nodes
    pairs = torch.cartesian_prod(torch.arange(n), torch.arange(n)).T.numpy()
    for (u, v), place in zip(pairs.T, found.position(pairs), strict=True):
        assert (place >= 0) == plain.has_edge(u, v)
        assert place < 0 or {found.low[place], found.high[place]} == {u, v}


def test_no_nodes_and_a_graph():
    assert undirected(Adjacency([[], []], num_nodes=0)).num_components == 0
    assert undirected(Graph([[0], [1]])).num_pairs == 1
    assert from_pairs(np.zeros((2, 0), np.int64), 3).degree.tolist() == [0, 0, 0]


def test_wrong_input():
    with pytest.raises(InputError, match="one set of nodes"):
        undirected(Adjacency([[0], [1]], size=(2, 3)))
    with pytest.raises(InputError, match=r"must name nodes 0 \.\. 2, got 3"):
        pairs_of("pairs", torch.tensor([[0], [3]]), 3)
    with pytest.raises(InputError, match=r"shape \[2, k\], got int64 of shape \(3, 2\)"):
        pairs_of("pairs", torch.zeros(3, 2, dtype=torch.int64), 3)
