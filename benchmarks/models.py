"""The four networks, on both sides: three layers, 128 wide, ReLU and dropout of a half between them."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch_geometric.nn as pyg
from torch import Tensor, nn

from benchmarks import peers
from benchmarks.graphs import CHANNELS, CLASSES, Case
from grapevine.nn import GNN, MLP, Conv, GATConv, GCNConv, GINConv, SAGEConv
from grapevine.nn.interop import load_pyg

Kind = Literal["GCN", "SAGE", "GIN", "GAT"]
KINDS: tuple[Kind, ...] = ("GCN", "SAGE", "GIN", "GAT")
HEADS = 4  # of GAT's hidden layers; the last has one


def ours(kind: Kind) -> GNN:
    """Grapevine's network."""
    return GNN([_our_layer(kind, width) for width in (CHANNELS, CHANNELS, CLASSES)], dropout=0.5)


def theirs(kind: Kind) -> peers.Network:
    """PyTorch Geometric's."""
    return peers.Network([_their_layer(kind, width) for width in (CHANNELS, CHANNELS, CLASSES)])


def their_forms(kind: Kind) -> list[str]:
    """The forms of the graph that PyTorch Geometric's layer takes.

    With 32-bit indices GATConv raises an error, and PyTorch 2.13 gives the mean of SAGEConv wrong gradients.
    """
    return [form for form in peers.form_names() if not (kind in ("GAT", "SAGE") and form == peers.NARROW)]


def their_edges(kind: Kind, form: str, case: Case) -> tuple:
    """The graph in that form."""
    if kind == "GCN":
        return peers.edges(form, *peers.normalised(case))
    return peers.edges(form, peers.looped(case) if kind == "GAT" else case)


def products(kind: Kind) -> list[tuple[int, int, bool]]:
    """The maps of a network: how wide their input and output are, and whether the input is the features."""
    maps = [(CHANNELS, CHANNELS, True), (CHANNELS, CHANNELS, False), (CHANNELS, CLASSES, False)]
    if kind == "SAGE":  # one for the node, one for its neighbours
        return maps * 2
    if kind == "GIN":  # each layer's network has one more in front
        return [maps[0], *[(CHANNELS, CHANNELS, False)] * 4, maps[2]]
    return maps


def load(layers: Sequence[nn.Module], states: Sequence[Mapping[str, Tensor]]) -> None:
    """Load what PyTorch Geometric's layers have by their names into ours."""
    for layer, state in zip(layers, states, strict=True):
        assert isinstance(layer, Conv)
        load_pyg(layer, {name.replace("nn.lins.", "nn.layers."): tensor for name, tensor in state.items()})


def _our_layer(kind: Kind, width: int) -> Conv:
    if kind == "GCN":
        return GCNConv(CHANNELS, width)
    if kind == "SAGE":
        return SAGEConv(CHANNELS, width)
    if kind == "GIN":
        return GINConv(MLP([CHANNELS, CHANNELS, width]))
    heads = _heads(width)
    return GATConv(CHANNELS, width // heads, heads=heads)


def _their_layer(kind: Kind, width: int) -> nn.Module:
    if kind == "GCN":
        return pyg.GCNConv(CHANNELS, width, normalize=False)
    if kind == "SAGE":
        return pyg.SAGEConv(CHANNELS, width)
    if kind == "GIN":
        return pyg.GINConv(pyg.MLP([CHANNELS, CHANNELS, width], norm=None))
    heads = _heads(width)
    return pyg.GATConv(CHANNELS, width // heads, heads=heads, add_self_loops=False)


def _heads(width: int) -> int:
    return HEADS if width == CHANNELS else 1
