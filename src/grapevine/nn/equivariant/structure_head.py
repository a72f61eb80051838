"""Properties of atoms and of structures that are no energy surface: numbers, sums, means, and the dipole moment.

sum or mean over the atoms i of (scale[z_i] out_i + shift[z_i])
mu = sum over the atoms of q_i x_i,    q_i = out_i less the mean of its structure, so that no charge is left over
"""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import vectors_of
from grapevine.nn.equivariant.potential import PerElement, per_element
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce

ReadoutName = Literal["sum", "mean", "none"]


class AtomReadout(nn.Module):
    """Numbers of each structure, or of each atom, that a network of atoms gives.

    Args:
        network: gives each atom its share.
        readout: "sum" for what grows with the structure, "mean" for what does not, "none" for numbers of atoms.
        shift, scale: for every number of every element: what is added, and what is multiplied by, as of a Potential.

    >>> from grapevine.graph import Adjacency
    >>> class Coordination(AtomNetwork):
    ...     def forward(self, z, adj, vector):
    ...         return adj.in_degree.to(vector.dtype).unsqueeze(1)
    >>> water = Graph([[0, 1, 0, 2], [1, 0, 2, 0]], z=torch.tensor([8, 1, 1]), pos=torch.eye(3))
    >>> AtomReadout(Coordination(elements=(1, 8), cutoff=3.0), readout="sum")(water).tolist()
    [[4.0]]
    """

    _shift: Tensor
    _scale: Tensor

    def __init__(
        self,
        network: AtomNetwork,
        *,
        readout: ReadoutName = "sum",
        shift: PerElement = 0.0,
        scale: PerElement = 1.0,
    ):
        super().__init__()
        check(isinstance(network, AtomNetwork), f"network must be an AtomNetwork, got {type(network).__name__}")
        check(readout in ("sum", "mean", "none"), f"readout must be sum, mean or none, got {readout!r}")
        self.network = network
        self.readout: ReadoutName = readout
        for name, given in (("shift", shift), ("scale", scale)):
            values = per_element(name, given, network.elements)
            self.register_buffer(f"_{name}", values.to(torch.get_default_dtype()))

    def forward(self, graph: Graph) -> Float[Tensor, "g c"]:
        """[g, out_channels] a row for each structure; of readout "none" for each atom."""
        _check_atoms(graph)
        kind = self.network.kinds(graph.z)
        out = self.network(graph.z, graph.adj, vectors_of(graph))
        out = torch.addcmul(self._shift[kind].unsqueeze(1), self._scale[kind].unsqueeze(1), out)
        return out if self.readout == "none" else segment_reduce(graph.members, out, reduce=self.readout)


class DipoleMoment(nn.Module):
    """The dipole moment of each structure, from charges of its atoms that a network gives.

    The charges of a structure add up to nothing, so that it does not matter where the structure stands. A moment is in
    e angstrom if that is what it is trained on. Periodic structures have none.

    Args:
        network: gives each atom a charge.
        norm: give the size of the moment, which QM9 has, and not the vector.

    >>> from grapevine.graph import Adjacency
    >>> class Electronegativity(AtomNetwork):
    ...     def forward(self, z, adj, vector):
    ...         return -z.to(vector.dtype).unsqueeze(1)
    >>> pos = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> bond = Graph([[0, 1], [1, 0]], z=torch.tensor([8, 1]), pos=pos)
    >>> DipoleMoment(Electronegativity(elements=(1, 8), cutoff=3.0))(bond).tolist()
    [[0.0, 0.0, 3.5]]
    """

    def __init__(self, network: AtomNetwork, *, norm: bool = False):
        super().__init__()
        check(isinstance(network, AtomNetwork), f"network must be an AtomNetwork, got {type(network).__name__}")
        channels = network.out_channels
        check(channels == 1, f"a charge is one number an atom, this network gives {channels}: make it out_channels=1")
        self.network, self.norm = network, norm

    def charges(self, graph: Graph) -> Float[Tensor, " n"]:
        """The charge of each atom."""
        _check_atoms(graph)
        check("cell" not in graph.graph, "a periodic structure has no dipole moment: this graph holds a cell")
        charge = self.network(graph.z, graph.adj, vectors_of(graph)).squeeze(1)
        return charge - gather(graph.members, segment_reduce(graph.members, charge, reduce="mean"), side="rows")

    def forward(self, graph: Graph) -> Float[Tensor, "g d"]:
        """[g, 3] the moments, or [g, 1] their sizes."""
        moment = segment_reduce(graph.members, self.charges(graph).unsqueeze(1) * graph.pos)
        # a molecule without a moment has a gradient of its size all the same: none
        return torch.linalg.vector_norm(moment, dim=1, keepdim=True) if self.norm else moment


def _check_atoms(graph: Graph) -> None:
    check(isinstance(graph, Graph), f"structures come as a Graph, got {type(graph).__name__}")
    check("z" in graph.node, "the graph must hold z, the atomic numbers of its atoms")
