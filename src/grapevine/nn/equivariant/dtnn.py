"""Deep tensor neural network: every step refines the states by one and the same interaction (Schütt et al. 2017).

h_i = embedding of z_i;    h_i' = h_i + sum over j of tanh(W ((V1 h_j + b1) * (V2 e(r_ij) + b2)))
out_i = B2 tanh(B1 h_i),   e(r) Gaussians; V1, V2 and W are those of every step
"""

from collections.abc import Sequence
from typing import ClassVar

from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Adjacency
from grapevine.nn.equation import Equation
from grapevine.nn.equivariant.atom_network import AtomNetwork
from grapevine.nn.equivariant.geometry import lengths
from grapevine.nn.equivariant.radial import CutoffName, GaussianBasis, check_cutoff_name, cutoff_factor
from grapevine.nn.linear import Linear, check_channels
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.segment import segment_reduce

_START, _STEP = -1.0, 0.2  # angstrom: the paper's grid of Gaussians


class DTNN(AtomNetwork):
    """DTNN, the deep tensor neural network (Schütt et al. 2017, Nature Communications).

    In the paper every atom of a molecule hears every other one; here, where neighbours are those within a cut-off, a
    cosine takes the messages to zero, and `cutoff_function="none"` leaves them as they are.

    Args:
        elements: the atomic numbers it knows.
        cutoff: how far an atom hears, in angstrom.
        hidden_channels: width of the states, and of what they are multiplied by.
        num_steps: how often the states are refined, by the same weights.
        cutoff_function: "cosine", "polynomial" or "none".
        out_channels: how many numbers an atom is given.

    >>> import torch
    >>> network = DTNN(elements=(1, 8))
    >>> network(torch.tensor([8, 1]), Adjacency([[0, 1], [1, 0]]), torch.randn(2, 3)).shape
    torch.Size([2, 1])
    """

    equation: ClassVar[Equation] = Equation(
        name="DTNN",
        message="tanh(W (V h_j times U e(r_ij)))",
        aggregation="sum",
        update="h_i + m_i, the same weights in every step",
        edges="features",
        readout="sum",
        cost="e c^2",
        power="1-WL",
        year=2017,
        paper="Schütt et al., Quantum-chemical insights from deep tensor neural networks",
    )

    def __init__(
        self,
        *,
        elements: Sequence[int],
        cutoff: float = 5.0,
        hidden_channels: int = 30,
        num_steps: int = 3,
        cutoff_function: CutoffName = "cosine",
        out_channels: int = 1,
    ):
        super().__init__(elements=elements, cutoff=cutoff, out_channels=out_channels)
        check_channels("hidden_channels", hidden_channels)
        check(num_steps >= 1, f"num_steps must be 1 or more, got {num_steps}")
        check_cutoff_name(cutoff_function)
        self.num_steps = num_steps
        self.cutoff_function: CutoffName = cutoff_function
        self.embedding = nn.Embedding(len(self.elements), hidden_channels)
        nn.init.normal_(self.embedding.weight, std=hidden_channels**-0.5)
        num_basis = round((cutoff - _START) / _STEP) + 1
        self.basis = GaussianBasis(_START + (num_basis - 1) * _STEP, num_basis, start=_START)
        self.lin_state = Linear(hidden_channels, hidden_channels)
        self.lin_basis = Linear(num_basis, hidden_channels)
        self.lin_message = Linear(hidden_channels, hidden_channels, bias=False)
        self.lin_hidden = Linear(hidden_channels, max(1, hidden_channels // 2))
        self.lin_out = Linear(self.lin_hidden.out_channels, out_channels)

    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        h = self.embedding(self.rows_of(z, adj, vector))
        r = lengths(vector)
        of_distance, factor = self.lin_basis(self.basis(r)), cutoff_factor(r, self.cutoff, self.cutoff_function)
        for _ in range(self.num_steps):
            joint = gather(adj.pattern, self.lin_state(h)) * of_distance
            message = epilogue(self.lin_message(joint), activation="tanh")
            message = message if factor is None else message * factor.unsqueeze(1)
            h = h + segment_reduce(adj.pattern, message)
        return self.lin_out(epilogue(self.lin_hidden(h), activation="tanh"))
