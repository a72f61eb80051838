"""Tree-NeighborsMatch: binary trees, the keys and values at their leaves, and the answers at their roots."""

import networkx as nx
import pytest
import torch

from grapevine.data.datasets import dataset_info, load_dataset
from grapevine.data.datasets.tree_neighbors_match import leaf_values, load
from grapevine.errors import InputError


@pytest.mark.parametrize(("depth", "trees"), [(2, 96), (3, 8000), (4, 16_000)])  # (min(1000, leaves!) orders) leaves
def test_it_is_as_its_facts_say(depth, trees):
    info, dataset = dataset_info(f"trees:{depth}"), load_dataset(f"trees:{depth}")
    graph, leaves = dataset.graph, 2**depth
    assert graph.num_graphs == info.num_graphs == trees
    assert graph.num_nodes == info.num_nodes == trees * (2 * leaves - 1)
    assert graph.num_edges == info.num_edges == trees * (2 * leaves - 2)
    assert graph.x.shape[1] == info.num_features == 2 * leaves
    assert len(graph.y.unique()) == info.num_classes + 1 == leaves + 1  # and the unknown
    (split,) = dataset.splits
    roots = torch.zeros(graph.num_nodes, dtype=torch.bool)
    roots[graph.ptr[:-1]] = True
    assert torch.equal(split.train | split.val | split.test, roots)
    assert torch.equal(graph.y >= 0, roots)
    assert split.train.sum() == pytest.approx(0.8 * trees, abs=leaves)
    assert torch.bincount(graph.y[split.train]).float().std() < 1


def test_published_sizes():
    assert [dataset_info(f"trees:{depth}").num_graphs for depth in range(2, 9)] == [96, 8000, 16_000, *[32_000] * 4]


def test_a_tree_is_one_and_its_answer_is_there():
    graphs = load(3).graph.unbatch()
    for number in (0, 17, 7999):
        graph = graphs[number]
        tree = nx.DiGraph([(child, parent) for child, parent in graph.adj.edge_index.T.tolist()])
        turned = tree.reverse()
        assert nx.is_arborescence(turned)
        assert nx.dag_longest_path_length(tree) == 3
        leaves = sorted(node for node in turned if turned.out_degree(node) == 0)
        x = graph.x.to_dense()
        assert x[0, 8:].sum() == 0
        key = int(x[0, :8].argmax())
        assert key == number % 8
        (asked,) = (leaf for leaf in leaves if x[leaf, key] == 1)
        assert graph.y[0] == x[asked, 8:].argmax()
        assert torch.equal(x[leaves, :8], torch.eye(8))
        assert torch.equal(x[leaves, 8:].sum(0), torch.ones(8))
        between = [node for node in range(1, 15) if node not in leaves]
        assert not x[between].any()


def test_orders_of_shallow_trees_are_all_different():
    for depth, count in ((2, 24), (3, 1000)):
        assert len({tuple(order) for order in leaf_values(depth).tolist()}) == count


def test_depths_that_are_not_there():
    with pytest.raises(InputError, match="depth 2 to 8, got 9"):
        load(9)
    with pytest.raises(InputError, match="no data set 'trees:9'"):
        load_dataset("trees:9")
