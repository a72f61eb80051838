"""Drawn input: whatever comes, the public operations, graphs and layers answer rightly or raise a ValueError.

No draw may end in another exception, and none in a crash: kernels read memory by the indices they are given.
"""

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar, get_args

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import Phase, given, settings
from torch import Tensor
from torch.nn import functional
from torch.nn.functional import leaky_relu

from grapevine import ops
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.ops.pattern import Pattern
from grapevine.typing import ActivationName, Reduce
from tests.nn.cases import CASES

# Without the phase that makes a failing draw smaller: it takes minutes, and draws are small.
BOUNDED = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate]
)
BOUNDED_MORE = settings(BOUNDED, max_examples=150)
BOUNDED_LESS = settings(BOUNDED, max_examples=15)

_R = TypeVar("_R")


def answer(function: Callable[[], _R]) -> _R | None:
    """What it returns; None where it raises a ValueError, the only exception it may raise."""
    with contextlib.suppress(ValueError):
        return function()
    return None


# What may come: wrong things, wrong numbers, tensors of all kinds.

HUGE = (-(2**63), -(2**31), -1, 2**62)
SPECIAL = (0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e30, -1e-30)
DTYPES = (torch.float32, torch.float64, torch.int64, torch.int32, torch.bool, torch.complex64)


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    """Of any shape, dtype and layout, one of their numbers special."""
    shape = draw(st.lists(st.integers(0, 5), max_size=4))
    tensor = numbers(draw, *shape).contiguous().to(draw(st.sampled_from(DTYPES)))
    if tensor.numel() and tensor.is_floating_point():
        tensor.view(-1)[draw(st.integers(0, tensor.numel() - 1))] = draw(st.sampled_from(SPECIAL))
    form = draw(st.sampled_from(("plain", "turned", "spread", "sparse", "grad")))
    if form == "turned" and tensor.ndim > 1:
        return tensor.mT
    if form == "spread":
        return tensor.unsqueeze(-1).expand(*shape, 3)[..., 0]
    if form == "sparse" and tensor.ndim and not tensor.is_complex():
        return tensor.to_sparse()
    return tensor.requires_grad_(form == "grad" and tensor.is_floating_point())


NUMBERS = st.one_of(st.integers(-3, 9), st.sampled_from(HUGE), st.floats(width=32), st.booleans())
THINGS = st.one_of(st.none(), st.text(max_size=3), NUMBERS, st.lists(NUMBERS, max_size=4), st.just({"x": 1}))
ANYTHING = st.one_of(THINGS, tensors())
INDICES = st.lists(st.one_of(st.integers(-1, 6), st.sampled_from(HUGE)), max_size=8)
SIZES = st.one_of(st.none(), st.integers(0, 8), THINGS)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """With empty rows, repeated entries, no entries, no rows or no columns; or the transpose of such a one."""
    num_rows, num_cols = draw(st.integers(0, 6)), draw(st.integers(0, 6))
    most = 20 if num_rows and num_cols else 0
    pairs = draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=most))
    rows, cols = ([pair[k] % size for pair in pairs] for k, size in ((0, num_rows), (1, num_cols)))
    pattern = Adjacency([cols, rows], size=(num_cols, num_rows)).pattern
    return draw(st.sampled_from((pattern, pattern.transposed)))


def numbers(draw: st.DrawFn, *shape: int) -> Tensor:
    """Random ones, their rows next to each other in memory or their columns."""
    tensor = torch.randn(shape, generator=torch.Generator().manual_seed(draw(st.integers(0, 100))))
    return tensor.mT.contiguous().mT if len(shape) > 1 and draw(st.booleans()) else tensor


# The operations: how their input is drawn, and what they compute in plain words.

Inputs = tuple[tuple[Tensor | None, ...], dict[str, Any]]
OPERATIONS: dict[str, tuple[Callable[[st.DrawFn, Pattern], Inputs], Callable[..., Tensor]]] = {}
WIDTHS, HEADS, SLOPES = st.integers(1, 9), st.integers(1, 3), st.sampled_from((0.2, 0.0, -1.0, 2.0))


def operation(plain: Callable[..., Tensor]) -> Callable[[Callable], Callable]:
    """Put the function that draws an operation's input into the table, by its name, with the operation's plain form."""

    def register(draw: Callable) -> Callable:
        OPERATIONS[draw.__name__] = draw, plain
        return draw

    return register


def ends(pattern: Pattern) -> tuple[Tensor, Tensor]:
    """The row and the column of each edge, in the order of the edge tensors."""
    rows, cols = pattern.row_of.long(), pattern.indices.long()
    order = torch.arange(len(rows)) if pattern.entry is None else pattern.entry.long().argsort()
    return rows[order], cols[order]


