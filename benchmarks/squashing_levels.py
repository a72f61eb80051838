"""The answers of a network of the paper on whole orders of values at once, height by height and without an index.

News climbs a level a layer: until it comes a node has one state in all trees, and of its states after that the root
hears of two alone. So a batch takes a few dense products a layer, of the nodes that still matter; with GIN,
whose batch normalisation looks at every node, of all that news has reached. What comes out is what
`TreeNetwork.forward` says of separate trees, gradients too; a test compares them.
"""

from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from benchmarks.squashing_trees import HEADS, Examples, TreeNetwork
from grapevine.nn import GATConv, GCNConv, GINConv
from grapevine.nn.encoder.ggnn import GGNN

CONST, KEYS = "const", "keys"  # the states of nodes between that have heard nothing, and of such roots by key
_Name = int | str  # a height above the leaves, or one of these two


class Batch(NamedTuple):
    """The trees that teach among those of some orders of the values.

    Args:
        values: [orders, leaves] what stands at the leaves.
        order, key: [trees] which of the orders each tree is of, and what it asks for.
    """

    values: Tensor
    order: Tensor
    key: Tensor

    @property
    def answers(self) -> Tensor:
        return self.values[self.order, self.key]


def batches(trees: Examples, num_orders: int, generator: torch.Generator):
    """All trees that teach, but for a rest of orders, in another order."""
    drawn = torch.randperm(len(trees.values), generator=generator)
    for begin in range(0, len(drawn) - num_orders + 1, num_orders):
        orders = drawn[begin : begin + num_orders]
        yield Batch(trees.values[orders], *trees.is_taught[orders].nonzero().unbind(1))


def answers_of(network: TreeNetwork, batch: Batch) -> Tensor:
    """[trees, leaves] what the network says at the roots."""
    (num_orders, leaves), depth = batch.values.shape, len(network.layers) - 1
    table, bias = network.first.weight.T, network.first.bias
    keys, values = table[:leaves], table[leaves:]
    state: dict[_Name, Tensor] = {
        0: (keys + values[batch.values] + bias).flatten(0, 1),
        CONST: bias[None],
        KEYS: keys + bias,
    }
    has_batch_norm = isinstance(network.layers[0], GINConv)
    per_order = torch.bincount(batch.order, minlength=num_orders).float()
    for k in range(depth + 1):
        names: list[_Name] = [h for h in range(depth + 1) if h <= k + 1 and (has_batch_norm or h >= k)]
        names += [CONST] * (k + 1 <= depth - 2) + [KEYS] * (k + 1 <= depth - 1)
        groups = [_group(name, state, batch, depth) for name in names]
        if has_batch_norm:
            network.count(torch.cat([_counts(name, batch, per_order, k + 1) for name in names]))
        new = _layer(network, k, groups)
        state = dict(zip(names, new.split([len(group.own) for group in groups]), strict=True))
    return network.last(state[depth])


class _Group(NamedTuple):
    """Nodes of one kind: their states, those of their two children [n, 2, c], and the degrees, loops counted."""

    own: Tensor
    pair: Tensor | None
    degree: int
    child_degree: int


def _group(name: _Name, state: dict[_Name, Tensor], batch: Batch, depth: int) -> _Group:
    const = state.get(CONST)
    if name == 0:
        return _Group(state[0], None, 1, 0)
    if name in (CONST, KEYS):
        assert const is not None
        return _Group(state[name], const.expand(len(state[name]), 2, -1), 3, 3)
    height = cast(int, name)
    pair, child_degree = state[height - 1].unflatten(0, (-1, 2)), 1 if height == 1 else 3
    if height == depth:
        own = state[depth] if depth in state else state[KEYS][batch.key]
        return _Group(own, pair[batch.order], 3, child_degree)
    own = state[height] if height in state else cast(Tensor, const).expand(len(pair), -1)
    return _Group(own, pair, 3, child_degree)


def _counts(name: _Name, batch: Batch, per_order: Tensor, layer: int) -> Tensor:
    """How many nodes of the trees each row stands for."""
    leaves = batch.values.shape[1]
    depth = leaves.bit_length() - 1
    if name == depth:
        return torch.ones(len(batch.order))
    if name == KEYS:
        return torch.bincount(batch.key, minlength=leaves).float()
    if name == CONST:
        return per_order.sum()[None] * sum(2 ** (depth - h) for h in range(layer + 1, depth))
    return per_order.repeat_interleave(2 ** (depth - cast(int, name)))


def _layer(network: TreeNetwork, k: int, groups: list[_Group]) -> Tensor:
    layer, own = network.layers[k], torch.cat([group.own for group in groups])
    heard = _attended(layer, groups) if isinstance(layer, GATConv) else _summed(layer, groups, own)
    if network.norms is None:
        return heard
    return network.norms[k](own + (heard.relu() if network.has_activation else heard))


def _summed(layer: nn.Module, groups: list[_Group], own: Tensor) -> Tensor:
    if isinstance(layer, GCNConv):
        total = torch.cat([_scaled_sum(group) for group in groups])
        return nn.functional.linear(total, layer.lin.weight, layer.bias)
    heard = torch.cat([group.own if group.pair is None else group.own + group.pair.sum(1) for group in groups])
    if isinstance(layer, GINConv):
        return layer.network(heard + (1 + layer.eps) * own)
    assert isinstance(layer, GGNN)
    return layer.cell(heard @ layer.weight[0, 0].T, own)


def _scaled_sum(group: _Group) -> Tensor:
    if group.pair is None:
        return group.own
    return group.own / group.degree + group.pair.sum(1) * (group.degree * group.child_degree) ** -0.5


def _attended(layer: GATConv, groups: list[_Group]) -> Tensor:
    heard = []
    for own, pair, *_ in groups:
        said = layer.lin(own).unflatten(-1, (HEADS, -1))
        if pair is None:
            heard.append(said.flatten(1))
            continue
        others = nn.functional.linear(pair, layer.lin.weight).unflatten(-1, (HEADS, -1))
        every = torch.cat([said[:, None], others], 1)  # [n, 3, heads, c]
        score = (every * layer.att_src).sum(-1) + (said * layer.att_dst).sum(-1)[:, None]
        weight = nn.functional.leaky_relu(score, layer.negative_slope).softmax(1)
        heard.append((weight[..., None] * every).sum(1).flatten(1))
    assert layer.bias is not None
    return torch.cat(heard) + layer.bias
