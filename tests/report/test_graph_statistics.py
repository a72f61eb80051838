"""The figures of a graph against worked examples, dense formulas, NetworkX and PyTorch Geometric."""

import math

import networkx as nx
import numpy as np
import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.report import graph_statistics
from tests.data.cases import CORA, needs_cora
from tests.report.cases import random_graph


def networkx_of(graph: Graph) -> nx.Graph:
    simple = nx.Graph()
    simple.add_nodes_from(range(graph.num_nodes))
    simple.add_edges_from((i, j) for i, j in graph.adj.edge_index.T.tolist() if i != j)
    return simple


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_networkx(seed):
    graph = random_graph(seed=seed)
    y = torch.from_numpy(np.random.default_rng(seed).integers(0, 4, graph.num_nodes))
    value = torch.from_numpy(np.random.default_rng(seed).normal(size=graph.num_nodes))
    figures, simple = graph_statistics(graph, y), networkx_of(graph)
    assert (figures.num_nodes, figures.num_edges) == (len(simple), simple.number_of_edges())
    assert figures.num_isolated == nx.number_of_isolates(simple) > 0
    assert figures.num_components == nx.number_connected_components(simple)
    assert figures.largest_component == max(map(len, nx.connected_components(simple))) / len(simple)
    assert figures.density == pytest.approx(nx.density(simple))
    assert figures.clustering == pytest.approx(nx.average_clustering(simple))
    nx.set_node_attributes(simple, dict(enumerate(y.tolist())), "y")
    nx.set_node_attributes(simple, dict(enumerate(value.tolist())), "value")
    assert figures.homophily.adjusted == pytest.approx(nx.attribute_assortativity_coefficient(simple, "y"))
    assert figures.assortativity is None
    numbers = graph_statistics(graph, value)
    assert numbers.assortativity == pytest.approx(nx.numeric_assortativity_coefficient(simple, "value"))
    assert (numbers.homophily, numbers.class_counts) == (None, None)


@pytest.mark.parametrize("seed", range(3))
def test_homophily_is_the_dense_formula(seed):
    graph = random_graph(seed=seed)
    y = np.random.default_rng(seed).integers(0, 3, graph.num_nodes)
    dense = np.zeros((graph.num_nodes, graph.num_nodes))
    dense[tuple(graph.adj.edge_index.numpy())] = 1
    same, degree = (y[:, None] == y[None]) * dense, dense.sum(1)
    edge = same.sum() / dense.sum()
    shares = sum((degree[y == k].sum() / dense.sum()) ** 2 for k in range(3))
    found = graph_statistics(graph, torch.from_numpy(y)).homophily
    assert found.edge == pytest.approx(edge)
    assert found.node == pytest.approx((same.sum(1)[degree > 0] / degree[degree > 0]).mean())
    assert found.adjusted == pytest.approx((edge - shares) / (1 - shares))


def test_homophily_is_that_of_pyg():
    pyg = pytest.importorskip("torch_geometric.utils")
    graph = random_graph()
    y = torch.arange(graph.num_nodes) % 3
    found = graph_statistics(graph, y).homophily
    assert found.edge == pytest.approx(pyg.homophily(graph.adj.edge_index, y, method="edge"))
    is_isolated = graph.adj.in_degree == 0
    theirs = pyg.homophily(graph.adj.edge_index, y, method="node")  # counts isolated nodes as 0
    assert found.node == pytest.approx(theirs * graph.num_nodes / float((~is_isolated).sum()))


def test_a_path_by_hand():
    found = graph_statistics(Graph([[0, 1], [1, 2]]), torch.tensor([0, 0, 1])).homophily
    assert (found.edge, found.node) == (0.5, (1 + 0.5 + 0) / 3)
    assert found.adjusted == pytest.approx((0.5 - (9 + 1) / 16) / (1 - (9 + 1) / 16))  # degrees 1 + 2 and 1 of 4


