"""The polynomial of every node on the processor: channels are lanes, a node's components stay in the first cache."""

import torch
from torch import Tensor

from grapevine.ops.runtime.kernel import WIDE, kernel, lean
from grapevine.ops.runtime.parallel import as_array, share_rows
from grapevine.ops.runtime.simd import zeros
from grapevine.ops.runtime.strips import put, take


def total(table: Tensor, kind: Tensor, num_outputs: int, x: Tensor, weight: Tensor) -> Tensor:
    out = x.new_zeros(len(x), num_outputs, x.shape[2])
    arrays = [as_array(tensor) for tensor in (table, kind, x, weight, out)]
    share_rows(_totals, len(x), *arrays, work=4 * len(x) * len(table) * x.shape[2])
    return out


def slopes(table: Tensor, kind: Tensor, g: Tensor, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    of_x, of_weight = torch.zeros_like(x), torch.zeros_like(weight)
    arrays = [as_array(tensor) for tensor in (table, kind, g, x, weight)]
    work = 4 * len(x) * len(table) * x.shape[2]
    share_rows(_slopes_by_x, len(x), *arrays, as_array(of_x), work=2 * work)
    # a term's weights are shared by all nodes of a kind: threads take terms, and add the nodes up in their order
    share_rows(_slopes_by_weight, len(table), *arrays[:4], as_array(of_weight), work=work)
    return of_x, of_weight


def turns(
    table: Tensor, kind: Tensor, g: Tensor, x: Tensor, weight: Tensor, by_x: Tensor, by_weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    of_g, of_x, of_weight = torch.zeros_like(g), torch.zeros_like(x), torch.zeros_like(weight)
    arrays = [as_array(tensor) for tensor in (table, kind, g, x, weight, by_x, by_weight)]
    work = 4 * len(x) * len(table) * x.shape[2]
    share_rows(_turns_of_nodes, len(x), *arrays, as_array(of_g), as_array(of_x), work=4 * work)
    share_rows(_turns_of_weights, len(table), *arrays[:4], arrays[5], as_array(of_weight), work=2 * work)
    return of_g, of_x, of_weight


@kernel
def _totals(begin, end, table, kind, x, weight, out):
    for i in range(begin, end):
        f, channels = 0, x.shape[2]
        while channels - f >= WIDE:
            _total(zeros(x, WIDE), f, None, i, table, kind, x, weight, out)
            f += WIDE
        rest = channels - f
        if rest > 32:
            _total(zeros(x, 128), f, rest, i, table, kind, x, weight, out)
        elif rest > 16:
            _total(zeros(x, 32), f, rest, i, table, kind, x, weight, out)
        elif rest > 0:
            _total(zeros(x, 16), f, rest, i, table, kind, x, weight, out)


@kernel
def _total(zero, f, count, i, table, kind, x, weight, out):
    """A strip of channels of node i; the terms of an output follow one another, so that its sum stays in registers."""
    channels = x.shape[2]
    of, w, into = i * x.shape[1] * channels + f, kind[i] * weight.shape[1] * channels + f, i * out.shape[1]
    k = 0
    while k < table.shape[0]:
        output, value = table[k, 0], zero
        while k < table.shape[0] and table[k, 0] == output:
            scale = take(weight, w + k * channels, count, zero)
            value = value + scale * _product(zero, k, table, x, of, channels, count)
            k += 1
        place = (into + output) * channels + f
        put(out, place, count, take(out, place, count, zero) + value)


@lean
def _product(zero, k, table, x, of, channels, count):
    """The product of the factors of term k."""
    value = take(x, of + table[k, 1] * channels, count, zero)
    if table[k, 2] >= 0:
        value = value * take(x, of + table[k, 2] * channels, count, zero)
    if table[k, 3] >= 0:
        value = value * take(x, of + table[k, 3] * channels, count, zero)
    return value


@lean
def _product_turn(zero, k, table, x, by_x, of, channels, count):
    """How that product changes when x moves along by_x."""
    first = of + table[k, 1] * channels
    value, turn = take(x, first, count, zero), take(by_x, first, count, zero)
    if table[k, 2] >= 0:
        place = of + table[k, 2] * channels
        factor = take(x, place, count, zero)
        turn = turn * factor + value * take(by_x, place, count, zero)
        value = value * factor
    if table[k, 3] >= 0:
        place = of + table[k, 3] * channels
        turn = turn * take(x, place, count, zero) + value * take(by_x, place, count, zero)
    return turn


@lean
def _add(array, place, count, value):
    put(array, place, count, take(array, place, count, value) + value)


@kernel
def _slopes_by_x(begin, end, table, kind, g, x, weight, of_x):
    for i in range(begin, end):
        f, channels = 0, x.shape[2]
        while channels - f >= WIDE:
            _slope_by_x(zeros(x, WIDE), f, None, i, table, kind, g, x, weight, of_x)
            f += WIDE
        rest = channels - f
        if rest > 32:
            _slope_by_x(zeros(x, 128), f, rest, i, table, kind, g, x, weight, of_x)
        elif rest > 16:
            _slope_by_x(zeros(x, 32), f, rest, i, table, kind, g, x, weight, of_x)
        elif rest > 0:
            _slope_by_x(zeros(x, 16), f, rest, i, table, kind, g, x, weight, of_x)


@kernel
def _slope_by_x(zero, f, count, i, table, kind, g, x, weight, of_x):
    channels = x.shape[2]
    of, w, heard = (
        i * x.shape[1] * channels + f,
        kind[i] * weight.shape[1] * channels + f,
        i * g.shape[1] * channels + f,
    )
    for k in range(table.shape[0]):
        scale = take(g, heard + table[k, 0] * channels, count, zero) * take(weight, w + k * channels, count, zero)
        a = of + table[k, 1] * channels
        if table[k, 2] < 0:
            _add(of_x, a, count, scale)
            continue
        b = of + table[k, 2] * channels
        first, second = take(x, a, count, zero), take(x, b, count, zero)
        if table[k, 3] >= 0:
            c = of + table[k, 3] * channels
            _add(of_x, c, count, scale * first * second)
            scale = scale * take(x, c, count, zero)
        _add(of_x, a, count, scale * second)
        _add(of_x, b, count, scale * first)


@kernel
def _slopes_by_weight(begin, end, table, kind, g, x, of_weight):
    for i in range(x.shape[0]):
        f, channels = 0, x.shape[2]
        while channels - f >= WIDE:
            _slope_by_weight(zeros(x, WIDE), f, None, i, begin, end, table, kind, g, x, of_weight)
            f += WIDE
        rest = channels - f
        if rest > 32:
            _slope_by_weight(zeros(x, 128), f, rest, i, begin, end, table, kind, g, x, of_weight)
        elif rest > 16:
            _slope_by_weight(zeros(x, 32), f, rest, i, begin, end, table, kind, g, x, of_weight)
        elif rest > 0:
            _slope_by_weight(zeros(x, 16), f, rest, i, begin, end, table, kind, g, x, of_weight)


@kernel
def _slope_by_weight(zero, f, count, i, begin, end, table, kind, g, x, of_weight):
    channels = x.shape[2]
    of, w, heard = i * x.shape[1] * channels + f, kind[i] * table.shape[0] * channels + f, i * g.shape[1] * channels + f
    for k in range(begin, end):
        product = _product(zero, k, table, x, of, channels, count)
        _add(of_weight, w + k * channels, count, product * take(g, heard + table[k, 0] * channels, count, zero))


@kernel
def _turns_of_nodes(begin, end, table, kind, g, x, weight, by_x, by_weight, of_g, of_x):
    for i in range(begin, end):
        f, channels = 0, x.shape[2]
        while channels - f >= 32:
            _turn_of_node(zeros(x, 32), f, None, i, table, kind, g, x, weight, by_x, by_weight, of_g, of_x)
            f += 32
        rest = channels - f
        if rest > 16:
            _turn_of_node(zeros(x, 32), f, rest, i, table, kind, g, x, weight, by_x, by_weight, of_g, of_x)
        elif rest > 0:
            _turn_of_node(zeros(x, 16), f, rest, i, table, kind, g, x, weight, by_x, by_weight, of_g, of_x)


@kernel
def _turn_of_node(zero, f, count, i, table, kind, g, x, weight, by_x, by_weight, of_g, of_x):
    """With s = g w and s' = g w': by the product rule, each factor's slope is s' * the others + s * (the others)'."""
    channels = x.shape[2]
    of, w, heard = (
        i * x.shape[1] * channels + f,
        kind[i] * weight.shape[1] * channels + f,
        i * g.shape[1] * channels + f,
    )
    for k in range(table.shape[0]):
        plain, turned = take(weight, w + k * channels, count, zero), take(by_weight, w + k * channels, count, zero)
        product = _product(zero, k, table, x, of, channels, count)
        product_turn = _product_turn(zero, k, table, x, by_x, of, channels, count)
        _add(of_g, heard + table[k, 0] * channels, count, plain * product_turn + turned * product)
        own = take(g, heard + table[k, 0] * channels, count, zero)
        scale, scale_turn = own * plain, own * turned
        a = of + table[k, 1] * channels
        if table[k, 2] < 0:
            _add(of_x, a, count, scale_turn)
            continue
        b = of + table[k, 2] * channels
        x_a, x_b = take(x, a, count, zero), take(x, b, count, zero)
        by_a, by_b = take(by_x, a, count, zero), take(by_x, b, count, zero)
        if table[k, 3] >= 0:
            c = of + table[k, 3] * channels
            x_c, by_c = take(x, c, count, zero), take(by_x, c, count, zero)
            _add(of_x, c, count, scale_turn * x_a * x_b + scale * (by_a * x_b + x_a * by_b))
            scale_turn = scale_turn * x_c + scale * by_c
            scale = scale * x_c
        _add(of_x, a, count, scale_turn * x_b + scale * by_b)
        _add(of_x, b, count, scale_turn * x_a + scale * by_a)


@kernel
def _turns_of_weights(begin, end, table, kind, g, x, by_x, of_weight):
    for i in range(x.shape[0]):
        f, channels = 0, x.shape[2]
        while channels - f >= 64:
            _turn_of_weight(zeros(x, 64), f, None, i, begin, end, table, kind, g, x, by_x, of_weight)
            f += 64
        rest = channels - f
        if rest > 16:
            _turn_of_weight(zeros(x, 64), f, rest, i, begin, end, table, kind, g, x, by_x, of_weight)
        elif rest > 0:
            _turn_of_weight(zeros(x, 16), f, rest, i, begin, end, table, kind, g, x, by_x, of_weight)


@kernel
def _turn_of_weight(zero, f, count, i, begin, end, table, kind, g, x, by_x, of_weight):
    channels = x.shape[2]
    of, w, heard = i * x.shape[1] * channels + f, kind[i] * table.shape[0] * channels + f, i * g.shape[1] * channels + f
    for k in range(begin, end):
        turn = _product_turn(zero, k, table, x, by_x, of, channels, count)
        _add(of_weight, w + k * channels, count, turn * take(g, heard + table[k, 0] * channels, count, zero))
