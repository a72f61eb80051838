"""Colour refinement in plain Python: every node's colour and the sorted list of what it hears, ranked each round."""

import torch
from torch import Tensor


def refine(
    rows: list[Tensor], node_labels: Tensor, edge_labels: Tensor | None, max_rounds: int | None
) -> tuple[Tensor, int]:
    indptr, indices = rows[0].tolist(), rows[1].tolist()
    labels = [0] * len(indices) if edge_labels is None else edge_labels.tolist()
    colors, num_rounds = ranked(node_labels.tolist()), 0
    while max_rounds is None or num_rounds < max_rounds:
        heard = []
        for i, color in enumerate(colors):
            entries = range(indptr[i], indptr[i + 1])
            heard.append((color, sorted((labels[p], colors[indices[p]]) for p in entries)))
        finer = ranked(heard)
        if max(finer, default=0) == max(colors, default=0):
            break
        colors, num_rounds = finer, num_rounds + 1
    return torch.tensor(colors, dtype=torch.int64, device=rows[0].device), num_rounds


def ranked(values: list) -> list[int]:
    """Which of the distinct values, in their order, each one is."""
    keys = [repr(value) for value in values] if values and isinstance(values[0], tuple) else values
    rank = {key: k for k, key in enumerate(sorted(set(keys)))}
    return [rank[key] for key in keys]
