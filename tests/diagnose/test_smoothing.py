"""Over-smoothing: against dense formulas, and on states whose measures are known."""

import importlib
import math

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.diagnose.smoothing import (
    dirichlet_energy,
    mean_average_distance,
    mean_cosine,
    normalised_energy,
    singular_values,
    smoothing,
)
from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn import GNN, GCNConv
from grapevine.ops.sparse import SparseMatrix
from tests.diagnose.cases import adjacency_of, any_graph, random_states, some

MODULE = importlib.import_module("grapevine.diagnose.smoothing")  # the package's `smoothing` is the function


@some
@given(any_graph(), st.integers(1, 4), st.integers(0, 5))
def test_against_the_dense_formulas(case, channels, seed):
    adj, plain = case
    n = adj.num_nodes
    x, dense = random_states(n, channels, seed), torch.from_numpy(nx.to_numpy_array(plain, nodelist=range(n)))
    degree, root = dense.sum(1), (dense.sum(1) + 1) ** -0.5
    laplacian = torch.eye(n) - root[:, None] * (dense + torch.eye(n)) * root
    (found,) = smoothing([x], adj)
    assert math.isclose(found.energy, 2 * torch.trace(x.T @ (degree.diag() - dense) @ x).item() / n, abs_tol=1e-12)
    normalised = torch.trace(x.T @ laplacian @ x).item() / n
    assert math.isclose(found.normalised_energy, normalised, abs_tol=1e-12)
    assert math.isclose(found.relative_energy, n * normalised / x.square().sum().item(), abs_tol=1e-12)
    cosine = torch.nn.functional.cosine_similarity(x[:, None], x[None], dim=-1)
    means = ((1 - cosine) * dense).sum(1)[degree > 0] / degree[degree > 0]
    assert np.isclose(found.mean_distance, means.mean().item() if len(means) else np.nan, equal_nan=True)
    others = cosine[~torch.eye(n, dtype=torch.bool)]
    assert np.isclose(found.mean_cosine, others.mean().item() if n > 1 else np.nan, equal_nan=True)
    values = torch.linalg.svdvals(x)
    assert found.rank == torch.linalg.matrix_rank(x)
    assert math.isclose(found.stable_rank, (values.square().sum() / values[0] ** 2).item(), rel_tol=1e-9)
    entropy = torch.distributions.Categorical(values).entropy().exp().item()
    assert math.isclose(found.effective_rank, entropy, rel_tol=1e-6)


@some
@given(any_graph())
def test_the_parts_are_the_whole_and_sparse_is_dense(case):
    adj, _ = case
    x = random_states(adj.num_nodes, 3).relu()
    sparse = SparseMatrix.from_torch(x.to_sparse())
    (found,), (again,) = smoothing([x], adj), smoothing([sparse], adj)
    for name, value in vars(found).items():
        assert np.isclose(value, getattr(again, name), equal_nan=True), name
    for states in (x, sparse):
        parts = dirichlet_energy(states, adj), normalised_energy(states, adj), mean_average_distance(states, adj)
        assert np.allclose(parts, (found.energy, found.normalised_energy, found.mean_distance), equal_nan=True)
        assert np.isclose(mean_cosine(states), found.mean_cosine, equal_nan=True)


def test_what_direction_loops_and_repetitions_do_is_nothing():
    x = random_states(3, 2)
    once = smoothing([x], Adjacency([[0, 1], [1, 2]]))
    assert smoothing([x], Adjacency([[0, 1, 1, 2, 2, 1], [1, 0, 2, 1, 2, 2]])) == once


def test_states_that_are_all_alike():
    ring, x = adjacency_of(nx.cycle_graph(6)), torch.ones(6, 4)
    (found,) = smoothing([x], ring)
    assert (found.energy, found.normalised_energy, found.relative_energy, found.mean_distance) == (0, 0, 0, 0)
    assert (round(found.mean_cosine, 12), found.rank, found.zero_share) == (1, 1, 0)
    assert math.isclose(found.effective_rank, 1, rel_tol=1e-5)
    (zero,) = smoothing([torch.zeros(6, 4)], ring)
    assert (zero.energy, zero.rank, zero.effective_rank, zero.stable_rank, zero.zero_share) == (0, 0, 0, 0, 1)
    assert math.isnan(zero.relative_energy)
    assert math.isnan(zero.mean_distance)
    assert math.isnan(zero.mean_cosine)


