"""Checks of tensors: each raises an InputError that says what was expected and what came."""

from collections.abc import Sequence

import torch
from torch import Tensor

from grapevine.errors import InputError, check

FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


def check_tensor(
    name: str, tensor: object, *, ndim: int | Sequence[int], dtypes: Sequence[torch.dtype] = FLOATS
) -> None:
    """Raise an InputError unless `tensor` is a strided tensor of that many dimensions and one of those dtypes."""
    if not isinstance(tensor, Tensor):
        raise InputError(f"{name} must be a tensor, got {type(tensor).__name__}")
    dims = (ndim,) if isinstance(ndim, int) else tuple(ndim)
    if tensor.ndim not in dims:
        wanted = " or ".join(str(d) for d in dims)
        raise InputError(f"{name} must have {wanted} dimensions, got shape {tuple(tensor.shape)}")
    if tensor.layout != torch.strided:
        raise InputError(f"{name} must be a dense tensor, got layout {tensor.layout}")
    if tensor.dtype not in dtypes:
        wanted = ", ".join(str(d).removeprefix("torch.") for d in dtypes)
        raise InputError(f"{name} must be of dtype {wanted}, got {str(tensor.dtype).removeprefix('torch.')}")


def check_rows(name: str, tensor: Tensor, expected: int, what: str) -> None:
    """Raise an InputError unless the first dimension of `tensor` is `expected`, the number of `what`."""
    if tensor.shape[0] != expected:
        raise InputError(f"{name} must have a row for each of the {expected} {what}, got shape {tuple(tensor.shape)}")


def check_together(**tensors: Tensor | None) -> None:
    """Raise an InputError unless the tensors share one device and one dtype."""
    given = {name: t for name, t in tensors.items() if t is not None}
    for name, tensor in given.items():
        check(isinstance(tensor, Tensor), f"{name} must be a tensor, got {type(tensor).__name__}")
    for what in ("device", "dtype"):
        kinds = {name: str(getattr(t, what)).removeprefix("torch.") for name, t in given.items()}
        if len(set(kinds.values())) > 1:
            listed = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
            raise InputError(f"these tensors must share one {what}: {listed}")
