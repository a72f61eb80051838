"""What the elements of a structure alone say of its energy: a baseline, and the shift that a network starts from.

E ~ sum over the elements k of n_k s_k,   n_k how many atoms of the structure are of element k, s by least squares
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.equivariant.atom_network import Elements
from grapevine.ops.segment import segment_reduce


def composition(graph: Graph, elements: Sequence[int]) -> Float[Tensor, "g k"]:
    """How many atoms of each element each structure of a batch has, in float64.

    >>> composition(Graph([[0], [1]], z=torch.tensor([8, 1, 1])), (1, 8)).tolist()
    [[2.0, 1.0]]
    """
    check("z" in graph.node, "the graph must hold z, the atomic numbers of its atoms")
    kind = Elements(elements)(graph.z)
    return segment_reduce(graph.members, torch.nn.functional.one_hot(kind, len(elements)).double())


def fit_shift(counts: Float[Tensor, "g k"], energy: Float[Tensor, " g"]) -> Float[Tensor, " k"]:
    """The energy of each element that together come nearest to those of the structures, in float64.

    Where the structures leave some of it open, as those of one formula do, it is the smallest such energies.

    Args:
        counts: [g, k] atoms of each element, of `composition`.
        energy: [g] energies.

    >>> fit_shift(torch.tensor([[2.0, 1.0], [2.0, 0.0]]), torch.tensor([-19.0, -4.0])).round().tolist()
    [-2.0, -15.0]
    """
    check_tensor("counts", counts, ndim=2)
    check_tensor("energy", energy, ndim=1)
    check_rows("energy", energy, counts.shape[0], "structures")
    check(bool(energy.isfinite().all()), "every energy must be a finite number")
    return torch.linalg.pinv(counts.double(), rtol=1e-10) @ energy.double()
