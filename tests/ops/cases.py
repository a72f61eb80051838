"""The graphs every operation is tested on: isolated nodes, repeated edges, self-loops, no edges, a hub."""

import torch

from grapevine.ops.pattern import Pattern

WIDTHS = (1, 3, 17, 64, 100, 130)  # no multiple of the vector width, and more than one vector


def random_pattern(num_rows: int, num_cols: int, num_entries: int, seed: int = 0) -> Pattern:
    """Entries drawn with repetition among three quarters of the rows, so that some rows stay empty."""
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randint(max(1, 3 * num_rows // 4), (num_entries,), generator=generator).sort().values
    cols = torch.randint(num_cols, (num_entries,), generator=generator)
    indptr = torch.searchsorted(rows, torch.arange(num_rows + 1))
    return Pattern(indptr, cols, num_cols)


def _hub(num_cols: int) -> Pattern:
    return Pattern(torch.tensor([0, num_cols, num_cols]), torch.arange(num_cols), num_cols)


PATTERNS = {
    "square": random_pattern(12, 12, 40),
    "wide": random_pattern(5, 30, 17),
    "tall": random_pattern(30, 5, 60),
    "hub": _hub(50),
    "no entries": Pattern(torch.zeros(5, dtype=torch.long), torch.zeros(0, dtype=torch.long), 3),
    "no rows": Pattern(torch.zeros(1, dtype=torch.long), torch.zeros(0, dtype=torch.long), 3),
}
