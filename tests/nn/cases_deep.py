"""The layers and networks that are made to be deep, for the one table the laws run over."""

from grapevine import nn as gnn
from grapevine.testing import Case, check_bipartite
from tests.nn.cases import _OF_ALL_NODES, _TORCH_SUMS, OnMembers, gnn_of_gcn

_NO_PAIR = (check_bipartite,)


def jumping(kind: str) -> gnn.JumpingNetwork:
    layers = [gnn.GCNConv(3, 4), gnn.SAGEConv(4, 4), gnn.GCNConv(4, 4)]
    network = gnn.GNN(layers, activation="elu", activate_last=True)
    return gnn.JumpingNetwork(network, gnn.JumpingKnowledge(kind, 4, 3), 2)


def gcnii(**options: object) -> gnn.GCNII:
    return gnn.GCNII(3, 2, hidden_channels=4, num_layers=3, dropout=0.4, **options)


def random_network(**options: object) -> gnn.GraphRandomNetwork:
    return gnn.GraphRandomNetwork(3, 2, hidden_channels=8, **options)


def diffusion(**options: object) -> gnn.GraphDiffusion:
    options = {"solver": "rk4", "heads": 2, "attention_channels": 4, **options}
    return gnn.GraphDiffusion(3, 2, hidden_channels=4, time=2.0, **options)


CASES = [
    Case("GCNIIConv", lambda: gnn.GCNIIConv(3, alpha=0.2, beta=0.3), exempt=_NO_PAIR),
    Case("GCNIIConv weighted", lambda: gnn.GCNIIConv(3, alpha=0.2), edge_channels=0, exempt=_NO_PAIR),
    Case("GCNIIConv two maps", lambda: gnn.GCNIIConv(3, shared_weights=False, add_self_loops=False), exempt=_NO_PAIR),
    Case("GCNII", gcnii, exempt=_NO_PAIR),
    Case("GCNII weighted", lambda: gcnii(alpha=0.3, strength=1.5), edge_channels=0, exempt=_NO_PAIR),
    Case("APPNP", lambda: gnn.APPNP(3, 2, hidden_channels=[8], dropout=0.4, edge_dropout=0.5), exempt=_NO_PAIR),
    Case("APPNP weighted", lambda: gnn.APPNP(3, 2, num_steps=3, edge_dropout=0.5), edge_channels=0, exempt=_NO_PAIR),
    Case("GRAND", lambda: random_network(), exempt=_NO_PAIR),
    Case("GRAND weighted", lambda: random_network(num_steps=2), edge_channels=0, exempt=_NO_PAIR),
    Case("Diffusion linear", lambda: diffusion(), exempt=_NO_PAIR),
    Case("Diffusion", lambda: diffusion(is_linear=False, has_source=True), exempt=_NO_PAIR),
    Case("PairNorm", lambda: OnMembers(gnn.PairNorm(scale=2.0)), exempt=_OF_ALL_NODES),
    Case("PairNorm-SI", lambda: OnMembers(gnn.PairNorm(is_individual=True)), exempt=_OF_ALL_NODES),
    Case("DiffGroupNorm", lambda: OnMembers(gnn.DiffGroupNorm(3, num_groups=2, balance=0.5)), exempt=_TORCH_SUMS),
    Case("Jumping cat", lambda: jumping("cat"), exempt=_NO_PAIR),
    Case("Jumping max", lambda: jumping("max"), exempt=_NO_PAIR),
    Case("Jumping lstm", lambda: jumping("lstm"), exempt=_TORCH_SUMS),
    Case("GNN initial", lambda: gnn_of_gcn(residual=[gnn.InitialResidual(0.3)] * 2), exempt=_NO_PAIR),
    Case("GNN gated", lambda: gnn_of_gcn(residual=[gnn.AddResidual(), gnn.GatedResidual(6)]), exempt=_NO_PAIR),
    Case(
        "GNN dense",
        lambda: gnn.GNN([gnn.GCNConv(3, 4), gnn.GCNConv(4, 2), gnn.GCNConv(6, 4)], residual="dense"),
        exempt=_NO_PAIR,
    ),
    Case("DropMessage GCN", lambda: gnn.DropMessage(gnn.GCNConv(3, 4), 0.4), edge_channels=0, exempt=_NO_PAIR),
    Case("DropMessage SAGE", lambda: gnn.DropMessage(gnn.SAGEConv(3, 4, normalize=True), 0.4)),
    Case(
        "Dropped",
        lambda: gnn.Dropped(gnn_of_gcn(), [gnn.DropEdge(0.4), gnn.DropNode(0.3)]),
        edge_channels=0,
        exempt=_NO_PAIR,
    ),
]
