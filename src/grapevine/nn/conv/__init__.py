"""Convolutions, one paper a file."""

from grapevine.nn.conv.alone import LinearConv
from grapevine.nn.conv.conv import Conv
from grapevine.nn.conv.gat import GATConv
from grapevine.nn.conv.gatv2 import GATv2Conv
from grapevine.nn.conv.gcn import GCNConv, gcn_conv
from grapevine.nn.conv.gin import GINConv
from grapevine.nn.conv.gine import GINEConv
from grapevine.nn.conv.sage import SAGEConv

__all__ = ["Conv", "GATConv", "GATv2Conv", "GCNConv", "GINConv", "GINEConv", "LinearConv", "SAGEConv", "gcn_conv"]
