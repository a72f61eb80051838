"""The disjoint union against the parts it is made of, and back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.ops.sparse import SparseMatrix
from tests.graph.cases import assert_equal, index_of, many, some_graph, square_edges

PARTS = [some_graph(4, 6), some_graph(3, 0, seed=1), some_graph(0, 0, seed=2), some_graph(1, 2, seed=3)]


@many
@given(st.lists(square_edges(), min_size=1, max_size=5))
def test_edges_of_a_union(cases):
    parts = [Graph(index_of(edges), num_nodes=num_nodes) for edges, num_nodes in cases]
    batch = Graph.batch(parts)
    shifted, before = [], 0
    for edges, num_nodes in cases:
        shifted += [(j + before, i + before) for j, i in edges]
        before += num_nodes
    expected = Graph(index_of(shifted), num_nodes=before)
    assert torch.equal(batch.adj.edge_index, expected.adj.edge_index)
    assert torch.equal(batch.adj.edge_id, expected.adj.edge_id)
    assert torch.equal(batch.adj.indptr, expected.adj.indptr)
    assert batch.graph_id.tolist() == [k for k, (_, num_nodes) in enumerate(cases) for _ in range(num_nodes)]
    for part, back in zip(parts, batch.unbatch(), strict=True):
        assert_equal(back, part)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_tensors_of_a_union(is_sparse):
    parts = [some_graph(n, e, seed=n, is_sparse=is_sparse) for n, e in ((4, 6), (3, 0), (1, 2))]
    batch = Graph.batch(parts)
    assert isinstance(batch.x, SparseMatrix) == is_sparse
    assert batch.levels == parts[0].levels
    for name in batch.levels:
        joined, *each = (
            t.to_dense() if isinstance(t, SparseMatrix) else t for t in (getattr(g, name) for g in (batch, *parts))
        )
        assert torch.equal(joined, torch.cat(each)), name
    assert batch.ptr.tolist() == [0, 4, 7, 8]
    assert (batch.num_graphs, batch.num_nodes, batch.num_edges) == (3, 8, 8)
    for part, back in zip(parts, batch.unbatch(), strict=True):
        assert_equal(back, part)


def test_members_are_the_nodes_of_each_graph():
    members = Graph.batch(PARTS).members
    assert members.indptr.tolist() == [0, 4, 7, 7, 8]
    assert members.indices.tolist() == list(range(8))
    assert (members.num_rows, members.num_cols) == (4, 8)


def test_batches_count_as_the_graphs_they_hold():
    assert_equal(Graph.batch([Graph.batch(PARTS[:2]), *PARTS[2:]]), Graph.batch(PARTS))
    assert_equal(Graph.batch([PARTS[0]]), PARTS[0])
    assert_equal(PARTS[0].unbatch()[0], PARTS[0])


def test_edge_ids_of_chosen_edges_come_back():
    bare = Adjacency([[0, 1, 0, 1], [0, 0, 1, 1]]).without_self_loops()
    batch = Graph.batch([Graph(bare), Graph(bare)])
    assert [part.adj.edge_id.tolist() for part in batch.unbatch()] == [bare.edge_id.tolist()] * 2


def test_gradients_go_through_a_union():
    x = torch.rand(2, 3, requires_grad=True)
    batch = Graph.batch([Graph([[0], [1]], x=x), Graph([[0], [1]], x=x.detach())])
    (batch.unbatch()[0].x * 2 + batch.x[:2]).sum().backward()
    assert torch.equal(x.grad, torch.full((2, 3), 3.0))


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({}, r"of x, graph 1 has none, graph 0 \[nodes, 2\] float32 on cpu"),
        ({"x": torch.zeros(3, 4)}, r"of x, graph 1 has \[nodes, 4\] float32 on cpu, graph 0 \[nodes, 2\]"),
        ({"x": torch.zeros(3, 2, dtype=torch.float64)}, r"graph 1 has \[nodes, 2\] float64"),
        ({"x": torch.zeros(3, 2).to_sparse()}, r"graph 1 has sparse \[nodes, 2\]"),
        ({"x": torch.zeros(3, 2), "pos": torch.zeros(3, 3)}, r"of pos, graph 1 has .*, graph 0 none"),
    ],
)
def test_graphs_that_do_not_fit(others, message):
    first = Graph([[0], [1]], x=torch.zeros(2, 2))
    with pytest.raises(InputError, match=message):
        Graph.batch([first, Graph([[0], [1]], num_nodes=3, **others)])


def test_levels_must_agree():
    parts = [Graph([[0], [1]], num_nodes=n, y=torch.zeros(1 if n == 2 else n)) for n in (2, 2, 3)]
    with pytest.raises(InputError, match=r"of y, graph 2 has \[nodes\] .*, graph 0 \[graphs\]"):
        Graph.batch(parts)


def test_what_is_no_batch():
    with pytest.raises(InputError, match="at least one graph"):
        Graph.batch([])
    with pytest.raises(InputError, match="got int at 1"):
        Graph.batch([PARTS[0], 3])
    with pytest.raises(InputError, match="graph 1 is on meta, graph 0 on cpu"):
        Graph.batch([Graph([[0], [1]]), Graph([[0], [1]]).to("meta")])
