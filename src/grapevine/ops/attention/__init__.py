"""Attention over the entries of each row: graph attention, its second version, and scaled dot products."""

from grapevine.ops.attention.additive import additive_attention
from grapevine.ops.attention.dot import dot_attention
from grapevine.ops.attention.gatv2 import gatv2_attention

__all__ = ["additive_attention", "dot_attention", "gatv2_attention"]
