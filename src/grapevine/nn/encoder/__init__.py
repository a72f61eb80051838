"""Networks that keep more than the states of nodes between their steps, one paper a file."""

from grapevine.nn.encoder.appnp import APPNP
from grapevine.nn.encoder.attentive_fp import AttentiveFP, AttentiveReadout
from grapevine.nn.encoder.dmpnn import DMPNN
from grapevine.nn.encoder.dropped import Dropped
from grapevine.nn.encoder.encoder import Encoder
from grapevine.nn.encoder.fagcn import FAGCN
from grapevine.nn.encoder.gcnii import GCNII
from grapevine.nn.encoder.ggnn import GGNN, GatedSumReadout
from grapevine.nn.encoder.gprgnn import GPRGNN
from grapevine.nn.encoder.graph_diffusion import GraphDiffusion
from grapevine.nn.encoder.graph_network import GraphNetwork
from grapevine.nn.encoder.graph_random import GraphRandomNetwork
from grapevine.nn.encoder.h2gcn import H2GCN
from grapevine.nn.encoder.linkx import LINKX
from grapevine.nn.encoder.mpnn import MPNN
from grapevine.nn.encoder.node_edge import NodeEdgeStack
from grapevine.nn.encoder.weave import GaussianHistogram, Weave

__all__ = [
    "APPNP",
    "DMPNN",
    "FAGCN",
    "GCNII",
    "GGNN",
    "GPRGNN",
    "H2GCN",
    "LINKX",
    "MPNN",
    "AttentiveFP",
    "AttentiveReadout",
    "Dropped",
    "Encoder",
    "GatedSumReadout",
    "GaussianHistogram",
    "GraphDiffusion",
    "GraphNetwork",
    "GraphRandomNetwork",
    "NodeEdgeStack",
    "Weave",
]
