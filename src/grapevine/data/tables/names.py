"""What the columns of answers are usually called, and what they can hold. It waits for no PyTorch."""

from collections.abc import Sequence
from typing import Literal

TargetKind = Literal["classes", "labels", "numbers"]
TARGET_KINDS: tuple[TargetKind, ...] = ("classes", "labels", "numbers")
NAMES = ("target", "label", "labels", "y", "class", "classes", "category", "outcome", "response", "ground_truth")


def find_target(columns: Sequence[str]) -> str | None:
    """The column of a usual name, in the order of NAMES; None if there is none.

    >>> find_target(["id", "Label", "age"])
    'Label'
    """
    by_name = {column.lower(): column for column in reversed(columns)}
    return next((by_name[name] for name in NAMES if name in by_name), None)
