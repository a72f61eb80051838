"""Small structures, and a pair potential to check potentials with."""

import torch

from grapevine.graph import Graph
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import lengths
from grapevine.nn.equivariant.radial import polynomial_cutoff
from grapevine.ops.segment import segment_reduce
from grapevine.testing.structures import crystal, molecule

PLACES = {
    "ethanol": (
        [6, 6, 8, 1, 1, 1, 1, 1, 1],
        [
            [0.007, -0.569, 0.0], [-1.285, 0.25, 0.02], [1.13, 0.314, 0.05], [0.039, -1.197, 0.89],
            [0.039, -1.2, -0.891], [-1.317, 0.88, 0.89], [-1.318, 0.879, -0.88], [-2.145, -0.41, 0.0],
            [1.985, -0.114, 0.01],
        ],
    ),
    "water": ([8, 1, 1], [[0.0, 0.0, 0.12], [0.0, 0.76, -0.48], [0.0, -0.76, -0.48]]),
    "carbon dioxide": ([8, 6, 8], [[0.0, 0.0, -1.16], [0.0, 0.0, 0.0], [0.0, 0.0, 1.16]]),
    "hydrogen": ([1, 1], [[0.0, 0.0, 0.0], [0.3, 0.4, 0.5]]),
    "lone atom": ([8], [[1.0, 2.0, 3.0]]),
}  # fmt: skip


def named(name: str, cutoff: float = 4.0, dtype: torch.dtype = torch.float64) -> Graph:
    z, places = PLACES[name]
    return molecule(torch.tensor(z), torch.tensor(places, dtype=dtype), cutoff)


def salt(cutoff: float = 4.0, dtype: torch.dtype = torch.float64) -> Graph:
    """Three atoms in a skewed cell that is thinner than the cut-off."""
    cell = torch.tensor([[3.1, 0.2, 0.0], [0.4, 2.9, 0.3], [-0.2, 0.5, 3.4]], dtype=dtype)
    pos = torch.tensor([[0.1, 0.0, 0.2], [1.6, 1.4, 0.1], [0.2, 1.5, 1.8]], dtype=dtype)
    return crystal(torch.tensor([1, 6, 8]), pos, cell, cutoff)


class Pairs(AtomNetwork):
    """Half of sqrt(z_i z_j) exp(-r) for each pair, which a cut-off takes to zero."""

    def forward(self, z, adj, vector):
        self.rows_of(z, adj, vector)
        r = lengths(vector)
        charge = z.to(vector.dtype).sqrt()
        pair = charge[adj.src] * charge[adj.dst] * (-r).exp() * polynomial_cutoff(r, self.cutoff)
        return segment_reduce(adj.pattern, pair.unsqueeze(1)) / 2
