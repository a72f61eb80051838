"""Each encoding against a dense formula, NetworkX or PyTorch Geometric."""

from math import log

import networkx
import numpy as np
import pytest
import scipy.linalg
import torch

from grapevine.encoding import (
    Detour,
    Distance,
    EdgeRandomWalk,
    EdgeResistance,
    Heat,
    Laplacian,
    RandomWalk,
    Resistance,
    Rings,
    Substructures,
)
from grapevine.encoding.cycles import cycle_counts
from grapevine.encoding.laplacian import canonical
from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph, from_networkx
from grapevine.graph.measures import undirected
from tests.encoding.cases import both_ways, naphthalene, pieces, random_graph

SIMPLE = {"random": random_graph(), "other": random_graph(20, 4, seed=5), "pieces": pieces(), "rings": naphthalene()}
simple = pytest.mark.parametrize("graph", SIMPLE.values(), ids=SIMPLE)


def network_of(graph: Graph) -> networkx.Graph:
    network = networkx.Graph(graph.adj.edge_index.T.tolist())
    network.add_nodes_from(range(graph.num_nodes))
    return network


def laplacian_of(graph: Graph) -> np.ndarray:
    nodes = range(graph.num_nodes)
    return networkx.normalized_laplacian_matrix(network_of(graph), nodelist=nodes).toarray()


@simple
def test_return_probabilities_are_those_of_pyg(graph: Graph):
    pyg = pytest.importorskip("torch_geometric")
    data = pyg.data.Data(edge_index=graph.adj.edge_index, num_nodes=graph.num_nodes)
    theirs = pyg.transforms.AddRandomWalkPE(16, attr_name="pe")(data).pe
    torch.testing.assert_close(RandomWalk(16)(graph), theirs)


def test_walks_go_along_the_edges():
    pyg = pytest.importorskip("torch_geometric")
    edges = torch.tensor([[0, 1, 1, 2, 3, 2], [1, 2, 3, 0, 0, 1]])
    theirs = pyg.transforms.AddRandomWalkPE(6, attr_name="pe")(pyg.data.Data(edge_index=edges, num_nodes=4)).pe
    torch.testing.assert_close(RandomWalk(6)(Graph(edges, num_nodes=4)), theirs)


@simple
def test_heat_is_the_diagonal_of_the_exponential(graph: Graph):
    laplacian = laplacian_of(graph)
    expected = np.stack([np.diagonal(scipy.linalg.expm(-t * laplacian)) for t in range(1, 21)], 1)
    assert np.allclose(Heat(20).values(graph), expected, atol=1e-8)


@simple
def test_eigenvectors_are_those_of_the_laplacian(graph: Graph):
    """Orthonormal eigenvectors of each piece, by increasing eigenvalue, none of them trivial."""
    laplacian, found = laplacian_of(graph), Laplacian(5).values(graph)
    for piece in networkx.connected_components(network_of(graph)):
        nodes = sorted(piece)
        values = np.linalg.eigvalsh(laplacian[np.ix_(nodes, nodes)])[1:6]
        part = found[nodes]
        there = min(5, len(nodes) - 1)
        assert not part[:, there:].any()
        assert np.allclose(part[:, :there].T @ part[:, :there], np.eye(there))
        assert np.allclose(laplacian[np.ix_(nodes, nodes)] @ part[:, :there], part[:, :there] * values[:there])


def test_eigenvectors_are_those_of_pyg_up_to_the_sign():
    pyg = pytest.importorskip("torch_geometric")
    graph = SIMPLE["other"]
    data = pyg.data.Data(edge_index=graph.adj.edge_index, num_nodes=graph.num_nodes)
    theirs = pyg.transforms.AddLaplacianEigenvectorPE(6, attr_name="pe", is_undirected=True)(data).pe
    torch.testing.assert_close(Laplacian(6)(graph).abs(), theirs.float().abs(), rtol=1e-4, atol=1e-5)


@simple
def test_signs_are_chosen(graph: Graph):
    found = Laplacian(3).values(graph)
    for column in found[:, found.any(0)].T:
        large = np.abs(column) >= np.abs(column).max() * (1 - 1e-6)
        assert graph.num_graphs > 1 or column[large].max() > 0


def test_a_repeated_eigenvalue_has_one_basis():
    """The space of a ring's second eigenvalue is two wide: whatever basis of it comes, the same one is chosen."""
    n, k = 7, np.arange(7)
    waves = np.stack([np.cos(2 * np.pi * k / n), np.sin(2 * np.pi * k / n)], 1) * np.sqrt(2 / n)
    expected = canonical(np.ones(2), waves, 2)
    for angle in (0.3, 1.0, 2.5):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        assert np.allclose(canonical(np.ones(2), waves @ turn, 2), expected)
        assert np.allclose(canonical(np.ones(2), waves @ turn, 1), expected[:, :1])
    assert np.allclose(expected @ expected.T, waves @ waves.T)
    ring = from_networkx(networkx.cycle_graph(7))
    assert np.allclose(Laplacian(2).values(ring), expected)


