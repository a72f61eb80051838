"""Equal rows in plain PyTorch."""

import torch
from torch import Tensor

BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def alike(rows: Tensor) -> tuple[Tensor, Tensor]:
    bits = rows.detach().contiguous().view(BITS[rows.element_size()])
    if bits.shape[1] == 0:
        bits = bits.new_zeros(len(bits), 1)
    of = bits.unique(dim=0, return_inverse=True)[1] if len(bits) else torch.zeros(0, dtype=torch.int64)
    count = int(of.max()) + 1 if len(of) else 0
    places = torch.arange(len(of), device=of.device)
    first = places.new_full((count,), len(of)).scatter_reduce(0, of, places, "amin")
    order = first.argsort()
    number = torch.empty_like(order)
    number[order] = torch.arange(count, device=of.device)
    return number[of].int(), first[order].int()


def heard_alike(
    own: Tensor, starts: Tensor, place: Tensor, left_out: Tensor, colors: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    heard = []
    for at, out in zip(place.tolist(), left_out.tolist(), strict=True):
        begin, end = int(starts[at]), int(starts[at + 1])
        heard.append(sorted(int(colors[p]) for p in range(begin, end) if p != out))
    longest = max(map(len, heard), default=0)
    padded = [[itself, *some, *[-1] * (longest - len(some))] for itself, some in zip(own.tolist(), heard, strict=True)]
    of, first = alike(torch.tensor(padded, dtype=torch.int64).reshape(len(own), longest + 1))
    kept = [heard[k] for k in first.tolist()]
    indptr = torch.tensor([0, *map(len, kept)], dtype=torch.int64).cumsum(0)
    indices = torch.tensor([color for some in kept for color in some], dtype=torch.int32)
    return tuple(t.to(own.device) for t in (of, first, indptr.int(), indices))  # pyright: ignore[reportReturnType]
