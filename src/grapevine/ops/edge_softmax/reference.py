"""Softmax over the entries of each row in plain PyTorch."""

import math

from torch import Tensor

from grapevine.ops.gather.reference import gather, segment, segment_sum, widened


def edge_softmax(index: list[Tensor], segments: list[Tensor], logits: Tensor) -> Tensor:
    wide = widened(logits)
    powers = (wide - gather(index, segment(segments, wide, "max", -math.inf))).exp()
    return (powers / gather(index, segment_sum(segments, powers, None))).to(logits.dtype)


def edge_softmax_backward(index: list[Tensor], segments: list[Tensor], alpha: Tensor, grad: Tensor) -> Tensor:
    wide, grad = widened(alpha), widened(grad)
    return (wide * (grad - gather(index, segment_sum(segments, wide * grad, None)))).to(alpha.dtype)