def test_orthogonal_states():
    (found,) = smoothing([torch.eye(5)], adjacency_of(nx.complete_graph(5)))
    assert (found.energy, found.mean_distance, found.mean_cosine, found.rank) == (8, 1, 0, 5)  # 4 neighbours at 2 each
    assert math.isclose(found.relative_energy, 4 / 5)  # L = I - ones / 5
    assert math.isclose(found.effective_rank, 5)
    assert math.isclose(found.stable_rank, 5)


def test_states_that_are_nearly_alike_lose_no_digits():
    x = torch.ones(2, 1, dtype=torch.float64) + torch.tensor([[0.0], [2.0**-40]], dtype=torch.float64)
    assert dirichlet_energy(x, torch.tensor([[0], [1]])) == 2.0**-80
    tiny = torch.tensor([[1e-200, 0.0], [1e-200, 1e-200]], dtype=torch.float64)
    assert math.isclose(mean_cosine(tiny), 0.5**0.5)


def test_averaging_again_and_again_smooths():
    adj = adjacency_of(nx.barbell_graph(4, 1))
    looped = adj.edge_index
    both = Adjacency(torch.cat([looped, looped.flip(0)], 1), adj.num_nodes)
    network = GNN([GCNConv(3, 3, bias=False) for _ in range(40)])
    for conv in network.modules():
        if isinstance(conv, GCNConv):
            conv.lin.weight.data = torch.eye(3)
    found = smoothing(network.all_states(random_states(9, 3).float().abs(), both), both)
    energies = [layer.relative_energy for layer in found]
    assert len(found) == 41
    assert energies == sorted(energies, reverse=True)
    assert energies[-1] < 1e-2 * energies[0]
    assert found[-1].effective_rank < found[0].effective_rank


def test_chunks_of_edges(monkeypatch):
    adj, x = adjacency_of(nx.grid_2d_graph(5, 5)), random_states(25, 3)
    whole = smoothing([x], adj)
    monkeypatch.setattr(MODULE, "_CHUNK", 7)
    assert smoothing([x], adj) == whole


def test_a_rank_of_some_rows(monkeypatch):
    monkeypatch.setattr(MODULE, "_WIDEST", 4)
    assert len(singular_values(random_states(9, 7))) == 4
    assert len(singular_values(random_states(9, 3))) == 3


def test_ranks_of_coarse_states():
    x = random_states(40, 12).float()
    low = torch.cat([x[:, :3], x[:, :3] @ random_states(3, 9, 1).float()], 1)  # rank 3, and float32's rounding
    for states, rank in ((x, 12), (x.T.contiguous(), 12), (low, 3)):
        (found,), (fine,) = (smoothing([s], Adjacency([[0], [1]], num_nodes=len(s))) for s in (states, states.double()))
        assert found.rank == rank
        assert math.isclose(found.effective_rank, fine.effective_rank, rel_tol=1e-5)
        assert math.isclose(found.stable_rank, fine.stable_rank, rel_tol=1e-9)
        assert np.allclose(singular_values(states), singular_values(states.double()), atol=1e-7 * fine.energy)


def test_empty():
    assert smoothing([], Adjacency([[], []], num_nodes=3)) == []
    (found,) = smoothing([torch.zeros(0, 4)], Adjacency([[], []], num_nodes=0))
    assert math.isnan(found.energy)
    (narrow,) = smoothing([torch.zeros(3, 0)], Adjacency([[0], [1]], num_nodes=3))
    assert (narrow.energy, narrow.rank) == (0, 0)


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (torch.ones(2, 1), "must be a list of tensors"),
        ([torch.ones(2)], r"states\[0\] must have 2 dimensions"),
        ([torch.ones(2, 1), torch.ones(3, 1)], r"states\[1\] must have a row for each of 2 nodes, got 3"),
        ([torch.tensor([[1.0], [math.nan]])], r"states\[0\] holds NaN or infinity"),
    ],
)
def test_wrong_states(states, message):
    with pytest.raises(InputError, match=message):
        smoothing(states, Adjacency([[0], [1]]))
