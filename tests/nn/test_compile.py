"""torch.compile takes whole networks without a break: the same numbers, and few traces for many graphs."""

import shutil

import pytest
import torch

from grapevine import nn as gnn
from grapevine.graph import Adjacency
from tests.nn.compare import NUM_SRC, assert_same, leaf, random_edges, square

BACKEND = "inductor" if shutil.which("g++") or shutil.which("clang++") else "aot_eager"


def stack(*layers: gnn.Conv) -> gnn.GNN:
    torch.manual_seed(0)
    return gnn.GNN(layers, activation="elu").double()


NETWORKS = {
    "GCN": lambda: stack(gnn.GCNConv(3, 8), gnn.GCNConv(8, 4)),
    "SAGE": lambda: stack(gnn.SAGEConv(3, 8), gnn.SAGEConv(8, 4, aggregation="max")),
    "GAT": lambda: stack(gnn.GATConv(3, 4, heads=2), gnn.GATConv(8, 4)),
    "GATv2": lambda: stack(gnn.GATv2Conv(3, 4, heads=2), gnn.GATv2Conv(8, 4)),
    "GIN": lambda: stack(gnn.GINConv(gnn.MLP([3, 8, 8])), gnn.GINConv(gnn.MLP([8, 8, 4]), train_eps=True)),
}


@pytest.fixture(autouse=True)
def _forget_traces():
    torch.compiler.reset()


@pytest.mark.parametrize("name", ["GCN", "GAT", "GIN"])
def test_compiled_equals_eager(name):
    network, adj, x = NETWORKS[name](), square(), leaf(NUM_SRC, 3)
    network(x, adj)  # makes what the adjacency keeps, its loops and degrees, whose sizes no trace can know
    compiled = torch.compile(network, fullgraph=True, backend=BACKEND)
    assert_same(lambda: compiled(x, adj), lambda: network(x, adj), [x, *network.parameters()])


@pytest.mark.parametrize("name", NETWORKS)
def test_two_traces_serve_graphs_of_all_sizes(name):
    """One for the first graph's sizes, one for any; and nothing of a graph stays in a trace."""
    traces = []

    def count(module, inputs):
        traces.append(module)
        return module

    network = NETWORKS[name]()
    compiled = torch.compile(network, fullgraph=True, backend=count)
    for num_nodes in (9, 10, 11, 12, 12):
        adj, x = Adjacency(random_edges(num_nodes, num_nodes, 3 * num_nodes), num_nodes), leaf(num_nodes, 3)
        adj = adj.reverse() if traces else adj
        wanted = network(x, adj)
        torch.testing.assert_close(compiled(x, adj), wanted)
    assert len(traces) <= 2
