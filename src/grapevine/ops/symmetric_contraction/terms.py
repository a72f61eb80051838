"""The terms of a polynomial in the components of a feature: which are multiplied, and where the product is added."""

from collections.abc import Sequence

import torch
from torch import Tensor

from grapevine.errors import check

_MOST = 3  # factors of a term


class Terms:
    """Products of one to three components, each added to one output. Immutable.

    Args:
        terms: (output, factors) of each, the factors as places among the components, repeated for powers.
        num_components, num_outputs: how many there are of each.

    Raises:
        InputError: if a place is not there, or a term has no factor or more than three.

    >>> Terms([(0, (0,)), (0, (1, 1))], num_components=2, num_outputs=1)  # x0 and x1^2
    Terms(2 terms of 2 components, 1 output)
    """

    def __init__(self, terms: Sequence[tuple[int, tuple[int, ...]]], *, num_components: int, num_outputs: int):
        self.num_components, self.num_outputs = num_components, num_outputs
        table = torch.full((len(terms), 1 + _MOST), -1, dtype=torch.int64)
        for row, (output, factors) in zip(table, terms, strict=True):
            check(1 <= len(factors) <= _MOST, f"a term has 1 to {_MOST} factors, got {factors}")
            check(
                0 <= output < num_outputs and all(0 <= factor < num_components for factor in factors),
                f"term {(output, factors)} does not fit {num_components} components and {num_outputs} outputs",
            )
            row[: 1 + len(factors)] = torch.tensor((output, *factors))
        self.table: Tensor = table

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        plural = "" if self.num_outputs == 1 else "s"
        return f"Terms({len(self)} terms of {self.num_components} components, {self.num_outputs} output{plural})"
