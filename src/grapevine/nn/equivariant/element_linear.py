"""A linear map of its own for each element: how an atom's state goes past a layer in NequIP and MACE.

y_i = W[z_i] x_i for each irrep, which is the fully connected tensor product of x with the element as a one-hot vector.
"""

from math import sqrt

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from grapevine.nn.equivariant.irreps import Irreps, IrrepsLike


class ElementLinear(nn.Module):
    """For each irrep that both sides have, a matrix an element; irreps that only one side has are left out or zero.

    Args:
        irreps_in, irreps_out: each irrep once.
        num_elements: how many matrices.

    >>> ElementLinear("4x0e + 2x1o", "3x0e + 5x2e", 2)(torch.ones(1, 10), torch.tensor([1])).shape
    torch.Size([1, 28])
    """

    def __init__(self, irreps_in: IrrepsLike, irreps_out: IrrepsLike, num_elements: int):
        super().__init__()
        self.irreps_in, self.irreps_out, self.num_elements = Irreps(irreps_in), Irreps(irreps_out), num_elements
        self._columns = {irrep: part for part, (_, irrep) in zip(self.irreps_in.slices, self.irreps_in, strict=True)}
        self.weights = nn.ParameterDict(
            {
                str(irrep): torch.randn(num_elements, self.irreps_in.count(irrep), mul)
                for mul, irrep in self.irreps_out
                if irrep in self.irreps_in
            }
        )

    def forward(self, x: Float[Tensor, "n a"], element: Int[Tensor, " n"]) -> Float[Tensor, "n b"]:
        """`element` is the row of an atom's matrices."""
        order = element.argsort(stable=True)
        counts = torch.bincount(element, minlength=self.num_elements).tolist()
        by_element = x.index_select(0, order).split(counts)
        place = torch.empty_like(order).index_copy_(0, order, torch.arange(len(order), device=order.device))
        parts = []
        for mul, irrep in self.irreps_out:
            if str(irrep) not in self.weights:
                parts.append(x.new_zeros(len(x), mul * irrep.dim))
                continue
            weight = self.weights[str(irrep)] / sqrt(self.num_elements * self.irreps_in.count(irrep))
            columns = self._columns[irrep]
            mapped = [
                (rows[:, columns].reshape(-1, weight.shape[1]) @ matrix).view(len(rows), mul * irrep.dim)
                for rows, matrix in zip(by_element, weight, strict=True)
                if len(rows)
            ]
            whole = torch.cat(mapped) if mapped else x.new_zeros(0, mul * irrep.dim)
            parts.append(whole.index_select(0, place))
        return torch.cat(parts, dim=1)

    def extra_repr(self) -> str:
        return f"{self.irreps_in} -> {self.irreps_out}, {self.num_elements} elements"
