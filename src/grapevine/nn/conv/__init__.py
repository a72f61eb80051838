"""Convolutions, one paper a file."""

from grapevine.nn.conv.alone import LinearConv
from grapevine.nn.conv.arma import ARMAConv
from grapevine.nn.conv.cheb import ChebConv
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.dirgnn import DirGNNConv
from grapevine.nn.conv.edge_network import EdgeNetworkConv
from grapevine.nn.conv.fagcn import FAConv
from grapevine.nn.conv.gat import GATConv
from grapevine.nn.conv.gat_sep import GATSepConv
from grapevine.nn.conv.gated_gcn import GatedGCNConv
from grapevine.nn.conv.gatv2 import GATv2Conv
from grapevine.nn.conv.gcn import GCNConv, gcn_conv
from grapevine.nn.conv.gcnii import GCNIIConv
from grapevine.nn.conv.gin import GINConv
from grapevine.nn.conv.gine import GINEConv
from grapevine.nn.conv.graph_network_block import GraphNetworkBlock
from grapevine.nn.conv.interaction import InteractionConv
from grapevine.nn.conv.mlp_message import MLPMessageConv
from grapevine.nn.conv.molecular_graph import MolecularGraphConv
from grapevine.nn.conv.neural_fingerprint import NeuralFingerprintConv
from grapevine.nn.conv.node_edge import NodeEdgeLayer
from grapevine.nn.conv.pair_message import PairMessage
from grapevine.nn.conv.pna import PNAConv
from grapevine.nn.conv.sage import SAGEConv
from grapevine.nn.conv.sgc import SGConv
from grapevine.nn.conv.spectral import SpectralConv

__all__ = [
    "ARMAConv",
    "ChebConv",
    "Conv",
    "DirGNNConv",
    "EdgeNetworkConv",
    "FAConv",
    "GATConv",
    "GATSepConv",
    "GATv2Conv",
    "GCNConv",
    "GCNIIConv",
    "GINConv",
    "GINEConv",
    "GatedGCNConv",
    "GraphNetworkBlock",
    "InteractionConv",
    "LinearConv",
    "MLPMessageConv",
    "MolecularGraphConv",
    "NeuralFingerprintConv",
    "NodeEdgeLayer",
    "PNAConv",
    "PairMessage",
    "SAGEConv",
    "SGConv",
    "SpectralConv",
    "gcn_conv",
]
