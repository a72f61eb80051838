"""Random numbers by counting: element i of a mask is a hash of (seed, i), drawn again and never stored.

    first  = mix(low(seed) + golden)
    second = mix((high(seed) ^ first) + golden)
    hash(seed, i) = mix(mix(low(i) ^ first) + second + high(i) * golden)        all modulo 2^32

low and high are the 32-bit halves and golden is 2^32 over the golden ratio; an element is kept where its hash
is at least p 2^32. The same bits come from PyTorch on any device (`keep_mask`), from a kernel's scalars
(`keep`) and from its vectors (`keep_lanes`), whatever the number of threads.

J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011. The constants of
mix: C. Wellons, "Prospecting for hash functions" (lowbias32), 2018.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Int
from numba.extending import register_jitable
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.errors import check
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.simd import counter, spread, where

_LOW = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9


def draw_seed(device: torch.device | str | None = None) -> Int[Tensor, ""]:
    """A fresh seed from PyTorch's default generator of that device, so that `torch.manual_seed` rules.

    >>> _ = torch.manual_seed(0)
    >>> first = draw_seed()
    >>> _ = torch.manual_seed(0)
    >>> bool(first == draw_seed()), bool(first == draw_seed())
    (True, False)
    """
    return torch.randint(2**63 - 1, (), dtype=torch.int64, device=device)


def threshold_of(p: float) -> int:
    """The smallest hash that is kept where elements are dropped with probability p."""
    return min(round(p * 2**32), _LOW)


def scale_of(p: float) -> float:
    """1 / (1 - p), by which the kept ones grow so that the mean stays; 0 for p = 1, which keeps nothing."""
    return 1 / (1 - p) if p < 1 else 0.0


def check_dropout(p: float, seed: Tensor | None, device: torch.device) -> None:
    """Raise an InputError unless p is a probability and the seed, where given, one as `draw_seed` makes."""
    check(isinstance(p, int | float) and 0 <= p <= 1, f"dropout must be a probability, 0 to 1, got {p!r}")
    if seed is not None:
        check_tensor("seed", seed, ndim=0, dtypes=(torch.int64,))
        check(seed.device == device, f"seed must be on {device}, like the features, got {seed.device}")


def keep_mask(seed: Int[Tensor, ""], shape: Sequence[int], p: float) -> Bool[Tensor, "..."]:
    """Which elements of a tensor of that shape are kept, its counters running from 0 in order of rows.

    >>> keep_mask(torch.tensor(7), (2, 4), 0.5).tolist()
    [[True, False, False, True], [True, False, False, True]]
    """
    counters = torch.arange(math.prod(shape), device=seed.device).reshape(tuple(shape))
    return _hash(seed, counters) >= threshold_of(p)


@kernel
def keep(seed, counter, threshold):
    """Whether the element of that counter is kept; all three are int64."""
    return _hash(seed, counter) >= threshold


@kernel
def keep_lanes(seed, start, threshold, like):
    """The mask of those kept among start, start + 1, ..., as many as the vector `like` has lanes."""
    first, second = _keys(seed)
    low = counter(start, like)
    offset = (second + (start >> 32) * _GOLDEN) & _LOW
    carry = low < np.uint32(start & _LOW)  # the lanes past a multiple of 2^32
    offsets = where(carry, spread(np.uint32((offset + _GOLDEN) & _LOW), low), spread(np.uint32(offset), low))
    return _mix_lanes(_mix_lanes(low ^ spread(np.uint32(first), low)) + offsets) >= np.uint32(threshold)


# On int64 in kernels and tensors, and on Python's integers. A product may overflow; its low half is right.


@register_jitable
def _hash(seed, counter):
    first, second = _keys(seed)
    return _mix((_mix((counter & _LOW) ^ first) + second + (counter >> 32) * _GOLDEN) & _LOW)


@register_jitable
def _keys(seed):
    first = _mix(((seed & _LOW) + _GOLDEN) & _LOW)
    return first, _mix(((((seed >> 32) & _LOW) ^ first) + _GOLDEN) & _LOW)


@register_jitable
def _mix(bits):
    bits = ((bits ^ (bits >> 16)) * 0x7FEB352D) & _LOW
    bits = ((bits ^ (bits >> 15)) * 0x846CA68B) & _LOW
    return bits ^ (bits >> 16)


@register_jitable
def _mix_lanes(bits):
    bits = (bits ^ (bits >> 16)) * np.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * np.uint32(0x846CA68B)
    return bits ^ (bits >> 16)
