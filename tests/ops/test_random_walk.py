"""Random walks: against powers of a dense matrix, whatever the graph, and estimates that come close to them."""

import numpy as np
import pytest
import torch
from hypothesis import given

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.graph.batch import join_adjacencies
from grapevine.ops.pattern import Pattern
from grapevine.ops.random_walk import arrival_probabilities, cpu, reference, return_probabilities
from tests.graph.cases import index_of, many, square_edges


def grid(side: int) -> Adjacency:
    place = np.arange(side * side).reshape(side, side)
    pairs = np.concatenate([np.stack([place[:-1].ravel(), place[1:].ravel()]),
                            np.stack([place[:, :-1].ravel(), place[:, 1:].ravel()])], axis=1)  # fmt: skip
    return Adjacency(np.concatenate([pairs, pairs[::-1]], axis=1), num_nodes=side * side)


@many
@given(square_edges())
def test_returns_are_the_diagonals_of_powers(drawn):
    edges, n = drawn
    adj = Adjacency(index_of(edges), num_nodes=n)
    found = return_probabilities(adj.pattern, 7)
    assert found.num_exact.tolist() == [7] * n
    torch.testing.assert_close(found.probabilities, reference.returns(adj.pattern, 7))


@many
@given(square_edges())
def test_half_the_steps_are_enough_where_edges_go_both_ways(drawn):
    edges, n = drawn
    one_way = index_of(edges)
    adj = Adjacency(torch.cat([one_way, one_way.flip(0)], 1), num_nodes=n)
    for steps in (1, 2, 7, 8):
        found = return_probabilities(adj.pattern, steps, is_symmetric=True)
        torch.testing.assert_close(found.probabilities, reference.returns(adj.pattern, steps))


@many
@given(square_edges())
def test_arrivals_are_the_entries_of_powers(drawn):
    edges, n = drawn
    adj = Adjacency(index_of(edges), num_nodes=n)
    torch.testing.assert_close(arrival_probabilities(adj.pattern, 5), reference.arrivals(adj.pattern, 5))
    turned = adj.pattern.transposed
    expected = torch.empty(adj.num_edges, 5, dtype=torch.float64)
    expected[turned.entry.long()] = reference.arrivals(turned, 5)
    torch.testing.assert_close(arrival_probabilities(turned, 5), expected)


def test_small_graphs_side_by_side_are_as_alone():
    """Blocks of a batch: some larger than there are lanes, lone nodes, loops and double edges, and numbers mixed up."""
    parts = [grid(3), Adjacency(torch.zeros(2, 0, dtype=torch.int64), num_nodes=2), grid(9), grid(8)]
    loops = Adjacency([[0, 0, 1, 1, 2], [0, 1, 0, 2, 1]], num_nodes=3)
    whole = join_adjacencies([*parts, loops, Adjacency([[0, 1, 0, 1], [1, 0, 1, 0]])])
    for steps in (1, 4, 9):
        found = return_probabilities(whole.pattern, steps, is_symmetric=True).probabilities
        torch.testing.assert_close(found, reference.returns(whole.pattern, steps))
        order = torch.randperm(whole.num_nodes)
        mixed = Adjacency(order[whole.edge_index], num_nodes=whole.num_nodes)
        torch.testing.assert_close(
            return_probabilities(mixed.pattern, steps, is_symmetric=True).probabilities[order], found
        )


def test_threads_change_no_bit():
    adj, threads = grid(60), torch.get_num_threads()
    found = []
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            exact = return_probabilities(adj.pattern, 16, is_symmetric=True).probabilities
            drawn = return_probabilities(adj.pattern, 16, is_symmetric=True, most_work=0, num_walks=8).probabilities
            found.append((exact, drawn))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("is_symmetric", [True, False])
def test_estimates_come_close(is_symmetric):
    loops = torch.arange(0, 25, 2).repeat(2, 1)
    adj = Adjacency(torch.cat([grid(5).edge_index, loops], 1), num_nodes=25)
    exact = reference.returns(adj.pattern, 8)
    options = {"is_symmetric": is_symmetric, "most_work": 0}
    found = return_probabilities(adj.pattern, 8, **options, num_walks=20_000, seed=1)
    assert found.num_exact.tolist() == [0] * 25
    assert float((found.probabilities - exact).abs().max()) < 0.015
    assert float((found.probabilities - exact).mean(0).abs().max()) < 0.003  # no bias, odd steps and loops too
    same = return_probabilities(adj.pattern, 8, **options, num_walks=50, seed=1).probabilities
    assert torch.equal(same, return_probabilities(adj.pattern, 8, **options, num_walks=50, seed=1).probabilities)
    assert not torch.equal(same, return_probabilities(adj.pattern, 8, **options, num_walks=50, seed=2).probabilities)


def test_what_the_work_reaches_stays_exact():
    adj = grid(12)
    exact = reference.returns(adj.pattern, 16)
    found = return_probabilities(adj.pattern, 16, is_symmetric=True, most_work=144 * 150)
    reached = set(found.num_exact.tolist())
    assert len(reached) > 1
    assert reached <= set(range(2, 17, 2))
    is_exact = torch.arange(16) < found.num_exact[:, None]
    torch.testing.assert_close(found.probabilities[is_exact], exact[is_exact])
    assert float((found.probabilities - exact).abs().max()) < 0.1


def test_a_walk_ends_where_no_edge_goes_on():
    adj = Adjacency([[0, 1], [1, 2]], num_nodes=4)
    for most_work in (0, 100):
        assert not return_probabilities(adj.pattern, 3, most_work=most_work).probabilities.any()
    both = Adjacency([[0, 1], [1, 0]], num_nodes=3)
    found = return_probabilities(both.pattern, 3, is_symmetric=True, most_work=0).probabilities
    assert found.tolist() == [[0, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_no_nodes_and_wrong_input():
    empty = Adjacency(torch.empty(2, 0, dtype=torch.int64), num_nodes=0)
    assert return_probabilities(empty.pattern, 3).probabilities.shape == (0, 3)
    assert arrival_probabilities(empty.pattern, 3).shape == (0, 3)
    wide = Pattern(torch.tensor([0, 1]), torch.tensor([1]), num_cols=2)
    with pytest.raises(InputError, match="square"):
        return_probabilities(wide, 3)
    for steps in (0, -1, 2.0, True):
        with pytest.raises(InputError, match="num_steps"):
            arrival_probabilities(empty.pattern, steps)
    with pytest.raises(InputError, match="num_walks"):
        return_probabilities(empty.pattern, 3, num_walks=1)
    assert cpu.arrivals((np.zeros(1, np.int64), np.zeros(0, np.int64)), 2).shape == (0, 2)
