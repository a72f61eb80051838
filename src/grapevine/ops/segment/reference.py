"""The logarithm of the sum of exponentials over segments in plain PyTorch."""

import math

from torch import Tensor

from grapevine.ops.gather.reference import gather, segment, segment_sum, widened


def logsumexp(index: list[Tensor], segments: list[Tensor], x: Tensor) -> Tensor:
    wide = widened(x)
    top = segment(segments, wide, "max", -math.inf)
    shift = top.where(top.isfinite(), 0)
    total = segment_sum(segments, (wide - gather(index, shift)).exp(), None)
    return (shift + total.log()).to(x.dtype)