def reduced(pattern: Pattern, x: Tensor, reduce: str) -> Tensor:
    kinds = {"sum": torch.sum, "mean": torch.mean, "max": torch.amax, "min": torch.amin, "logsumexp": torch.logsumexp}
    empty = x.new_full(x.shape[1:], -torch.inf if reduce == "logsumexp" else 0.0)
    parts = [x[ends(pattern)[0] == row] for row in range(pattern.num_rows)]
    rows = [kinds[reduce](part, 0) if len(part) else empty for part in parts]
    return torch.stack(rows) if rows else x.new_zeros(0, *x.shape[1:])


def softmax(pattern: Pattern, scores: Tensor) -> Tensor:
    rows, _ = ends(pattern)
    return (scores - reduced(pattern, scores, "logsumexp")[rows]).exp()


def averaged(pattern: Pattern, scores: Tensor, value: Tensor) -> Tensor:
    return reduced(pattern, softmax(pattern, scores).unsqueeze(2) * value[ends(pattern)[1]], "sum")


@operation(lambda p, x, side: x[ends(p)[0 if side == "rows" else 1]])
def gather(draw, p):
    side = draw(st.sampled_from(("rows", "cols")))
    return (numbers(draw, p.num_rows if side == "rows" else p.num_cols, draw(WIDTHS)),), {"side": side}


@operation(reduced)
def segment_reduce(draw, p):
    reduce = draw(st.sampled_from((*get_args(Reduce), "logsumexp")))
    return (numbers(draw, p.num_entries, draw(WIDTHS)),), {"reduce": reduce}


@operation(softmax)
def edge_softmax(draw, p):
    return (numbers(draw, p.num_entries, draw(HEADS)),), {}


def plain_spmm(p: Pattern, x: Tensor, weight: Tensor | None, reduce: str) -> Tensor:
    by_entry = x[ends(p)[1]]
    if weight is not None:
        by_entry = (by_entry.unflatten(1, (weight.shape[1], -1)) * weight.unsqueeze(2)).flatten(1)
    return reduced(p, by_entry, reduce)


@operation(plain_spmm)
def spmm(draw, p):
    heads = draw(HEADS)
    weight = numbers(draw, p.num_entries, heads) if draw(st.booleans()) else None
    return (numbers(draw, p.num_cols, heads * draw(WIDTHS)), weight), {
        "reduce": draw(st.sampled_from(get_args(Reduce)))
    }


def plain_sddmm(p: Pattern, row_x: Tensor, col_x: Tensor, op: str) -> Tensor:
    a, b = row_x[ends(p)[0]], col_x[ends(p)[1]]
    return (a * b).sum(2) if op == "dot" else a + b


@operation(plain_sddmm)
def sddmm(draw, p):
    shape = draw(HEADS), draw(WIDTHS)
    return (numbers(draw, p.num_rows, *shape), numbers(draw, p.num_cols, *shape)), {
        "op": draw(st.sampled_from(("dot", "add")))
    }


def plain_additive(p: Pattern, value: Tensor, by_col: Tensor, by_row: Tensor, by_edge: Tensor | None, negative_slope):
    scores = by_col[ends(p)[1]] + by_row[ends(p)[0]] + (0 if by_edge is None else by_edge)
    return averaged(p, leaky_relu(scores, negative_slope), value)


@operation(plain_additive)
def additive_attention(draw, p):
    heads = draw(HEADS)
    scores = numbers(draw, p.num_cols, heads), numbers(draw, p.num_rows, heads)
    by_edge = numbers(draw, p.num_entries, heads) if draw(st.booleans()) else None
    return (numbers(draw, p.num_cols, heads, draw(WIDTHS)), *scores, by_edge), {"negative_slope": draw(SLOPES)}


def plain_gatv2(p: Pattern, col_x: Tensor, row_x: Tensor, att: Tensor, negative_slope: float) -> Tensor:
    rows, cols = ends(p)
    return averaged(p, (leaky_relu(col_x[cols] + row_x[rows], negative_slope) * att).sum(2), col_x)


@operation(plain_gatv2)
def gatv2_attention(draw, p):
    shape = draw(HEADS), draw(WIDTHS)
    inputs = numbers(draw, p.num_cols, *shape), numbers(draw, p.num_rows, *shape), numbers(draw, *shape)
    return inputs, {"negative_slope": draw(SLOPES)}


