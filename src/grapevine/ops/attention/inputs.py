"""What the attentions ask of their input, and the seed and the views they hand on."""

import torch
from torch import Tensor

from grapevine.errors import check, check_tensor, check_together
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.random import check_dropout, draw_seed


def check_inputs(pattern: Pattern, **wanted: tuple[Tensor | None, str]) -> None:
    """Raise an InputError unless each tensor has the shape it comes with and all share one device and dtype.

    "cols h c" is a shape: rows, cols and e are the pattern's, other letters anything positive, but always the same.
    """
    check(isinstance(pattern, Pattern), f"pattern must be a Pattern, got {type(pattern).__name__}")
    sizes = {"rows": pattern.num_rows, "cols": pattern.num_cols, "e": pattern.num_entries}
    given = {name: (tensor, shape.split()) for name, (tensor, shape) in wanted.items() if tensor is not None}
    for name, (tensor, letters) in given.items():
        check_tensor(name, tensor, ndim=len(letters))
        check(tensor.device == pattern.device, f"{name} is on {tensor.device}, the pattern on {pattern.device}")
        expected = tuple(sizes.setdefault(letter, size) for letter, size in zip(letters, tensor.shape, strict=True))
        shape = ", ".join(letters)
        check(
            tuple(tensor.shape) == expected,
            f"{name} must be [{shape}], {expected} here, got shape {tuple(tensor.shape)}",
        )
        check(
            all(sizes[letter] > 0 for letter in letters if letter not in ("rows", "cols", "e")),
            f"{name}, [{shape}], must have at least one head and one column, got shape {tuple(tensor.shape)}",
        )
    check_together(**{name: tensor for name, (tensor, _) in given.items()})


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
