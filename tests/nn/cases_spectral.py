"""Spectral layers and relatives, PNA, GatedGCN and MLP messages, with the options that change what they compute."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from grapevine.graph import Graph
from grapevine.nn.aggregation import Aggregation, Mean
from grapevine.nn.aggregation.std import Std, Var
from grapevine.nn.conv.arma import ARMAConv
from grapevine.nn.conv.cheb import ChebConv
from grapevine.nn.conv.gated_gcn import GatedGCNConv
from grapevine.nn.conv.laplacian import largest_eigenvalues
from grapevine.nn.conv.mlp_message import MLPMessageConv
from grapevine.nn.conv.pna import PNAConv
from grapevine.nn.conv.sgc import SGConv
from grapevine.nn.conv.spectral import SpectralConv, laplacian_eigenvectors
from grapevine.nn.encoder.node_edge import NodeEdgeStack
from grapevine.nn.message_passing import MessagePassing
from grapevine.testing import (
    Case,
    check_batched_equals_single,
    check_bipartite,
    check_empty_graph,
    check_gradients,
    check_isolated_nodes,
    check_permutation_equivariance,
    check_same_bits,
)


class Spread(MessagePassing):
    """h_i' = U h_i + the spread of tanh(W h_j)."""

    def __init__(self, aggregation: Aggregation):
        super().__init__(aggregation)
        self.lin_message, self.lin_update = nn.Linear(3, 4, bias=False), nn.Linear(3, 4)

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor | None) -> Tensor:
        return self.lin_message(x_src).tanh()

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return self.lin_update(x_dst) + message


class BothWays(nn.Module):
    """A layer on the graph whose edges go both ways, for those that need eigenvalues; with lambda_max in the graph."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, adj: Graph) -> Tensor:
        return self.layer(x, Graph.batch([both_ways(part) for part in adj.unbatch()]))


class BothStates(nn.Module):
    """A layer that gives edges new states, whose states of nodes hear those of their edges too."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, adj: Graph, edge: Tensor) -> Tensor:
        new_x, new_edge = self.layer(x, adj, edge)
        return new_x.index_add(0, adj.adj.dst, new_edge)


def both_ways(graph: Graph) -> Graph:
    """The graph with every edge turned round too, and its lambda_max."""
    edges = torch.cat([graph.adj.edge_index, graph.adj.edge_index.flip(0)], dim=1)
    turned = Graph(edges, num_nodes=graph.num_nodes)
    return turned.replace(graph={"lambda_max": largest_eigenvalues(turned)})


def spectral_of_the_cases_graph() -> nn.Module:
    """A SpectralConv made for the graph that every case is tried on."""
    _, adj, _ = Case("", nn.Identity).inputs()
    return BothWays(SpectralConv(3, 4, laplacian_eigenvectors(both_ways(Graph(adj))), num_coefficients=4))


def stack(**options: object) -> NodeEdgeStack:
    edge_channels = options.pop("edge_channels", None)
    layers = [GatedGCNConv(6, 6, **options) for _ in range(2)]
    return NodeEdgeStack(3, layers, hidden_channels=6, edge_channels=edge_channels)


def pna(in_channels: int = 4, out_channels: int = 4, **options: object) -> PNAConv:
    return PNAConv(in_channels, out_channels, avg_log_degree=1.1, **options)


_NO_PAIR = (check_bipartite,)
_TORCH_SUMS = (check_bipartite, check_same_bits)  # the bits of PyTorch's own batch norm depend on the threads
_LAST_EDGES = (*_TORCH_SUMS, check_gradients)  # nobody hears the last states of the edges, nor sees their norm
_SLOW = (check_bipartite, check_same_bits)  # thousands of graphs one by one
_ONE_GRAPH = (
    check_batched_equals_single,
    check_bipartite,
    check_empty_graph,
    check_isolated_nodes,
    check_permutation_equivariance,
    check_same_bits,
)


