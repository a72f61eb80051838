"""200 epochs, five times 40, of the two-layer GCN on Cora (Kipf and Welling 2017).

It is 16 wide, with dropout of a half on the input and between, as in PyTorch Geometric's example. That has dense
features; given them as a sparse CSR tensor, whose values are dropped out, it is measured too.
"""

import torch
import torch_geometric.nn as pyg

from benchmarks import peers
from benchmarks.graphs import DATA, Case
from benchmarks.race import Race, race
from benchmarks.report import Claim, Result, skipped
from benchmarks.timing import Scale
from benchmarks.training import Trainer
from grapevine.data.datasets import load_dataset
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn import GNN, GCNConv

_FASTER = 5.0
_HIDDEN = 16
_FOLDER = DATA / "planetoid"


def run(scale: Scale) -> Result:
    """Both sides' training, without the evaluation that a program would put between the epochs."""
    try:
        _load()
    except InputError as error:
        return skipped("Cora", str(error))
    epochs, rounds = (40, 5) if scale.is_full else (5, 1)
    measured = scale.fresh(compare, epochs, rounds)
    claim = Claim(f"Cora: faster than {measured.best}", measured.ratio(measured.best), _FASTER)
    return Result([measured.table(f"Cora, {epochs} epochs of GCN, {rounds} times")], [claim])


def compare(epochs: int, rounds: int) -> Race:
    """The times of that many epochs, so often."""
    graph = _load()
    sizes = graph.x.shape[1], int(graph.y.max()) + 1
    nodes = graph.train_mask.nonzero().squeeze(1)
    case, weight = peers.normalised(Case("Cora", graph.adj.edge_index, graph.num_nodes))
    dense, matrix = graph.x.to_dense(), graph.x.to_dense().to_sparse_csr()
    inputs = {form: (dense, *peers.edges(form, case, weight)) for form in peers.form_names()}
    inputs["torch CSR, sparse features"] = matrix, *peers.edges("torch CSR", case, weight)
    theirs = {form: _trainer(_their_network(*sizes), given, graph.y, nodes) for form, given in inputs.items()}
    ours = _trainer(_our_network(*sizes), (graph.x, graph.adj), graph.y, nodes)
    return race(ours, theirs, epochs=epochs, rounds=rounds)


def _load() -> Graph:
    return load_dataset("cora", _FOLDER if _FOLDER.is_dir() else None).graph


def _trainer(network: torch.nn.Module, inputs: tuple, y: torch.Tensor, nodes: torch.Tensor) -> Trainer:
    return Trainer(network, inputs, y, nodes, weight_decay=5e-4)


def _our_network(num_features: int, num_classes: int) -> GNN:
    layers = GCNConv(num_features, _HIDDEN), GCNConv(_HIDDEN, num_classes)
    return GNN(layers, input_dropout=0.5, dropout=0.5)


def _their_network(num_features: int, num_classes: int) -> peers.Network:
    torch.manual_seed(0)  # the same weights whatever the form
    widths = (num_features, _HIDDEN), (_HIDDEN, num_classes)
    return peers.Network([pyg.GCNConv(*pair, normalize=False) for pair in widths], input_dropout=0.5)
