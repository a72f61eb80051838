"""The molecular graph convolution against its equations in plain loops."""

import pytest
import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.nn.conv.molecular_graph import MolecularGraphConv
from tests.nn.compare import assert_same
from tests.nn.encoder.molecules import batch, neighbours


@pytest.mark.parametrize("edge_out_channels", [None, 3])
def test_it_is_its_equations(edge_out_channels):
    torch.manual_seed(0)
    graph = batch()
    layer = MolecularGraphConv(3, 4, edge_channels=2, edge_out_channels=edge_out_channels).double()
    x, edge = graph.x, graph.edge_attr

    def mapped(linear: torch.nn.Module, *parts: Tensor) -> Tensor:
        return (linear.weight @ torch.cat(parts) + linear.bias).relu()

    def by_loops() -> Tensor:
        atoms = []
        for i, heard in enumerate(neighbours(graph)):
            total = sum((e for _, e in heard), torch.zeros(2, dtype=torch.float64))
            atoms.append(mapped(layer.atom_joint, mapped(layer.of_atom, x[i]), total))
        bonds, weight = [], torch.cat([layer.of_target.weight, layer.of_source.weight], 1)
        for (j, i), e in zip(graph.adj.edge_index.T.tolist(), edge, strict=True):
            ends = (weight @ torch.cat([x[i], x[j]]) + layer.of_target.bias).relu()
            bonds.append(mapped(layer.bond_joint, mapped(layer.of_bond, e), ends))
        return torch.cat([torch.stack(atoms).flatten(), torch.stack(bonds).flatten()])

    def ours() -> Tensor:
        return torch.cat([states.flatten() for states in layer(x, graph, edge)])

    assert_same(ours, by_loops, [x.requires_grad_(), edge.requires_grad_(), *layer.parameters()])


def test_the_width_of_the_bonds_is_checked():
    graph = batch()
    with pytest.raises(InputError, match="edge must have 5 columns, got 2"):
        MolecularGraphConv(3, 4, edge_channels=5).double()(graph.x, graph, graph.edge_attr)
