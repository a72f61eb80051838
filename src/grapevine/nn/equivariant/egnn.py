"""EGNN: messages made of squared distances, and coordinates that may move along (Satorras et al. 2021).

m_ij = phi_e(h_i, h_j, |r_ij|^2) u(r_ij),    times sigmoid(a m_ij + b) with attention
h_i' = h_i + phi_h(h_i, sum over j of m_ij)
x_i' = x_i - sum over j of u(r_ij) r_ij phi_x(m_ij) / (1 + sum over j of u(r_ij)),    where coordinates move

r_ij is from i to j and u the cut-off. Without one u is 1, and the step is the mean over the neighbours, as in the
authors' program; such a mean would jump where a neighbour leaves.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.equation import Equation
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import lengths
from grapevine.nn.equivariant.radial import CutoffName, check_cutoff_name, cutoff_factor
from grapevine.nn.linear import Linear, check_channels
from grapevine.nn.mlp import MLP
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.segment import segment_reduce

_SMALL = 0.001  # the gain with which phi_x starts: coordinates hardly move at first


class EGNN(AtomNetwork):
    """EGNN, the E(n) equivariant graph network (Satorras et al. 2021); the defaults are those of its QM9 experiment.

    There every atom hears every other one, attention weighs the messages and coordinates do not move. Where neighbours
    are those within a cut-off a cosine takes the messages to zero; `cutoff_function="none"` leaves them as they are.

    Args:
        elements: the atomic numbers it knows.
        cutoff: how far an atom hears, in angstrom.
        hidden_channels: width of the states and of the messages.
        num_layers: how many layers.
        attention: weigh each message by a number between 0 and 1 that is made of it.
        update_coordinates: move the atoms in each layer but the last, whose coordinates nobody would see.
        normalize: steps along r / (|r| + 1) in place of r, so that far neighbours do not tear atoms away.
        tanh: steps between -1 and 1.
        cutoff_function: "cosine", "polynomial" or "none".
        out_channels: how many numbers an atom is given.

    >>> network = EGNN(elements=(1, 8), hidden_channels=16, num_layers=2, update_coordinates=True)
    >>> pair, vector = Adjacency([[0, 1], [1, 0]]), torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0]])
    >>> network(torch.tensor([8, 1]), pair, vector).shape
    torch.Size([2, 1])
    """

    equation: ClassVar[Equation] = Equation(
        name="EGNN",
        message="MLP(h_i, h_j, |r_ij|^2), weighed by a sigmoid of itself",
        aggregation="sum",
        update="h_i + MLP(h_i, m_i); where coordinates move, x_i - mean of r_ij MLP(m_ij)",
        edges="features",
        readout="MLP, then sum",
        cost="e c^2",
        power="1-WL",
        year=2021,
        paper="Satorras, Hoogeboom & Welling, E(n) equivariant graph neural networks",
    )

    def __init__(
        self,
        *,
        elements: Sequence[int],
        cutoff: float = 5.0,
        hidden_channels: int = 128,
        num_layers: int = 7,
        attention: bool = True,
        update_coordinates: bool = False,
        normalize: bool = False,
        tanh: bool = False,
        cutoff_function: CutoffName = "cosine",
        out_channels: int = 1,
    ):
        super().__init__(elements=elements, cutoff=cutoff, out_channels=out_channels)
        check_channels("hidden_channels", hidden_channels)
        check(num_layers >= 1, f"num_layers must be 1 or more, got {num_layers}")
        check(update_coordinates or not (normalize or tanh), "normalize and tanh go with update_coordinates=True")
        check_cutoff_name(cutoff_function)
        self.cutoff_function: CutoffName = cutoff_function
        self.embedding = nn.Embedding(len(self.elements), hidden_channels)
        self.layers = nn.ModuleList(_Layer(hidden_channels, attention) for _ in range(num_layers))
        moves = num_layers - 1 if update_coordinates else 0
        self.steps = nn.ModuleList(_Step(hidden_channels, normalize, tanh) for _ in range(moves))
        self.readout = MLP([hidden_channels, hidden_channels, out_channels], activation="silu")

    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        h = self.embedding(self.rows_of(z, adj, vector))
        # by where the atoms stand at first: those are the distances that the neighbours are chosen by
        factor = cutoff_factor(lengths(vector), self.cutoff, self.cutoff_function)
        for k, layer in enumerate(self.layers):
            h, message = layer(h, adj.pattern, vector, factor)
            if k < len(self.steps):
                vector = self.steps[k](adj.pattern, vector, message, factor)
        return self.readout(h)


class _Layer(nn.Module):
    """The messages of a layer, and what the states become of them."""

    def __init__(self, channels: int, attention: bool):
        super().__init__()
        self.lin_dst, self.lin_src = Linear(channels, channels), Linear(channels, channels, bias=False)
        self.lin_square = Linear(1, channels, bias=False)
        self.lin_message = Linear(channels, channels)
        self.lin_attention = Linear(channels, 1) if attention else None
        self.mlp = MLP([2 * channels, channels, channels], activation="silu")

    def forward(self, h: Tensor, pattern: Pattern, vector: Tensor, factor: Tensor | None) -> tuple[Tensor, Tensor]:
        square = (vector * vector).sum(1, keepdim=True)
        hidden = gather(pattern, self.lin_dst(h), side="rows") + gather(pattern, self.lin_src(h))
        hidden = epilogue(hidden + self.lin_square(square), activation="silu")
        message = epilogue(self.lin_message(hidden), activation="silu")
        weight = None if self.lin_attention is None else self.lin_attention(message).sigmoid()
        if factor is not None:
            weight = factor.unsqueeze(1) if weight is None else weight * factor.unsqueeze(1)
        message = message if weight is None else message * weight
        return h + self.mlp(torch.cat([h, segment_reduce(pattern, message)], dim=1)), message


class _Step(nn.Module):
    """How the atoms move, as seen along the edges: by the step of the source less that of the target."""

    def __init__(self, channels: int, normalize: bool, tanh: bool):
        super().__init__()
        self.normalize, self.tanh = normalize, tanh
        self.lin_hidden, self.lin_out = Linear(channels, channels), Linear(channels, 1, bias=False)
        nn.init.xavier_uniform_(self.lin_out.weight, gain=_SMALL)

    def forward(self, pattern: Pattern, vector: Tensor, message: Tensor, factor: Tensor | None) -> Tensor:
        size = self.lin_out(epilogue(self.lin_hidden(message), activation="silu"))
        size = size.tanh() if self.tanh else size
        along = vector / (lengths(vector).unsqueeze(1) + 1) if self.normalize else vector
        if factor is None:
            step = segment_reduce(pattern, along * size, reduce="mean")
        else:
            total = segment_reduce(pattern, along * (size * factor.unsqueeze(1)))
            step = total / (1 + segment_reduce(pattern, factor)).unsqueeze(1)
        return vector - gather(pattern, step) + gather(pattern, step, side="rows")
