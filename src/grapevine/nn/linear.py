"""A linear map of dense or sparse features, x W^T + b, whose input width may be left open until the first call."""

from typing import TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from grapevine.checks import check_tensor
from grapevine.errors import InputError, check
from grapevine.ops.epilogue import epilogue
from grapevine.ops.linear import linear as dense_linear
from grapevine.ops.sparse import SparseMatrix

Features: TypeAlias = Tensor | SparseMatrix  # [n, c], dense or sparse


def linear(x: Features, weight: Float[Tensor, "d c"], bias: Float[Tensor, " d"] | None = None) -> Float[Tensor, "n d"]:
    """x W^T + b, dense or sparse.

    >>> linear(torch.ones(1, 2), torch.tensor([[1.0, 2.0]])).tolist()
    [[3.0]]
    """
    check_fits(x, weight)
    if isinstance(x, Tensor):
        return dense_linear(x, weight, bias)
    out = x @ weight.T
    return out if bias is None else out + bias


def dropout_features(x: Features, p: float, training: bool) -> Features:
    """Dropout on node features; of sparse ones the stored values are dropped, which is the same."""
    if not training or p == 0:
        return x
    if isinstance(x, SparseMatrix):
        return x.with_values(epilogue(x.values.unsqueeze(0), dropout=p).squeeze(0))
    return epilogue(x, dropout=p)


class Linear(nn.Module):
    """A linear map with Glorot's uniform start (Glorot and Bengio 2010) and a bias that starts at zero.

    Args:
        in_channels: input width, or -1 to take it from the first input.
        out_channels: output width.
        bias: add a bias.

    >>> layer = Linear(-1, 3)
    >>> layer(torch.ones(2, 5)).shape, layer.weight.shape
    (torch.Size([2, 3]), torch.Size([3, 5]))
    """

    weight: nn.Parameter | UninitializedParameter
    bias: nn.Parameter | None

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = True):
        super().__init__()
        check_channels("in_channels", in_channels, may_be_open=True)
        check_channels("out_channels", out_channels)
        self.out_channels = out_channels
        is_open = in_channels == -1
        self.weight = UninitializedParameter() if is_open else nn.Parameter(torch.empty(out_channels, in_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        self.register_load_state_dict_pre_hook(_open_to_saved_width)
        self.reset_parameters()

    @property
    def in_channels(self) -> int:
        return -1 if isinstance(self.weight, UninitializedParameter) else self.weight.shape[1]

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        if not isinstance(self.weight, UninitializedParameter):
            nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def fit_width(self, x: Features) -> None:
        """Take an open input width from x."""
        if isinstance(self.weight, UninitializedParameter):
            check_features("x", x)
            with torch.inference_mode(False):  # what evaluation fits first, training uses later
                self.weight.materialize((self.out_channels, x.shape[1]))
                self.reset_parameters()

    def fitted(self, x: Features) -> Tensor:
        """The weight, its width taken from x where it was open; x is checked against it."""
        self.fit_width(x)
        check_fits(x, self.weight)
        return self.weight

    def forward(self, x: Features) -> Tensor:
        self.fit_width(x)
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_channels}, {self.out_channels}, bias={self.bias is not None}"


def _open_to_saved_width(module: Linear, state: dict, prefix: str, *_: object) -> None:
    saved = state.get(prefix + "weight")
    if isinstance(module.weight, UninitializedParameter) and isinstance(saved, Tensor) and saved.ndim == 2:
        module.weight.materialize((module.out_channels, saved.shape[1]))


def check_features(name: str, x: Features) -> None:
    """Raise an InputError unless x is a matrix of numbers, dense or sparse."""
    if not isinstance(x, SparseMatrix):
        check_tensor(name, x, ndim=2)


def check_fits(x: Features, weight: Tensor) -> None:
    """Raise an InputError unless x is a matrix with as many columns as the weight and of its dtype."""
    check_features("x", x)
    if x.shape[1] != weight.shape[-1]:  # a message made beforehand would tie a compiled network to the size of x
        raise InputError(
            f"x must have {weight.shape[-1]} columns, the width the layer was made for, got shape {tuple(x.shape)}"
        )
    check(x.dtype == weight.dtype, f"x is {x.dtype} and the weights are {weight.dtype}; convert one of them")
    check(x.device == weight.device, f"x is on {x.device}, the weights on {weight.device}; move one of them")


def check_channels(name: str, channels: int, *, may_be_open: bool = False) -> None:
    """Raise an InputError unless `channels` is a positive width (or -1, to be taken from the input)."""
    is_width = isinstance(channels, int) and not isinstance(channels, bool)
    if not is_width or (channels < 1 and not (may_be_open and channels == -1)):
        raise InputError(f"{name} must be a positive number{' or -1' if may_be_open else ''}, got {channels!r}")
