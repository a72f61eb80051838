"""Cells: whether they have a volume, and what takes the place of the vectors along which nothing repeats."""

import numpy as np
from jaxtyping import Bool, Float

_FLAT = 1e-6  # of the volume that vectors of these lengths have at right angles


def is_flat(cell: Float[np.ndarray, "3 3"], pbc: Bool[np.ndarray, "3"]) -> bool:
    """Whether the vectors along which a structure repeats are missing or lie in one plane, or on one line.

    >>> is_flat(np.diag([3.0, 3.0, 0.0]), np.array([True, True, True]))
    True
    >>> is_flat(np.diag([3.0, 3.0, 0.0]), np.array([True, True, False]))
    False
    """
    vectors = cell[pbc]
    if not np.isfinite(cell).all():
        return True
    size = np.linalg.norm(vectors, axis=1)
    if len(vectors) == 0 or size.min() < _FLAT:
        return len(vectors) > 0
    unit = vectors / size[:, None]
    return float(np.linalg.svd(unit, compute_uv=False).min()) < _FLAT


def full_cell(
    cell: Float[np.ndarray, "3 3"], pbc: Bool[np.ndarray, "3"], pos: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "3 3"]:
    """The vectors along which a structure repeats, and for the others some at right angles that span the atoms.

    >>> full_cell(np.diag([3.0, 3.0, 0.0]), np.array([True, True, False]), np.array([[0.0, 0, 0], [0, 0, 4]]))
    array([[3., 0., 0.],
           [0., 3., 0.],
           [0., 0., 5.]])
    """
    if pbc.all():
        return cell
    full = cell.copy()
    across = np.linalg.svd(cell[pbc])[2][int(pbc.sum()) :] if pbc.any() else np.eye(3)
    along = pos @ across.T
    spans = (along.max(axis=0) - along.min(axis=0) if len(pos) else np.zeros(len(across))) + 1
    full[~pbc] = across * spans[:, None]
    return full
