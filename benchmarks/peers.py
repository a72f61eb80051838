"""PyTorch Geometric's side: its layers, and each form in which they take a graph.

The matrices are built, their caches filled, and what a layer would compute anew at each call (GCN's normalisation,
GAT's self-loops) is computed once, all before any clock runs.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric import EdgeIndex
from torch_geometric.nn.conv.gcn_conv import gcn_norm
from torch_geometric.typing import (
    WITH_TORCH_SPARSE,
    SparseTensor,  # pyright: ignore[reportAttributeAccessIssue] where torch-sparse is not built
)
from torch_geometric.utils import add_self_loops

from benchmarks.graphs import Case

warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
torch.sparse.check_sparse_tensor_invariants.disable()  # the default, without the warning that says so

DEFAULT = "edge_index"
NARROW = "torch CSR, 32 bits"


def form_names() -> list[str]:
    """The forms in which a layer may be given its graph."""
    names = [DEFAULT, "EdgeIndex", "torch CSR", NARROW]
    return [*names, "SparseTensor"] if WITH_TORCH_SPARSE else names


def edges(form: str, case: Case, weight: Tensor | None = None) -> tuple:
    """What follows x in a call of a layer: the graph in that form, with what the layer may need of it ready."""
    if form == DEFAULT:
        return (case.edge_index,) if weight is None else (case.edge_index, weight)
    if form == "EdgeIndex":
        order = case.edge_index[1].argsort(stable=True)
        size = case.num_nodes, case.num_nodes
        make: Any = EdgeIndex  # its type admits no options
        index = make(case.edge_index[:, order], sparse_size=size, sort_order="col").fill_cache_()
        return (index,) if weight is None else (index, weight[order])
    if form == "SparseTensor":
        return (sparse_tensor(case, weight),)
    return (csr(case, weight),) if form == "torch CSR" else (narrowed(csr(case, weight)),)


def csr(case: Case, weight: Tensor | None = None) -> Tensor:
    """The transposed adjacency as a sparse CSR tensor; ones where there are no weights."""
    values = torch.ones(case.num_edges) if weight is None else weight
    size = case.num_nodes, case.num_nodes
    return torch.sparse_coo_tensor(case.edge_index.flip(0), values, size).coalesce().to_sparse_csr()


def narrowed(matrix: Tensor) -> Tensor:
    """The same with 32-bit indices."""
    indices = matrix.crow_indices().int(), matrix.col_indices().int()
    return torch.sparse_csr_tensor(*indices, matrix.values(), matrix.shape)


def sparse_tensor(case: Case, weight: Tensor | None = None):
    """The transposed adjacency as torch-sparse has it, with its caches filled."""
    src, dst = case.edge_index
    size = case.num_nodes, case.num_nodes
    return SparseTensor(row=dst, col=src, value=weight, sparse_sizes=size).fill_cache_()


def normalised(case: Case) -> tuple[Case, Tensor]:
    """With self-loops, and the weights of GCN."""
    normed: Any = gcn_norm(case.edge_index, num_nodes=case.num_nodes)
    edge_index, weight = normed
    return Case(case.name, edge_index, case.num_nodes), weight


def looped(case: Case) -> Case:
    """With self-loops, of which there is none yet."""
    edge_index, _ = add_self_loops(case.edge_index, num_nodes=case.num_nodes)
    return Case(case.name, edge_index, case.num_nodes)


class Network(nn.Module):
    """A stack of PyTorch Geometric's layers with ReLU and dropout between them, as its examples write it."""

    def __init__(self, layers: Sequence[nn.Module], *, input_dropout: float = 0.0, dropout: float = 0.5):
        super().__init__()
        self.layers, self.input_dropout, self.dropout = nn.ModuleList(layers), input_dropout, dropout

    def forward(self, x: Tensor, *edges: object) -> Tensor:
        *hidden, last = self.layers
        x = self._drop_input(x)
        for layer in hidden:
            x = F.dropout(layer(x, *edges).relu(), self.dropout, self.training)
        return last(x, *edges)

    def _drop_input(self, x: Tensor) -> Tensor:
        if self.input_dropout == 0:
            return x
        if x.layout != torch.sparse_csr:
            return F.dropout(x, self.input_dropout, self.training)
        values = F.dropout(x.values(), self.input_dropout, self.training)
        return torch.sparse_csr_tensor(x.crow_indices(), x.col_indices(), values, x.shape)
