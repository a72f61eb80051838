"""What deserves a kernel: tensors in, tensors out.

Every operation takes a `Pattern` first: who gathers from whom, rows the targets and columns the sources.
"""

from grapevine.ops.attention import additive_attention, dot_attention, gatv2_attention
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.epilogue import epilogue
from grapevine.ops.gather import gather
from grapevine.ops.pattern import Pattern
from grapevine.ops.sddmm import sddmm
from grapevine.ops.segment import segment_reduce
from grapevine.ops.sparse import SparseMatrix
from grapevine.ops.spmm import spmm

__all__ = [
    "Pattern",
    "SparseMatrix",
    "additive_attention",
    "dot_attention",
    "edge_softmax",
    "epilogue",
    "gather",
    "gatv2_attention",
    "sddmm",
    "segment_reduce",
    "spmm",
]
