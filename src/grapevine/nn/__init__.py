"""Layers and the networks made of them."""

from grapevine.nn import interop
from grapevine.nn.aggregation import LSTM, Aggregation, Max, Mean, Min, Sum
from grapevine.nn.block import ResidualBlock
from grapevine.nn.conv import Conv, GATConv, GATv2Conv, GCNConv, GINConv, GINEConv, LinearConv, SAGEConv, gcn_conv
from grapevine.nn.gnn import GNN
from grapevine.nn.linear import Linear
from grapevine.nn.message_passing import MessagePassing
from grapevine.nn.mlp import MLP
from grapevine.nn.norm import BatchNorm, GraphNorm, LayerNorm
from grapevine.nn.readout import Readout

__all__ = [
    "GNN",
    "LSTM",
    "MLP",
    "Aggregation",
    "BatchNorm",
    "Conv",
    "GATConv",
    "GATv2Conv",
    "GCNConv",
    "GINConv",
    "GINEConv",
    "GraphNorm",
    "LayerNorm",
    "Linear",
    "LinearConv",
    "Max",
    "Mean",
    "MessagePassing",
    "Min",
    "Readout",
    "ResidualBlock",
    "SAGEConv",
    "Sum",
    "gcn_conv",
    "interop",
]
