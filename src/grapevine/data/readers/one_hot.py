"""Names as columns: a one where a name stands, zeros elsewhere."""

import numpy as np


def one_hot(values: np.ndarray, *, by_first: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """[n, k] float32 with a column for each of the k different values, and the values in the columns' order.

    Args:
        values: [n] numbers or names.
        by_first: columns in the order in which the values first appear; by default in ascending order.

    >>> matrix, names = one_hot(np.array([7, 3, 7]), by_first=True)
    >>> matrix.tolist(), names.tolist()
    ([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], [7, 3])
    """
    names, first, column = np.unique(values, return_index=True, return_inverse=True)
    if by_first:
        order = first.argsort()
        column, names = order.argsort()[column], names[order]
    matrix = np.zeros((len(values), len(names)), np.float32)
    matrix[np.arange(len(values)), column] = 1
    return matrix, names
