"""Small structures to hold networks of atoms to their laws on, their neighbours found by brute force.

j -> i is an edge where an image of j, not i itself, is within the cut-off of i
"""

import itertools
import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grapevine.graph import Graph

_LEAST = 0.9  # angstrom between two atoms of a cluster


def molecule(z: Int[Tensor, " n"], pos: Float[Tensor, "n 3"], cutoff: float) -> Graph:
    """Atoms in empty space; every pair within the cut-off hears each other.

    >>> molecule(torch.tensor([8, 1, 1]), torch.tensor([[0.0, 0, 0], [0, 0, 1], [0, 1, 0]]), cutoff=1.2)
    Graph(3 nodes, 4 edges; node: pos [3, 3], z [3])
    """
    return Graph(_near(pos, pos, cutoff, is_own=True), z=z, pos=pos)


def crystal(z: Int[Tensor, " n"], pos: Float[Tensor, "n 3"], cell: Float[Tensor, "3 3"], cutoff: float) -> Graph:
    """Atoms of a periodic structure, cell vectors as rows; every image within the cut-off is heard, one's own too.

    >>> cube = crystal(torch.tensor([6]), torch.zeros(1, 3), 2 * torch.eye(3), cutoff=2.5)
    >>> cube.num_edges, cube.shift.abs().sum(1).tolist()
    (6, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    """
    volume = torch.linalg.det(cell).abs()
    heights = volume / torch.linalg.cross(cell.roll(-1, 0), cell.roll(-2, 0)).norm(dim=1)
    reach = [math.ceil(cutoff / height) + 1 for height in heights.tolist()]
    edges, shifts = [], []
    for image in itertools.product(*(range(-n, n + 1) for n in reach)):
        shift = torch.tensor(image, dtype=pos.dtype)
        pairs = _near(pos + shift @ cell, pos, cutoff, is_own=not any(image))
        edges.append(pairs)
        shifts.append(shift.expand(pairs.shape[1], 3))
    edge, graph = {"shift": torch.cat(shifts)}, {"cell": cell.unsqueeze(0)}
    return Graph(torch.cat(edges, dim=1), z=z, pos=pos, edge=edge, graph=graph)


def cluster(elements: tuple[int, ...], cutoff: float, *, num_atoms: int = 7, seed: int = 0) -> Graph:
    """Atoms of these elements in turn, thrown into a cube as long as the cut-off, none on top of another; float64.

    >>> cluster((1, 8), 4.0).z.tolist()
    [1, 8, 1, 8, 1, 8, 1]
    """
    generator, places = torch.Generator().manual_seed(seed), torch.zeros(0, 3, dtype=torch.float64)
    while len(places) < num_atoms:
        new = cutoff * torch.rand(1, 3, generator=generator, dtype=torch.float64)
        if len(places) == 0 or bool((torch.cdist(places, new) > min(_LEAST, cutoff / 4)).all()):
            places = torch.cat([places, new])
    return molecule(_in_turn(elements, num_atoms), places, cutoff)


def thin_crystal(elements: tuple[int, ...], cutoff: float) -> Graph:
    """Three atoms in a skewed cell that is thinner than the cut-off; float64."""
    cell = torch.tensor([[0.78, 0.05, 0.0], [0.1, 0.72, 0.08], [-0.05, 0.12, 0.85]], dtype=torch.float64)
    pos = torch.tensor([[0.02, 0.0, 0.05], [0.4, 0.35, 0.02], [0.05, 0.38, 0.45]], dtype=torch.float64)
    return crystal(_in_turn(elements, 3), cutoff * pos, cutoff * cell, cutoff)


def vectors(graph: Graph, pos: Float[Tensor, "n 3"] | None = None) -> Float[Tensor, "e 3"]:
    """Where the source of each edge is, seen from its target; with other places in the stead of the graph's."""
    places = graph.pos if pos is None else pos
    apart = places.index_select(0, graph.adj.src) - places.index_select(0, graph.adj.dst)
    if "shift" not in graph.edge:
        return apart
    cell = graph.cell.index_select(0, graph.graph_id.index_select(0, graph.adj.dst))
    return apart + torch.einsum("ea,eab->eb", graph.shift, cell)


def without_pair(graph: Graph, one: int, other: int) -> Graph:
    """The same structure where these two atoms do not hear each other."""
    src, dst = graph.adj.edge_index
    joins = ((src == one) & (dst == other)) | ((src == other) & (dst == one))
    return Graph(graph.adj.edge_index[:, ~joins], z=graph.z, pos=graph.pos)


def _near(heard: Tensor, pos: Tensor, cutoff: float, *, is_own: bool) -> Tensor:
    """[2, e] the pairs of a place that is heard and one that hears."""
    near = torch.cdist(heard, pos, compute_mode="donot_use_mm_for_euclid_dist") < cutoff
    if is_own:
        near.fill_diagonal_(False)
    return near.nonzero().T


def _in_turn(elements: tuple[int, ...], count: int) -> Tensor:
    return torch.tensor([elements[k % len(elements)] for k in range(count)])
