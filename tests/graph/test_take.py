"""Graphs taken out of a batch, against the union of the parts that `unbatch` gives."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.graph.take import take
from tests.graph.cases import assert_equal, index_of, many, some_graph, square_edges


@many
@given(st.lists(square_edges(), min_size=1, max_size=5), st.data())
def test_edges_are_those_of_the_parts(cases, data):
    batch = Graph.batch([Graph(index_of(edges), num_nodes=num_nodes) for edges, num_nodes in cases])
    ids = data.draw(st.lists(st.integers(0, len(cases) - 1), min_size=1, max_size=6))
    assert_equal(take(batch, torch.tensor(ids)), Graph.batch([batch.unbatch()[k] for k in ids]))


@pytest.mark.parametrize("is_sparse", [False, True])
@pytest.mark.parametrize("ids", [[0], [3, 1], [2, 2, 0], [4, 3, 2, 1, 0]])
def test_tensors_of_every_level_come_along(ids, is_sparse):
    sizes = [(4, 6), (3, 0), (0, 0), (1, 2), (7, 20)]
    batch = Graph.batch([some_graph(n, e, seed=n, is_sparse=is_sparse) for n, e in sizes])
    part = take(batch, torch.tensor(ids))
    assert_equal(part, Graph.batch([batch.unbatch()[k] for k in ids]))
    assert part.graph_id.tolist() == [k for k, i in enumerate(ids) for _ in range(sizes[i][0])]
    assert torch.equal(part.adj.in_degree, torch.bincount(part.adj.dst, minlength=part.num_nodes))


def test_edge_ids_of_chosen_edges_come_along():
    bare = Graph(Adjacency([[0, 1, 0, 1], [0, 0, 1, 1]]).without_self_loops())
    batch = Graph.batch([bare, bare])
    assert_equal(take(batch, torch.tensor([1, 0])), batch)


def test_what_evaluation_takes_training_uses():
    batch = Graph.batch([some_graph(4, 6), some_graph(5, 8)])
    with torch.inference_mode():
        part = take(batch, torch.tensor([1]))
    x = torch.ones(part.num_nodes, 1, requires_grad=True)
    (x * part.x).sum().backward()
    assert x.grad is not None


def test_taking_nothing_and_what_is_not_there():
    batch = Graph.batch([some_graph(4, 6), some_graph(5, 8)])
    empty = take(batch, torch.tensor([], dtype=torch.int64))
    assert (empty.num_graphs, empty.num_nodes, empty.num_edges) == (0, 0, 0)
    for wrong in (-1, 2):
        with pytest.raises(InputError, match=r"ids must lie in 0 .. 1"):
            take(batch, torch.tensor([wrong]))
    with pytest.raises(InputError, match="ids must be of dtype"):
        take(batch, torch.tensor([True, False]))
