"""Weights from PyTorch Geometric: one table a layer, from its parameter names to ours."""

from collections.abc import Mapping

from torch import Tensor
from torch.nn.parameter import UninitializedParameter

from grapevine.errors import InputError
from grapevine.nn.conv import (
    ChebConv,
    Conv,
    EdgeNetworkConv,
    GATConv,
    GATv2Conv,
    GCNConv,
    GINConv,
    GINEConv,
    SAGEConv,
    SGConv,
)
from grapevine.nn.linear import Linear

# Their name, or the prefix of their names, to ours.
_TABLES: dict[type[Conv], dict[str, str]] = {
    GCNConv: {"lin.weight": "lin.weight", "bias": "bias"},
    SGConv: {"lin.weight": "lin.weight", "lin.bias": "bias"},
    ChebConv: {"lins.": "lins.", "bias": "bias"},
    SAGEConv: {
        "lin_l.weight": "lin.weight",
        "lin_l.bias": "bias",
        "lin_r.weight": "lin_root.weight",
        "lin.": "lin_pool.",
        "aggr_module.lstm.": "lstm.lstm.",
    },
    GATConv: {
        "lin.weight": "lin.weight",
        "lin_src.weight": "lin.weight",
        "lin_dst.weight": "lin_dst.weight",
        "lin_edge.weight": "lin_edge.weight",
        "att_src": "att_src",
        "att_dst": "att_dst",
        "att_edge": "att_edge",
        "bias": "bias",
    },
    GATv2Conv: {
        "lin_l.": "lin_src.",
        "lin_r.": "lin_dst.",
        "lin_edge.weight": "lin_edge.weight",
        "att": "att",
        "bias": "bias",
    },
    # NNConv, whose network is Sequential(Linear, ReLU, Linear).
    EdgeNetworkConv: {
        "nn.0.": "networks.0.hidden.0.",
        "nn.2.": "networks.0.last.",
        "lin.": "lin_root.",
        "bias": "bias",
    },
    GINConv: {"nn.": "network.", "eps": "eps"},
    GINEConv: {"nn.": "network.", "lin.": "lin_edge.", "eps": "eps"},
}


def load_pyg(layer: Conv, state_dict: Mapping[str, Tensor]) -> None:
    """Load the state of PyTorch Geometric's layer of the same name, made with the same options, into ours.

    An EdgeNetworkConv is their NNConv with a network of two linear layers.

    Raises:
        InputError: listing the names that are unknown, missing or of another shape; the layer is then unchanged.

    >>> import torch
    >>> layer = GCNConv(2, 3)
    >>> load_pyg(layer, {"lin.weight": torch.ones(3, 2), "bias": torch.zeros(3)})
    >>> layer.lin.weight.sum().item()
    6.0
    """
    table = _TABLES.get(type(layer))
    if table is None:
        known = ", ".join(kind.__name__ for kind in _TABLES)
        raise InputError(f"load_pyg knows {known}, not {type(layer).__name__}")
    ours = layer.state_dict(keep_vars=True)
    new, problems = {}, []
    for their_name, tensor in state_dict.items():
        name = _our_name(table, their_name)
        if name is None or name not in ours:
            problems.append(f"unknown: {their_name}")
            continue
        shape = _shape(layer, name, ours[name], tensor)
        # Their scoring vectors and their eps have a dimension of 1 in front.
        new[name] = tensor.squeeze(0) if tensor.shape == (1, *shape) else tensor
        if new[name].shape != shape:
            problems.append(f"{their_name}: shape {tuple(tensor.shape)}, here {shape}")
    problems += [f"missing: {name}" for name in ours if name not in new]
    if problems:
        raise InputError(f"this state does not fit {type(layer).__name__}: " + "; ".join(problems))
    layer.load_state_dict(new)


def _shape(layer: Conv, name: str, ours: Tensor, theirs: Tensor) -> tuple[int, ...]:
    """The shape of our parameter; where its width is open, with their width."""
    owner = layer.get_submodule(name.rpartition(".")[0])
    if isinstance(ours, UninitializedParameter) and isinstance(owner, Linear):
        return (owner.out_channels, *theirs.shape[-1:])
    return tuple(ours.shape)


def _our_name(table: Mapping[str, str], their_name: str) -> str | None:
    if their_name in table:
        return table[their_name]
    for prefix, ours in table.items():
        if prefix.endswith(".") and their_name.startswith(prefix):
            return ours + their_name.removeprefix(prefix)
    return None