def plain_dot(p: Pattern, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    scores = (query[ends(p)[0]] * key[ends(p)[1]]).sum(2) * scale
    return averaged(p, scores if bias is None else scores + bias, value)


@operation(plain_dot)
def dot_attention(draw, p):
    heads, width = draw(HEADS), draw(WIDTHS)
    ends = numbers(draw, p.num_rows, heads, width), numbers(draw, p.num_cols, heads, width)
    bias = numbers(draw, p.num_entries, heads) if draw(st.booleans()) else None
    return (*ends, numbers(draw, p.num_cols, heads, draw(WIDTHS)), bias), {"scale": draw(SLOPES)}


def plain_epilogue(p: Pattern, x: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    out = x if bias is None else x + bias
    return out if activation == "none" else getattr(functional, activation)(out)


@operation(plain_epilogue)
def epilogue(draw, p):
    width, activation = draw(WIDTHS), draw(st.sampled_from(get_args(ActivationName)))
    bias = numbers(draw, width) if draw(st.booleans()) else None
    return (numbers(draw, p.num_rows, width), bias), {"activation": activation}


def call(name: str, pattern: object, inputs: list, options: dict[str, Any]) -> Tensor:
    function = getattr(ops, name)
    return function(*inputs, **options) if name == "epilogue" else function(pattern, *inputs, **options)


@pytest.mark.parametrize("name", OPERATIONS)
@BOUNDED
@given(data=st.data())
def test_operations_answer_rightly(name, data):
    draw, plain = OPERATIONS[name]
    pattern = data.draw(patterns())
    inputs, options = draw(data.draw, pattern)
    leaves = [x.requires_grad_() for x in inputs if x is not None]
    results = []
    for out in (call(name, pattern, inputs, options), plain(pattern, *inputs, **options)):
        weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(0))
        out = out + 0 * sum(leaf.sum() for leaf in leaves)  # where nothing enters the output, its gradient is zero
        results.append((out, *torch.autograd.grad(out, leaves, weights)))
    for got, wanted in zip(*results, strict=True):
        torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", OPERATIONS)
@BOUNDED
@given(data=st.data())
def test_operations_refuse_wrong_input(name, data):
    pattern = data.draw(patterns())
    inputs, options = OPERATIONS[name][0](data.draw, pattern)
    given_inputs = [pattern, *inputs]
    given_inputs[data.draw(st.integers(0, len(inputs)))] = data.draw(ANYTHING)
    if options and data.draw(st.booleans()):
        options[data.draw(st.sampled_from(sorted(options)))] = data.draw(THINGS)
    if name == "epilogue" or name.endswith("attention"):
        options["dropout"], options["seed"] = data.draw(st.just(0.5) | THINGS), data.draw(st.none() | ANYTHING)
    answer(lambda: call(name, given_inputs[0], given_inputs[1:], options))


@BOUNDED_MORE
@given(indptr=INDICES | ANYTHING, indices=INDICES | ANYTHING, num_cols=SIZES)
def test_patterns_refuse_wrong_input(indptr, indices, num_cols):
    as_tensors = [torch.tensor(x) if isinstance(x, list) and x else x for x in (indptr, indices)]
    answer(lambda: Pattern(*as_tensors, num_cols))
    answer(lambda: Adjacency.from_csr(indptr, indices, num_cols))


@BOUNDED_MORE
@given(edges=st.tuples(INDICES, INDICES) | ANYTHING, num_nodes=SIZES, size=st.tuples(SIZES, SIZES) | SIZES)
def test_adjacencies_are_right_or_refused(edges, num_nodes, size):
    answer(lambda: as_adjacency(edges, num_nodes, num_nodes))
    adj = answer(lambda: Adjacency(edges, num_nodes, size=size))
    if adj is not None:
        as_given = torch.as_tensor(edges, dtype=torch.long).reshape(2, -1)
        assert torch.equal(adj.edge_index, as_given[:, adj.edge_id])
        assert bool((adj.dst.diff() >= 0).all())
        assert adj.in_degree.tolist() == [int((adj.dst == node).sum()) for node in range(adj.num_dst)]


@BOUNDED_MORE
@given(
    edges=st.sampled_from(([[0, 1], [1, 2]], [[], []])) | ANYTHING,
    name=st.sampled_from(("x", "y", "pos", "z", "edge_attr", "edge_weight", "train_mask", "num_nodes")),
    level=st.sampled_from(("node", "edge", "graph")),
    key=st.sampled_from(("charge", "x", "", "adj", "_x", "not a name", 3, None)),
    value=ANYTHING,
)
def test_graphs_refuse_wrong_input(edges, name, level, key, value):
    for options in ({name: value}, {level: {key: value}}, {level: value}):
        graph = answer(lambda options=options: Graph(edges, **options))
        if graph is not None:
            assert [part.num_edges for part in Graph.batch([graph, graph]).unbatch()] == [graph.num_edges] * 2
    answer(lambda: Graph.batch([value]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@BOUNDED_LESS
@given(data=st.data())
def test_layers_refuse_wrong_input(case, data):
    x, adj, edge = case.inputs()
    inputs = [x, Graph(adj)] if edge is None else [x, Graph(adj), edge]
    place = data.draw(st.integers(0, len(inputs) - 1))
    inputs[place] = data.draw(st.tuples(ANYTHING, ANYTHING) | ANYTHING if place == 0 else ANYTHING)
    answer(lambda: case.make().double()(*inputs))
