"""Every operation, forward and backward, against its reference in plain PyTorch, and against the speed of a copy.

128 columns, 4 heads where there are heads; memory is kept on both sides. The bytes moved are those of the inputs and
outputs where each entry reads the rows it needs anew; a row that is still in the cache comes faster than a copy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.graphs import CHANNELS, Case, arxiv_shaped
from benchmarks.report import Cell, Result, Table
from benchmarks.timing import Scale, copy_bandwidth, in_turn
from benchmarks.training import check_alike, check_equal
from grapevine.graph import Adjacency
from grapevine.ops.attention import additive_attention, dot_attention, gatv2_attention
from grapevine.ops.attention import reference as attention
from grapevine.ops.edge_softmax import edge_softmax
from grapevine.ops.edge_softmax import reference as softmax
from grapevine.ops.epilogue import epilogue
from grapevine.ops.epilogue import reference as epilogue_reference
from grapevine.ops.gather import gather, row_views
from grapevine.ops.gather import reference as gather_reference
from grapevine.ops.pattern import Pattern
from grapevine.ops.runtime.allocator import keep_memory
from grapevine.ops.sddmm import sddmm
from grapevine.ops.segment import segment_reduce
from grapevine.ops.select import reference as select
from grapevine.ops.spmm import spmm
from grapevine.ops.trilinear import reference as trilinear

_HEADS, _SLOPE = 4, 0.2
_SMALLER = 4  # than the other benchmarks' graph, because the references hold a row an edge

_Call = Callable[..., Tensor]


@dataclass(frozen=True)
class Kernel:
    """An operation and its reference, both called with the inputs, and the bytes that each direction moves."""

    name: str
    ours: _Call
    reference: _Call
    inputs: Sequence[Tensor]
    forward: int
    backward: int


def run(scale: Scale) -> Result:
    """A table with a row an operation."""
    case = arxiv_shaped(scale.share / _SMALLER)
    rows, bandwidth = scale.fresh(measure, scale)
    columns = [
        f"{what}{end}" for what in ("forward", "backward") for end in (", ms", ", reference", ", times", ", copy")
    ]
    notes = [f"A copy reads and writes {bandwidth / 1e9:.1f} GB/s together."]
    return Result([Table(f"Operations, {case}", ["", *columns], rows, notes)])


def measure(scale: Scale) -> tuple[list[list[Cell]], float]:
    """The rows of the table, and the bytes that a copy moves in a second."""
    keep_memory()
    case, bandwidth = arxiv_shaped(scale.share / _SMALLER), copy_bandwidth()
    return [_row(kernel, bandwidth, scale.long_rounds) for kernel in _kernels(case)], bandwidth


def _row(kernel: Kernel, bandwidth: float, rounds: int) -> list[Cell]:
    inputs = [x.requires_grad_() for x in kernel.inputs]
    ours, theirs = kernel.ours(*inputs), kernel.reference(*inputs)
    grad = torch.randn(ours.shape, generator=torch.Generator().manual_seed(1))
    check_equal(kernel.name, ours.detach(), theirs.detach())
    calls = {"ours": lambda: kernel.ours(*inputs), "theirs": lambda: kernel.reference(*inputs)}
    backward = {
        "ours": lambda: torch.autograd.grad(ours, inputs, grad, retain_graph=True),
        "theirs": lambda: torch.autograd.grad(theirs, inputs, grad, retain_graph=True),
    }
    for k, (our, their) in enumerate(zip(backward["ours"](), backward["theirs"](), strict=True)):
        check_alike(f"gradients of input {k} of {kernel.name}", our, their)  # of equals a maximum may choose another
    cells: list[Cell] = [kernel.name]
    for direction, moved in ((calls, kernel.forward), (backward, kernel.backward)):
        seconds = in_turn(direction, rounds)
        our, their = seconds["ours"], seconds["theirs"]
        cells += [our * 1e3, their * 1e3, their / our, f"{moved / our / bandwidth:.0%}"]
    return cells


def _kernels(case: Case) -> list[Kernel]:
    torch.manual_seed(0)
    pattern = Adjacency(case.edge_index, case.num_nodes).pattern
    n, e, c, h = case.num_nodes, case.num_edges, CHANNELS, _HEADS
    sizes = _Sizes(4 * n * c, 4 * e * c, 4 * n * h, 4 * e * h, 4 * (n + e))
    by_node, by_edge = (lambda *shape: torch.randn(n, *shape)), (lambda *shape: torch.randn(e, *shape))
    makers = _sums, _edges, _attentions
    return [kernel for make in makers for kernel in make(pattern, sizes, by_node, by_edge)]


@dataclass(frozen=True)
class _Sizes:
    """Bytes of a row a node, a row an edge, a number a head and node, a number a head and edge, and of the pattern."""

    node: int
    edge: int
    node_head: int
    edge_head: int
    pattern: int


def _sums(pattern: Pattern, size: _Sizes, by_node: _Call, by_edge: _Call) -> list[Kernel]:
    rows, x, weight = pattern.view, by_node(CHANNELS), by_edge(_HEADS)
    bias, seed = torch.randn(CHANNELS), torch.tensor(7)
    pass_over = size.edge + size.node + size.pattern
    return [
        Kernel(
            "spmm, sum",
            lambda x: spmm(pattern, x),
            lambda x: trilinear.spmm(rows, x, None, None, None),
            [x], pass_over, pass_over,
        ),
        Kernel(
            "spmm, weights a head",
            lambda x, w: spmm(pattern, x, w),
            lambda x, w: trilinear.spmm(rows, x, w, None, None),
            [x, weight], pass_over + size.edge_head, 2 * (pass_over + size.edge_head),
        ),
        Kernel(
            "spmm, max",
            lambda x: spmm(pattern, x, reduce="max"),
            lambda x: select.select(rows, x, None, True)[0],
            [x], pass_over + size.node, pass_over + size.edge,
        ),
        Kernel(
            "epilogue, ReLU and dropout",
            lambda x, b: epilogue(x, b, activation="relu", dropout=0.5, seed=seed),
            lambda x, b: epilogue_reference.epilogue(x, b, seed, "relu", 0.5),
            [x, bias], 2 * size.node, 3 * size.node,
        ),
    ]  # fmt: skip


def _edges(pattern: Pattern, size: _Sizes, by_node: _Call, by_edge: _Call) -> list[Kernel]:
    rows, (index, segments) = pattern.view, row_views(pattern)
    pass_over = size.edge + size.node + size.pattern
    return [
        Kernel(
            "gather",
            lambda x: gather(pattern, x),
            lambda x: gather_reference.gather([pattern.indices], x),
            [by_node(CHANNELS)], 2 * size.edge + size.pattern, pass_over,
        ),
        Kernel(
            "segment sum",
            lambda x: segment_reduce(pattern, x),
            lambda x: gather_reference.segment_sum(segments, x, None),
            [by_edge(CHANNELS)], pass_over, pass_over,
        ),
        Kernel(
            "sddmm, dot",
            lambda a, b: sddmm(pattern, a, b),
            lambda a, b: trilinear.sddmm_dot(rows, a.flatten(1), b.flatten(1), _HEADS, None, None),
            [by_node(_HEADS, CHANNELS // _HEADS), by_node(_HEADS, CHANNELS // _HEADS)],
            pass_over + size.edge_head, 2 * (pass_over + size.edge_head),
        ),
        Kernel(
            "edge_softmax",
            lambda x: edge_softmax(pattern, x),
            lambda x: softmax.edge_softmax(index, segments, x),
            [by_edge(_HEADS)], 2 * size.edge_head, 3 * size.edge_head,
        ),
    ]  # fmt: skip


def _attentions(pattern: Pattern, size: _Sizes, by_node: _Call, by_edge: _Call) -> list[Kernel]:
    rows, width, scale = pattern.view, CHANNELS // _HEADS, (CHANNELS // _HEADS) ** -0.5
    q, k, v = (by_node(_HEADS, width) for _ in range(3))
    scores = [by_node(_HEADS), by_node(_HEADS)]
    once = size.edge + size.node + size.pattern
    return [
        Kernel(
            "additive_attention",
            lambda v, j, i: additive_attention(pattern, v, j, i),
            lambda v, j, i: attention.additive(rows, v, j, i, None, _SLOPE, 0.0, None)[0],
            [v, *scores], once + size.edge_head + 2 * size.node_head,
            once + 2 * size.node + 4 * size.edge_head + 4 * size.node_head,
        ),
        Kernel(
            "gatv2_attention",
            lambda v, q, a: gatv2_attention(pattern, v, q, a),
            lambda v, q, a: attention.gatv2(rows, v, q, a, _SLOPE, 0.0, None)[0],
            [v, q, torch.randn(_HEADS, width)], once + size.node, 3 * size.edge + 6 * size.node + 2 * size.pattern,
        ),
        Kernel(
            "dot_attention",
            lambda q, k, v: dot_attention(pattern, q, k, v),
            lambda q, k, v: attention.dot(rows, q, k, v, None, scale, 0.0, None)[0],
            [q, k, v], once + size.edge + size.node, 4 * size.edge + 6 * size.node + 2 * size.pattern,
        ),
    ]  # fmt: skip