@pytest.mark.parametrize("network", [networkx.grid_2d_graph(35, 23), networkx.random_regular_graph(4, 800, seed=0)])
def test_large_pieces_have_the_same_eigenvectors(network):
    graph = from_networkx(networkx.convert_node_labels_to_integers(network))
    found = Laplacian(4).values(graph)
    values, vectors = np.linalg.eigh(laplacian_of(graph))
    expected = canonical(values[1:], vectors[:, 1:], 4)
    assert np.abs(found - expected).max() < 1e-5


@simple
def test_distances_are_counted(graph: Graph):
    lengths = dict(networkx.all_pairs_shortest_path_length(network_of(graph)))
    expected = [[sum(d == k for d in lengths[i].values()) for k in (1, 2, 3, 4)] for i in range(graph.num_nodes)]
    assert np.allclose(np.expm1(Distance(4).values(graph)), expected)


def test_distances_go_along_the_edges():
    path = Graph([[0, 1], [1, 2]])
    assert np.expm1(Distance(2).values(path)).round().tolist() == [[0, 0], [1, 0], [1, 1]]


@simple
def test_detours_are_paths_without_the_edge(graph: Graph):
    found = Detour().values(graph)[:, 0]
    for (j, i), value in zip(graph.adj.edge_index.T.tolist(), found, strict=True):
        rest = network_of(graph)
        rest.remove_edge(j, i)
        there = networkx.has_path(rest, j, i)
        assert value == pytest.approx(1 / networkx.shortest_path_length(rest, j, i) if there else 0)


def test_long_detours_loops_and_repeats():
    ring = from_networkx(networkx.cycle_graph(17))
    assert np.allclose(Detour().values(ring), 1 / 16)
    assert not Detour().values(from_networkx(networkx.cycle_graph(18))).any()
    odd = both_ways([(0, 1), (0, 1), (1, 2), (2, 2), (2, 0)], 3)
    expected = [0 if j == i else 1 / 2 for j, i in odd.adj.edge_index.T.tolist()]
    assert Detour().values(odd)[:, 0].tolist() == expected


@simple
def test_resistances_are_those_of_networkx(graph: Graph):
    network, found = network_of(graph), Resistance(5).values(graph)
    for piece in networkx.connected_components(network):
        part = network.subgraph(piece)
        if len(piece) == 1:
            assert not found[list(piece)].any()
            continue
        between = networkx.resistance_distance(part)
        for i in piece:
            others = [between[i][j] for j in piece if j != i]
            assert np.allclose(found[i], np.quantile(others, [0, 0.25, 0.5, 0.75, 1]))
    ends = EdgeResistance().values(graph)[:, 0]
    for (j, i), value in zip(graph.adj.edge_index.T.tolist(), ends, strict=True):
        part = network.subgraph(networkx.node_connected_component(network, i))
        assert value == pytest.approx(networkx.resistance_distance(part, j, i))


def test_resistances_of_a_large_piece():
    ring = from_networkx(networkx.cycle_graph(3200))
    with pytest.raises(InputError, match="3,000 nodes at most, this graph has one of 3,200"):
        Resistance(2)(ring)


@simple
def test_relative_walks_are_powers(graph: Graph):
    dense = np.zeros((graph.num_nodes,) * 2)
    src, dst = graph.adj.edge_index.numpy()
    dense[src, dst] = 1
    walk = dense / np.maximum(dense.sum(1, keepdims=True), 1)
    expected = np.stack([np.linalg.matrix_power(walk, k)[src, dst] for k in (1, 2, 3, 4, 5)], 1)
    assert np.allclose(EdgeRandomWalk(5).values(graph), expected)


def counted(cycles, num_nodes: int, most: int) -> np.ndarray:
    found = np.zeros((num_nodes, most - 2))
    for cycle in cycles:
        found[cycle, len(cycle) - 3] += 1
    return found


@simple
def test_cycles_are_those_of_networkx(graph: Graph):
    network, n = network_of(graph), graph.num_nodes
    chordless = counted((c for c in networkx.chordless_cycles(network, 7) if len(c) > 2), n, 7)
    assert np.allclose(np.expm1(Rings(7).values(graph)), chordless)
    all_of_them = counted(networkx.simple_cycles(network, 6), n, 6)
    cliques = np.zeros(n)
    for clique in networkx.enumerate_all_cliques(network):
        if len(clique) == 4:
            cliques[clique] += 1
    expected = np.concatenate([all_of_them, cliques[:, None]], axis=1)
    assert np.allclose(np.expm1(Substructures(6).values(graph)), expected)


def test_a_complete_graph_and_too_many_paths():
    complete = from_networkx(networkx.complete_graph(6))
    assert np.expm1(Substructures(4).values(complete))[0].round(6).tolist() == [10, 30, 10]
    assert Rings(5).values(complete)[0].round(6).tolist() == [round(log(11), 6), 0, 0]
    dense = undirected(Adjacency(torch.combinations(torch.arange(60)).T))
    with pytest.raises(InputError, match="too many paths of 9 nodes begin at node 0"):
        cycle_counts(dense, 9)
