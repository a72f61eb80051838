"""Small structures with their neighbours found by brute force, and a pair potential to check potentials with."""

import itertools
import math

import torch
from torch import Tensor

from grapevine.graph import Graph
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import lengths
from grapevine.nn.equivariant.radial import polynomial_cutoff
from grapevine.ops.segment import segment_reduce

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


def neighbours(pos: Tensor, cutoff: float) -> Tensor:
    """[2, e] every pair of two atoms within the cut-off, both ways."""
    near = torch.cdist(pos, pos, compute_mode="donot_use_mm_for_euclid_dist") < cutoff
    near.fill_diagonal_(False)
    return near.nonzero().T


def molecule(name: str, cutoff: float = 4.0, dtype: torch.dtype = torch.float64) -> Graph:
    z, places = PLACES[name]
    return structure(torch.tensor(z), torch.tensor(places, dtype=dtype), cutoff)


def structure(z: Tensor, pos: Tensor, cutoff: float) -> Graph:
    return Graph(neighbours(pos.detach(), cutoff), z=z, pos=pos)


def crystal(z: Tensor, pos: Tensor, cell: Tensor, cutoff: float) -> Graph:
    """A periodic structure: every image of every atom within the cut-off, its own images among them."""
    heights = torch.linalg.det(cell).abs() / torch.linalg.cross(cell.roll(-1, 0), cell.roll(-2, 0)).norm(dim=1)
    reach = [math.ceil(cutoff / height) + 1 for height in heights.tolist()]
    edges, shifts = [], []
    for image in itertools.product(*(range(-n, n + 1) for n in reach)):
        shift = torch.tensor(image, dtype=pos.dtype)
        apart = torch.cdist(pos + shift @ cell, pos, compute_mode="donot_use_mm_for_euclid_dist")
        near = apart < cutoff
        if not any(image):
            near.fill_diagonal_(False)
        pairs = near.nonzero().T
        edges.append(pairs)
        shifts.append(shift.expand(pairs.shape[1], 3))
    return Graph(
        torch.cat(edges, 1), z=z, pos=pos, edge={"shift": torch.cat(shifts)}, graph={"cell": cell.unsqueeze(0)}
    )


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
