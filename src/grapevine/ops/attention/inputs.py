"""What the attentions ask of their input, and the seed and the views they hand on."""

import torch
from torch import Tensor

from grapevine.checks import check_tensor, check_together
from grapevine.errors import InputError, check
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.random import check_dropout, draw_seed


def check_inputs(pattern: Pattern, **wanted: tuple[Tensor | None, str]) -> None:
    """Raise an InputError unless each tensor has the shape it comes with and all share one device and dtype.

    "cols h c" is a shape: rows, cols and e are the pattern's, other letters anything positive, but always the same.
    "e h or None" is one that may be missing.
    """
    check(isinstance(pattern, Pattern), f"pattern must be a Pattern, got {type(pattern).__name__}")
    sizes = {"rows": pattern.num_rows, "cols": pattern.num_cols, "e": pattern.num_entries}
    for name, (tensor, wanted_shape) in wanted.items():
        shape = wanted_shape.removesuffix(" or None")
        if tensor is None and shape != wanted_shape:
            continue
        letters = shape.split()
        check_tensor(name, tensor, ndim=len(letters))
        assert tensor is not None  # checked
        check(tensor.device == pattern.device, f"{name} is on {tensor.device}, the pattern on {pattern.device}")
        expected = tuple(sizes.setdefault(letter, size) for letter, size in zip(letters, tensor.shape, strict=True))
        # Sizes are put into a message only where it is raised: one made beforehand would tie a trace to them.
        if tuple(tensor.shape) != expected:
            raise InputError(f"{name} must be [{shape}], {expected} here, got shape {tuple(tensor.shape)}")
        is_filled = all(sizes[letter] > 0 for letter in letters if letter not in ("rows", "cols", "e"))
        check(is_filled, f"{name}, [{shape}], must have at least one head and one column")
    check_together(**{name: tensor for name, (tensor, _) in wanted.items()})


def seed_for(dropout: float, seed: Tensor | None, device: torch.device) -> Tensor | None:
    """The seed to draw with: the one given or a fresh one; None if nothing is dropped."""
    check_dropout(dropout, seed, device)
    if dropout == 0:
        return None
    return draw_seed(device) if seed is None else seed


def views_for(pattern: Pattern, *inputs: Tensor | None) -> tuple[list[Tensor], list[Tensor]]:
    """The views of the pattern and of its transpose; the second is empty where no gradient is wanted."""
    needs_grad = torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in inputs)
    return pattern.view, pattern.transposed.view if needs_grad else []


def new_output(rows: list[Tensor], value: Tensor) -> tuple[Tensor, Tensor]:
    """Room for the output, [n, h, c], and for the log-sum-exp, [n, h] in the dtype that sums are made in."""
    num_rows, heads = rows[0].shape[0] - 1, value.shape[1]
    wide = torch.promote_types(value.dtype, torch.float32)
    return value.new_empty(num_rows, *value.shape[1:]), value.new_empty(num_rows, heads, dtype=wide)
