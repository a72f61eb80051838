"""Continuous-filter sums against their reference, and their derivatives to second order."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.graph.reverse import reverse_edges
from grapevine.ops.filter_sum import Filters, filter_slope_op, filter_sum, filter_sum_op, reference
from grapevine.ops.pattern import Pattern
from tests.ops.cases import PATTERNS, WIDTHS, random_pattern

BIG = random_pattern(3_000, 2_000, 40_000)  # large enough to be shared out among threads


def pairs(num_nodes: int = 9, count: int = 20) -> Adjacency:
    """Edges both ways, some repeated, with self-loops and a node without any."""
    some = torch.randint(num_nodes - 1, (2, count), generator=torch.Generator().manual_seed(3))
    return Adjacency(torch.cat([some, some.flip(0), torch.tensor([[1, 2], [1, 2]])], 1), num_nodes=num_nodes)


def shared() -> Filters:
    adj = pairs()
    return Filters.shared(adj.pattern, reverse_edges(adj))


def inputs(filters: Filters, width: int, dtype=torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    x = torch.randn(filters.pattern.num_cols, width, dtype=dtype)
    return x, torch.randn(filters.num_filters, width, dtype=dtype)


CASES = {name: Filters.each(pattern) for name, pattern in PATTERNS.items()}
CASES |= {f"{name}, turned": Filters.each(pattern.transposed) for name, pattern in PATTERNS.items()}
CASES |= {"shared": shared(), "large": Filters.each(BIG)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CASES)
def test_it_is_its_reference(name, width, dtype):
    filters = CASES[name]
    x, weight = inputs(filters, width, dtype)
    rows, ends = filters.pattern.view, filters.ends
    close = {"rtol": 1e-5, "atol": 1e-4} if dtype == torch.float32 else {}
    wanted = reference.filter_sum(rows, x, weight)
    torch.testing.assert_close(filter_sum_op(rows, [], ends, x, weight), wanted, **close)
    g = torch.randn_like(wanted)
    torch.testing.assert_close(filter_slope_op(rows, [], ends, g, x), reference.filter_slope(ends, g, x), **close)


def test_it_is_a_sum_over_the_entries():
    adj = pairs()
    x, weight = inputs(Filters.each(adj.pattern), 5)
    wanted = torch.zeros_like(x)
    for e, (j, i) in enumerate(adj.edge_index.T.tolist()):
        wanted[i] += weight[e] * x[j]
    torch.testing.assert_close(filter_sum(Filters.each(adj.pattern), x, weight), wanted)


def test_shared_filters_are_those_of_both_directions():
    adj, filters = pairs(), shared()
    x, weight = inputs(filters, 20)
    number = filters.pattern.entry.long()
    assert filters.num_filters == (adj.num_edges - int((adj.src == adj.dst).sum())) // 2 + int(
        (adj.src == adj.dst).sum()
    )
    assert torch.equal(number[reverse_edges(adj).long()], number)
    assert torch.equal(filter_sum(filters, x, weight), filter_sum(Filters.each(adj.pattern), x, weight[number]))


@pytest.mark.parametrize("name", ["square", "wide", "wide, turned", "no entries", "shared"])
def test_derivatives(name):
    filters = CASES[name]
    leaves = [tensor.requires_grad_() for tensor in inputs(filters, 3, torch.float64)]
    assert torch.autograd.gradcheck(lambda x, w: filter_sum(filters, x, w), leaves)
    assert torch.autograd.gradgradcheck(lambda x, w: filter_sum(filters, x, w), leaves)


def test_opcheck():
    filters = shared()
    leaves = [tensor.requires_grad_() for tensor in inputs(filters, 3)]
    views = filters.pattern.view, filters.pattern.transposed.view, filters.ends
    torch.library.opcheck(filter_sum_op, (*views, *leaves))
    g = torch.randn(filters.pattern.num_rows, 3, requires_grad=True)
    torch.library.opcheck(filter_slope_op, (*views, g, leaves[0]))


def test_the_same_bits_for_any_number_of_threads():
    filters, threads = CASES["large"], torch.get_num_threads()
    x, weight = inputs(filters, 64)
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(filter_sum(filters, x, weight))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


def test_nan_stays():
    filters = Filters.each(Pattern(torch.tensor([0, 1, 2]), torch.tensor([0, 1]), num_cols=2))
    out = filter_sum(filters, torch.tensor([[1.0], [torch.nan]]), torch.tensor([[torch.inf], [0.0]]))
    assert out[0].isinf()
    assert out[1].isnan()


def test_wrong_input():
    filters = CASES["square"]
    x, weight = inputs(filters, 4)
    with pytest.raises(InputError, match="x must have a row for each of the 12 columns"):
        filter_sum(filters, x[1:], weight)
    with pytest.raises(InputError, match="weight must have a row for each of the 40 filters"):
        filter_sum(filters, x, weight[1:])
    with pytest.raises(InputError, match="the same number of columns"):
        filter_sum(filters, x, weight[:, 1:])
    with pytest.raises(InputError, match="share one dtype"):
        filter_sum(filters, x, weight.double())
    with pytest.raises(InputError, match="must be Filters"):
        filter_sum(filters.pattern, x, weight)
