"""What is not linear: scalars are activated, and higher degrees are multiplied by activated scalars, their gates.

y[0] = c f(x[0]),     y[l, k, u] = x[l, k, u] c f(gate[u])       with 1 / c^2 = the mean of f(t)^2 over normal t

(M. Weiler et al., "3D steerable CNNs", 2018, for the gates; e3nn for c, by which numbers of variance one keep it.)

c comes here from an integral. e3nn estimates it from a million random numbers and is off by up to 2 in a thousand:
1.67918 in place of 1.67653 for silu, 1.59373 in place of 1.59254 for tanh. `E3NN_SCALES` has its numbers, for weights
that were trained with them.
"""

from functools import cache
from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.nn.equivariant.irreps import Block, Irrep, Irreps, IrrepsLike
from grapevine.nn.equivariant.layout import check_features, join, split
from grapevine.nn.gates import sigmoid
from grapevine.ops.epilogue import epilogue

ScalarFunction: TypeAlias = Literal["none", "relu", "elu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid"]
E3NN_SCALES: dict[ScalarFunction, float] = {
    "silu": 1.6791767923989418,
    "tanh": 1.5937334472592695,
    "sigmoid": 1.8467055342154763,
}

_KNOWN = ("none", "relu", "elu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid")
_ODD = ("none", "tanh")  # f(-t) = -f(t)
_SCALAR = Irrep(0, 1)


@cache
def second_moment_scale(function: ScalarFunction) -> float:
    """c: 1 over the root of the mean of f(t)^2 over normal t, by the trapezoid rule from -16 to 16.

    >>> round(second_moment_scale("relu"), 6)  # the root of 2
    1.414214
    """
    t = torch.linspace(-16, 16, 2**16 + 1, dtype=torch.float64)
    density = torch.exp(-t.square() / 2) / (2 * torch.pi) ** 0.5
    moment = torch.trapezoid(_apply(function, t.unsqueeze(0)).squeeze(0).square() * density, t)
    return float(moment**-0.5)


class ScaledActivation(nn.Module):
    """c f(x), which keeps numbers of variance one so.

    Args:
        function: f.
        scale: c; None: 1 over the root of the mean of f(t)^2 over normal t.

    >>> ScaledActivation("silu", scale=2.0)(torch.tensor([[0.0, 100.0]])).tolist()
    [[0.0, 200.0]]
    """

    def __init__(self, function: ScalarFunction, *, scale: float | None = None):
        super().__init__()
        check(function in _KNOWN, f"function must be one of {', '.join(_KNOWN)}, got {function!r}")
        self.function: ScalarFunction = function
        self.scale = second_moment_scale(function) if scale is None else float(scale)

    def forward(self, x: Float[Tensor, "*n c"]) -> Float[Tensor, "*n c"]:
        return _apply(self.function, x) * self.scale

    def extra_repr(self) -> str:
        return f"{self.function}, scale={self.scale:.6g}"


class Gate(nn.Module):
    """Activate scalars, and multiply higher degrees by activated even scalars that come with them.

    It takes `irreps_in` and gives `irreps_out`, both sorted and with one block of each irrep; `irreps_in` has one more
    0e for each copy of a higher degree. In its block of 0e the scalars stand first and the gates behind them, in the
    order of what they multiply.

    Args:
        irreps_out: what comes out; it is sorted and simplified.
        even: of even scalars, 0e.
        odd: of odd scalars, 0o: an odd function, tanh or none.
        gate: of the gates.

    >>> gate = Gate("8x0e + 4x1o")
    >>> gate.irreps_in, gate.irreps_out
    (12x0e + 4x1o, 8x0e + 4x1o)
    >>> gate(torch.ones(3, 24)).shape
    torch.Size([3, 20])
    """

    def __init__(
        self,
        irreps_out: IrrepsLike,
        *,
        even: ScalarFunction | ScaledActivation = "silu",
        odd: ScalarFunction | ScaledActivation = "tanh",
        gate: ScalarFunction | ScaledActivation = "silu",
    ):
        super().__init__()
        self.irreps_out = Irreps(irreps_out).regroup()
        self.num_gates = sum(block.mul for block in self.irreps_out if block.irrep.degree > 0)
        self.irreps_in = (self.irreps_out + Irreps([(self.num_gates, _SCALAR)])).regroup()
        self.even, self.odd, self.gate = (_activation(given) for given in (even, odd, gate))
        name = self.odd.function
        check(name in _ODD, f"odd must be an odd function, {' or '.join(_ODD)}, got {name!r}")

    def forward(self, x: Float[Tensor, "n dim"]) -> Float[Tensor, "n out"]:
        check_features("x", x, self.irreps_in)
        parts = {block.irrep: part for block, part in zip(self.irreps_in, split(x, self.irreps_in), strict=True)}
        own = self.irreps_out.count(_SCALAR)
        gates = self.gate(parts[_SCALAR][:, :, own:].contiguous()) if self.num_gates else x
        made, start = [], 0
        for mul, irrep in self.irreps_out:
            if irrep.degree == 0:
                scalars = parts[irrep][:, :, :mul].contiguous()
                made.append(self.even(scalars) if irrep.is_scalar else self.odd(scalars))
            else:
                made.append(parts[irrep] * gates[:, :, start : start + mul])
                start += mul
        return join(made) if made else x

    @property
    def gated(self) -> tuple[Block, ...]:
        """The blocks that are multiplied, in the order of their gates."""
        return tuple(block for block in self.irreps_out if block.irrep.degree > 0)

    def extra_repr(self) -> str:
        return f"{self.irreps_in} -> {self.irreps_out}"


def _activation(given: ScalarFunction | ScaledActivation) -> ScaledActivation:
    return given if isinstance(given, ScaledActivation) else ScaledActivation(given)


def _apply(function: ScalarFunction, x: Tensor) -> Tensor:
    return sigmoid(x) if function == "sigmoid" else epilogue(x, activation=function)
