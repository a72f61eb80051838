"""The common face of networks of atoms in space: they see atomic numbers, and neighbours by the vectors to them.

out_i = f(z_i, {(z_j, r_ij) : j in N(i)}, ...),   r_ij = where j is, seen from i
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.checks import check_rows, check_tensor
from grapevine.errors import InputError, check
from grapevine.graph import Adjacency
from grapevine.nn.equation import Equation
from grapevine.nn.linear import check_channels

_HEAVIEST = 118


class Elements(nn.Module):
    """The place of each atom's element in the list of those a network knows.

    Args:
        numbers: the atomic numbers, each once.

    >>> Elements((1, 6, 8))(torch.tensor([8, 1, 1])).tolist()
    [2, 0, 0]
    """

    _row: Tensor

    def __init__(self, numbers: Sequence[int]):
        super().__init__()
        check(len(numbers) > 0, "elements must name at least one atomic number, got none")
        for number in numbers:
            is_element = isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= _HEAVIEST
            check(is_element, f"elements must be atomic numbers from 1 to {_HEAVIEST}, got {number!r}")
        check(len(set(numbers)) == len(numbers), f"elements must name each atomic number once, got {list(numbers)}")
        self.numbers = tuple(numbers)
        row = torch.full((_HEAVIEST + 1,), -1)
        row[list(numbers)] = torch.arange(len(numbers))
        self.register_buffer("_row", row, persistent=False)  # the constructor's arguments say it already

    def __len__(self) -> int:
        return len(self.numbers)

    def forward(self, z: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
        """The row of each atom's element.

        Raises:
            InputError: naming the first atomic number that is not in the list, and its atom.
        """
        check_tensor("z", z, ndim=1, dtypes=(torch.int64, torch.int32))
        row = self._row[z.long().clamp(0, _HEAVIEST)]
        is_known = (row >= 0) & (z >= 0) & (z <= _HEAVIEST)
        if not bool(is_known.all()):
            atom = int(is_known.logical_not().nonzero()[0])
            known = ", ".join(map(str, self.numbers))
            raise InputError(
                f"atom {atom} has atomic number {int(z[atom])}, and this network knows the elements {known}: "
                "train one on data that holds this element"
            )
        return row

    def extra_repr(self) -> str:
        return ", ".join(map(str, self.numbers))


class AtomNetwork(nn.Module, ABC):
    """A network called as network(z, adj, vector), which gives every atom `out_channels` numbers.

    A subclass of one paper says what it is in `equation`, and begins its `forward` with `self.rows_of`.

    Args:
        elements: the atomic numbers it knows.
        cutoff: how far an atom hears, in angstrom. Whoever makes the edges keeps to it; they need not be cut exactly.
        out_channels: how many numbers an atom is given: 1 for an energy.

    >>> class Coordination(AtomNetwork):
    ...     def forward(self, z, adj, vector):
    ...         self.rows_of(z, adj, vector)
    ...         return adj.in_degree.to(vector.dtype).unsqueeze(1)
    >>> network = Coordination(elements=(1, 8), cutoff=2.0)
    >>> network(torch.tensor([8, 1]), Adjacency([[0, 1], [1, 0]]), torch.ones(2, 3)).tolist()
    [[1.0], [1.0]]
    """

    equation: ClassVar[Equation]

    def __init__(self, *, elements: Sequence[int], cutoff: float, out_channels: int = 1):
        super().__init__()
        check(cutoff > 0, f"cutoff must be a positive length in angstrom, got {cutoff}")
        check_channels("out_channels", out_channels)
        self.cutoff, self.out_channels = float(cutoff), out_channels
        self.kinds = Elements(elements)

    @property
    def elements(self) -> tuple[int, ...]:
        return self.kinds.numbers

    @abstractmethod
    def forward(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Float[Tensor, "n c"]:
        """What the network gives each atom.

        Args:
            z: [n] atomic numbers.
            adj: who hears whom.
            vector: [e, 3] where the source of each edge is, seen from its target, in angstrom, in the order of `adj`.

        Returns:
            [n, out_channels].

        Raises:
            InputError: for an element the network does not know, or tensors that do not fit together.
        """

    def rows_of(self, z: Int[Tensor, " n"], adj: Adjacency, vector: Float[Tensor, "e 3"]) -> Int[Tensor, " n"]:
        """Check what the network is called with; the place of each atom's element in `elements`."""
        check(isinstance(adj, Adjacency), f"adj must be an Adjacency, got {type(adj).__name__}")
        check(adj.is_square, f"atoms hear atoms of one set, this is {adj}")
        row = self.kinds(z)
        check_rows("z", z, adj.num_nodes, "atoms")
        check_tensor("vector", vector, ndim=2)
        check(vector.shape[1] == 3, f"vector must have shape [e, 3], got {tuple(vector.shape)}")
        check_rows("vector", vector, adj.num_edges, "edges")
        for weight in self.parameters():
            fits = weight.dtype == vector.dtype
            check(fits, f"vector is {vector.dtype} and the weights are {weight.dtype}; convert one of them")
            break
        return row