@pytest.mark.parametrize(
    ("y", "adjusted"), [([0, 0, 1, 1], 1.0), ([0, 1, 0, 1], -1.0)], ids=["never leaves a class", "always leaves it"]
)
def test_the_ends_of_the_scale(y, adjusted):
    graph = Graph([[0, 1, 2, 3], [1, 0, 3, 2]])
    assert graph_statistics(graph, torch.tensor(y)).homophily.adjusted == pytest.approx(adjusted)


def test_unknown_classes_loops_and_repeated_edges_do_not_count():
    graph = Graph([[0, 1, 0, 1, 2, 2, 1], [1, 0, 1, 0, 2, 1, 2]])
    figures = graph_statistics(graph, torch.tensor([1, 1, -1]))
    assert (figures.homophily.edge, figures.num_loops, figures.num_edges) == (1, 1, 4)
    assert math.isnan(figures.homophily.adjusted)  # only one class
    assert figures.density == pytest.approx(2 / 3)
    assert figures.class_counts.tolist() == [0, 2]


def test_direction_does_not_matter_to_likeness():
    one_way = Graph([[0, 1], [1, 2]])
    both = Graph([[0, 1, 1, 2], [1, 0, 2, 1]])
    y = torch.tensor([0, 0, 1])
    directed, undirected = graph_statistics(one_way, y), graph_statistics(both, y)
    assert directed.homophily == undirected.homophily
    assert (directed.is_undirected, undirected.is_undirected) == (False, True)
    assert directed.num_edges == undirected.num_edges == 2
    assert (directed.in_degree.tolist(), directed.out_degree.tolist()) == ([0, 1, 1], [1, 1, 0])


def test_a_hub_is_sampled_without_bias():
    generator = np.random.default_rng(0)
    ends = np.unique(np.sort(generator.integers(1, 301, (2, 20_000)), 0), axis=1)
    ends = ends[:, ends[0] != ends[1]]
    spokes = np.stack([np.zeros(300, int), np.arange(1, 301)])
    graph = Graph(torch.from_numpy(np.concatenate([ends, spokes], 1)), num_nodes=301)
    figures = graph_statistics(graph)
    assert figures.clustering == pytest.approx(nx.average_clustering(networkx_of(graph)), abs=0.01)


def test_a_collection():
    graphs = Graph.batch([Graph([[0, 1], [1, 0]], num_nodes=2), Graph([[0, 1], [1, 0]], num_nodes=3)])
    figures = graph_statistics(graphs, torch.tensor([4, 4]))
    assert (figures.num_graphs, figures.nodes_per_graph.tolist(), figures.edges_per_graph.tolist()) == (
        2,
        [2, 3],
        [2, 2],
    )
    assert figures.density == pytest.approx(2 / (1 + 3))
    assert figures.class_counts.tolist() == [0, 0, 0, 0, 2]
    assert figures.homophily is None


@pytest.mark.parametrize("n", [0, 1, 3])
def test_without_edges(n):
    figures = graph_statistics(
        Graph(torch.zeros(2, 0, dtype=torch.long), num_nodes=n), torch.zeros(n, dtype=torch.long)
    )
    assert (figures.num_edges, figures.num_isolated, figures.density, figures.clustering) == (0, n, 0, 0)


def test_a_wrong_number_of_answers_is_refused():
    with pytest.raises(InputError, match="y must have a row for each"):
        graph_statistics(random_graph(), torch.zeros(7))


@needs_cora
def test_cora_is_as_published():
    from grapevine.data.readers.planetoid import read_planetoid

    graph = read_planetoid(CORA, "cora")
    found = graph_statistics(graph, graph.y, num_sampled=graph.num_nodes)
    assert round(found.homophily.edge, 2) == 0.81
    assert round(found.homophily.adjusted, 2) == 0.77  # Platonov et al. 2023, table 1
    assert (found.num_components, round(found.clustering, 3)) == (78, 0.241)
