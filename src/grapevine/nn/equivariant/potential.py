"""An interatomic potential: the energy that a network gives a structure, and by its gradient forces and stress.

E = sum over the atoms i of (scale[z_i] out_i + shift[z_i])
g_e = dE / dr_e along each edge e,   F_i = -dE / dx_i = sum over e into i of g_e - sum over e out of i of g_e
stress = (1 / V) dE / dstrain = (1 / V) sum over e of r_e g_e^T, made symmetric
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import vectors_of
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce

PerElement = float | Mapping[int, float] | Tensor


@dataclass(frozen=True, eq=False)
class Answers:
    """What a potential says of a batch of structures.

    Args:
        energy: [g] in eV, in float64, so that the shifts, which may be thousands of eV, swallow nothing.
        interaction: [g] the energy without the shifts, in the network's dtype: what is learnt.
        atom_energy: [n] each atom's share of it.
        forces: [n, 3] in eV / angstrom, if they were asked for.
        stress: [g, 3, 3] in eV / angstrom^3, positive where the structure pulls inwards, if it was asked for.
    """

    energy: Float[Tensor, " g"]
    interaction: Float[Tensor, " g"]
    atom_energy: Float[Tensor, " n"]
    forces: Float[Tensor, "n 3"] | None
    stress: Float[Tensor, "g 3 3"] | None


class Potential(nn.Module):
    """A potential energy surface made of a network of atoms with one output channel.

    A structure is a Graph with `z` and `pos` of its nodes and, where it is periodic, `shift` of its edges and `cell`
    of the graph. An atom that hears nobody has an energy, and feels no force.

    Args:
        network: gives each atom a number.
        shift: the energy of a lone atom of each element, in eV: by atomic number, as a tensor in the order of
            `network.elements`, or one for all.
        scale: what the network's numbers are multiplied by, in eV: likewise.

    >>> from grapevine.graph import Adjacency
    >>> class Springs(AtomNetwork):  # half of (r - 1)^2 for each neighbour
    ...     def forward(self, z, adj, vector):
    ...         return segment_reduce(adj.pattern, (vector.norm(dim=1, keepdim=True) - 1) ** 2 / 2)
    >>> potential = Potential(Springs(elements=(1,), cutoff=3.0), shift={1: -13.0}).eval()
    >>> pos = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 3.0]])
    >>> answers = potential(Graph([[0, 1], [1, 0]], z=torch.tensor([1, 1]), pos=pos))
    >>> answers.energy.tolist(), answers.forces.tolist()
    ([-22.0], [[0.0, 0.0, 4.0], [0.0, 0.0, -4.0]])
    """

    _shift_bits: Tensor
    _scale_bits: Tensor

    def __init__(self, network: AtomNetwork, *, shift: PerElement = 0.0, scale: PerElement = 1.0):
        super().__init__()
        check(isinstance(network, AtomNetwork), f"network must be an AtomNetwork, got {type(network).__name__}")
        channels = network.out_channels
        check(channels == 1, f"an energy is one number an atom, this network gives {channels}: make it out_channels=1")
        self.network = network
        # float64 whatever the module is converted to: as bits, which no conversion touches
        self.register_buffer("_shift_bits", per_element("shift", shift, network.elements).view(torch.int64))
        self.register_buffer("_scale_bits", per_element("scale", scale, network.elements).view(torch.int64))

    @property
    def shift(self) -> Float[Tensor, " k"]:
        """The energy of a lone atom of each element of `network.elements`, float64."""
        return self._shift_bits.view(torch.float64)

    @property
    def scale(self) -> Float[Tensor, " k"]:
        """What the network's number for an atom of each element is multiplied by, float64."""
        return self._scale_bits.view(torch.float64)

    def shift_of(self, graph: Graph) -> Float[Tensor, " g"]:
        """The sum of the shifts in each structure, float64: what to take off an energy before learning it."""
        return _sum_atoms(graph, self.shift[self.network.kinds(graph.z)])

    def forward(
        self, graph: Graph, *, forces: bool = True, stress: bool = False, differentiable: bool | None = None
    ) -> Answers:
        """Energies, and what else is asked for.

        Args:
            graph: one structure or a batch of them.
            forces, stress: whether to find them; both come of one backward pass. It works under `torch.no_grad` too.
            differentiable: whether a loss of the answers can be differentiated; None: in training, or where a gradient
                is wanted and neither forces nor stress are.

        Raises:
            InputError: for an unknown element, a place that is no number, or stress of a structure without a cell.
        """
        check(isinstance(graph, Graph), f"structures come as a Graph, got {type(graph).__name__}")
        check("z" in graph.node, "the graph must hold z, the atomic numbers of its atoms")
        by_vector = forces or stress
        volume = _volume(graph) if stress else None
        if not by_vector:
            return self._of_energy(graph, *self._energies(graph, vectors_of(graph)))
        keep = self.training and torch.is_grad_enabled() if differentiable is None else differentiable
        with torch.inference_mode(False), torch.enable_grad():
            vector = _own(vectors_of(graph))
            interaction, atom_energy = self._energies(graph, vector)
            gradient = _gradient(interaction, vector, keep)
        with torch.set_grad_enabled(keep):
            answers = self._of_energy(graph, *(t if keep else t.detach() for t in (interaction, atom_energy)))
            vector = vector if keep else vector.detach()
            return Answers(
                answers.energy,
                answers.interaction,
                answers.atom_energy,
                _forces(graph.adj.pattern, gradient) if forces else None,
                None if volume is None else _stress(graph, vector, gradient, volume),
            )

    def _energies(self, graph: Graph, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Without the shifts: of the structures and of the atoms."""
        z = graph.z.clone() if graph.z.is_inference() else graph.z
        scale = self.scale[self.network.kinds(z)].to(vector.dtype)
        atom_energy = self.network(z, graph.adj, vector).squeeze(1) * scale
        return _sum_atoms(graph, atom_energy.double()).to(vector.dtype), atom_energy

    def _of_energy(self, graph: Graph, interaction: Tensor, atom_energy: Tensor) -> Answers:
        return Answers(interaction.double() + self.shift_of(graph), interaction, atom_energy, None, None)


def per_element(name: str, given: PerElement, elements: tuple[int, ...]) -> Float[Tensor, " k"]:
    """A number for each element, in float64, from whatever form it is given in.

    >>> per_element("shift", {1: -13.6, 6: -1029.0}, (1, 6)).tolist()
    [-13.6, -1029.0]
    """
    if isinstance(given, Mapping):
        missing = [number for number in elements if number not in given]
        check(not missing, f"{name} must have a number for each element, there is none for {missing}")
        return torch.tensor([float(given[number]) for number in elements], dtype=torch.float64)
    values = torch.as_tensor(given, dtype=torch.float64).detach()
    fits = values.ndim == 0 or values.shape == (len(elements),)
    check(fits, f"{name} must be one number or one for each of {len(elements)} elements, got {tuple(values.shape)}")
    return values.expand(len(elements)).clone()


def _sum_atoms(graph: Graph, values: Tensor) -> Tensor:
    return segment_reduce(graph.members, values)


def _own(vector: Tensor) -> Tensor:
    """The vectors as what a gradient can be taken by."""
    vector = vector.clone() if vector.is_inference() else vector
    return vector if vector.requires_grad else vector.requires_grad_()


def _gradient(energy: Tensor, vector: Tensor, keep: bool) -> Tensor:
    """dE / dr of each edge; zero where the energy does not depend on any."""
    if not energy.requires_grad:
        return torch.zeros_like(vector)
    (gradient,) = torch.autograd.grad(energy.sum(), vector, create_graph=keep, allow_unused=True)
    return torch.zeros_like(vector) if gradient is None else gradient.contiguous()


def _forces(pattern: Pattern, gradient: Tensor) -> Tensor:
    return segment_reduce(pattern, gradient) - segment_reduce(pattern.transposed, gradient)


def _stress(graph: Graph, vector: Tensor, gradient: Tensor, volume: Tensor) -> Tensor:
    outer = vector.unsqueeze(2) * gradient.unsqueeze(1)
    virial = _sum_atoms(graph, segment_reduce(graph.adj.pattern, outer))
    return (virial + virial.transpose(1, 2)) / (2 * volume.to(virial.dtype).view(-1, 1, 1))


def _volume(graph: Graph) -> Float[Tensor, " g"]:
    """The volume of each cell; an InputError where there is none."""
    check("cell" in graph.graph, "stress needs cell, the cell vectors, among the graph tensors")
    volume = torch.linalg.det(graph.cell.double()).abs()
    if not bool((volume > 0).all()):
        structure = int((volume <= 0).nonzero()[0])
        raise InputError(f"stress needs a cell with a volume, structure {structure} has none")
    return volume
