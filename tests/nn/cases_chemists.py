"""The networks of chemists, with the options that change what they compute, for the laws to run over."""

import torch
from torch import Tensor, nn

from grapevine.graph import Graph
from grapevine.nn.conv.molecular_graph import MolecularGraphConv
from grapevine.nn.conv.neural_fingerprint import NeuralFingerprintConv
from grapevine.nn.encoder import Encoder
from grapevine.nn.encoder.attentive_fp import AttentiveFP, AttentiveReadout
from grapevine.nn.encoder.dmpnn import DMPNN
from grapevine.nn.encoder.weave import GaussianHistogram, Weave
from grapevine.nn.fingerprint_readout import FingerprintReadout
from grapevine.nn.gnn import GNN
from grapevine.nn.norm import BatchNorm
from grapevine.nn.readout import Readout
from grapevine.ops.segment import segment_reduce
from grapevine.testing import Case, check_bipartite, check_same_bits


class BothWays(nn.Module):
    """A network for undirected graphs on a graph whose edges each stand for both directions."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, adj: Graph, edge: Tensor) -> Tensor:
        src, dst = adj.adj.edge_index
        # Each edge is followed by its other direction, so that of repeated ones the right two belong together.
        ends = torch.stack([torch.stack([src, dst], 1).flatten(), torch.stack([dst, src], 1).flatten()])
        graph = Graph(ends, num_nodes=len(x))
        return self.network(x, graph, edge.repeat_interleave(2, 0)[graph.adj.edge_id])


class BothStates(nn.Module):
    """What a layer makes of the nodes, beside the sums of what it makes of the edges."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, adj: Graph, edge: Tensor) -> Tensor:
        nodes, edges = self.layer(x, adj, edge)
        pattern = (adj.adj if isinstance(adj, Graph) else adj).pattern
        return torch.cat([nodes, segment_reduce(pattern, edges, reduce="sum")], dim=1)


class ReadOut(nn.Module):
    """An encoder and a head that reads all its layers."""

    def __init__(self, encoder: Encoder, head: nn.Module):
        super().__init__()
        self.encoder, self.head = encoder, head

    def forward(self, x: Tensor, adj: Graph, edge: Tensor) -> Tensor:
        return self.head(self.encoder.all_states(x, adj, edge), adj)


def dmpnn(**options: object) -> nn.Module:
    return BothWays(DMPNN(3, 4, edge_channels=2, activation="tanh", **options))


def fingerprints() -> nn.Module:
    layers = [NeuralFingerprintConv(3, 4, max_degree=9, edge_channels=2), NeuralFingerprintConv(4, 5, max_degree=9,
              edge_channels=2)]  # fmt: skip
    return ReadOut(GNN(layers, activation="tanh", activate_last=True), FingerprintReadout([3, 4, 5], 6))


def moved(network: nn.Module) -> nn.Module:
    """With biases that are not 0: where nothing is heard, ELU and ReLU would stand at 0, where they bend."""
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter += 0.5 * torch.rand_like(parameter)
    return network


_NO_PAIR = (check_bipartite,)
_TORCH_SUMS = (check_bipartite, check_same_bits)  # the bits of PyTorch's own batch norm depend on the threads

CASES = [
    Case("DMPNN", dmpnn, edge_channels=2, exempt=_NO_PAIR),
    Case("DMPNN chemprop", lambda: dmpnn(mode="chemprop", dropout=0.4), edge_channels=2, exempt=_NO_PAIR),
    Case("DMPNN undirected", lambda: dmpnn(undirected=True, bias=True), edge_channels=2, exempt=_NO_PAIR),
    Case("DMPNN one step", lambda: dmpnn(num_steps=1), edge_channels=2, exempt=_NO_PAIR),
    Case(
        "AttentiveFP", lambda: moved(AttentiveFP(3, 4, edge_channels=2, num_layers=3)), edge_channels=2, exempt=_NO_PAIR
    ),
    Case(
        "AttentiveFP atoms only",
        lambda: moved(AttentiveFP(-1, 4, edge_channels=2, edge_in_message=False, dropout=0.4)),
        edge_channels=2,
        exempt=_NO_PAIR,
    ),
    Case("AttentiveReadout", lambda: Readout(AttentiveReadout(3, num_steps=3)), output="graph"),
    Case("Weave", lambda: moved(Weave(3, 4, edge_channels=2, hidden_channels=5)), edge_channels=2, exempt=_NO_PAIR),
    Case(
        "Weave pairs",
        lambda: moved(Weave(-1, 4, edge_channels=2, hidden_channels=5, num_layers=3, distance=2)),
        edge_channels=2,
        exempt=_NO_PAIR,
    ),
    Case(
        "Weave norm",
        lambda: moved(Weave(3, 4, edge_channels=2, num_layers=1, norm=BatchNorm(4))),
        edge_channels=2,
        exempt=_TORCH_SUMS,
    ),
    Case("GaussianHistogram", lambda: Readout(GaussianHistogram()), output="graph"),
    Case("MolecularGraph", lambda: BothStates(MolecularGraphConv(3, 4, edge_channels=2)), edge_channels=2),
    Case(
        "MolecularGraph narrow",
        lambda: BothStates(MolecularGraphConv(3, 4, edge_channels=2, edge_out_channels=3, bias=False)),
        edge_channels=2,
    ),
    Case("NeuralFingerprint", lambda: NeuralFingerprintConv(3, 4, max_degree=9)),
    Case(
        "NeuralFingerprint edges",
        lambda: NeuralFingerprintConv(3, 4, max_degree=9, edge_channels=2, bias=False),
        edge_channels=2,
    ),
    Case("Fingerprint readout", fingerprints, edge_channels=2, output="graph"),
]