def _case(name: str, make: Callable[[], nn.Module], *, edge_channels: int | None = None, channels: int = 3) -> Case:
    """A layer that takes no pair of states."""
    return Case(name, make, channels=channels, edge_channels=edge_channels, exempt=_NO_PAIR)


CASES = [
    _case("Cheb", lambda: ChebConv(3, 4, 4)),
    _case("Cheb wide", lambda: ChebConv(9, 4, 4, bias=False), channels=9),
    _case("Cheb one term", lambda: ChebConv(-1, 4, 1)),
    _case("Cheb weighted", lambda: ChebConv(3, 4, 3), edge_channels=0),
    _case("Cheb weighted wide", lambda: ChebConv(9, 4, 3, lambda_max=1.7), edge_channels=0, channels=9),
    _case("Cheb D - A", lambda: ChebConv(3, 4, 3, normalization="none", lambda_max=6)),
    _case("Cheb D - A weighted", lambda: ChebConv(3, 4, 3, normalization="none", lambda_max=6), edge_channels=0),
    Case("Cheb graph", lambda: BothWays(ChebConv(3, 4, 3, lambda_max="graph")), exempt=_SLOW),
    Case(
        "Cheb computed",
        lambda: BothWays(ChebConv(3, 4, 3, normalization="none", lambda_max="computed")),
        exempt=_SLOW,
    ),
    Case("Spectral", spectral_of_the_cases_graph, exempt=_ONE_GRAPH),
    _case("ARMA", lambda: ARMAConv(3, 4, activation="tanh")),
    _case("ARMA stacks", lambda: ARMAConv(3, 4, num_stacks=3, num_layers=3, dropout=0.4, activation="tanh")),
    _case("ARMA shared", lambda: ARMAConv(-1, 2, num_layers=3, shared_weights=True, bias=False, activation="none")),
    _case("ARMA weighted", lambda: ARMAConv(9, 2, num_layers=2, activation="elu"), edge_channels=0, channels=9),
    _case("SG", lambda: SGConv(3, 4, 2)),
    _case("SG wide", lambda: SGConv(9, 4, 2, add_self_loops=False, bias=False), channels=9),
    _case("SG weighted", lambda: SGConv(-1, 4, 2), edge_channels=0),
    _case("SG cached", lambda: SGConv(3, 4, 2, cached=True)),
    Case("Var", lambda: Spread(Var())),
    Case("Std", lambda: Spread(Std())),
    Case("PNA", pna, channels=4),
    Case(
        "PNA edges",
        lambda: pna(edge_channels=5, pre_layers=2, post_layers=2, bias=False),
        channels=4,
        edge_channels=5,
    ),
    Case("PNA towers", lambda: pna(towers=2, edge_channels=5, scalers=["attenuation"]), channels=4, edge_channels=5),
    Case(
        "PNA divided",
        lambda: pna(towers=2, divide_input=True, pre_layers=2, aggregations=["std", "mean"]),
        channels=4,
    ),
    Case("GatedGCN", lambda: BothStates(GatedGCNConv(3, 4, edge_channels=5)), edge_channels=5, exempt=_TORCH_SUMS),
    _case("GatedGCN plain", lambda: BothStates(GatedGCNConv(3, 3, batch_norm=False, dropout=0.4)), edge_channels=3),
    _case(
        "GatedGCN no residual",
        lambda: BothStates(GatedGCNConv(3, 3, batch_norm=False, residual=False)),
        edge_channels=3,
    ),
    Case("NodeEdgeStack", lambda: stack(edge_channels=5), edge_channels=5, exempt=_LAST_EDGES),
    _case("NodeEdgeStack no edge features", lambda: stack(batch_norm=False)),
    Case("MLPMessage", lambda: MLPMessageConv(3, 3, activation="silu")),
    Case(
        "MLPMessage edges",
        lambda: MLPMessageConv(3, 4, hidden_channels=8, edge_channels=5, num_linear=3, layer_norm=False),
        edge_channels=5,
    ),
    Case("MLPMessage mean", lambda: MLPMessageConv(3, 3, aggregation=Mean(), residual=False, activation="gelu")),
]  # fmt: skip
