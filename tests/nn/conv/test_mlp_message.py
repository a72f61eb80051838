"""MLPMessageConv against the same network with its inputs put side by side."""

import pytest
import torch
from torch import nn

from grapevine.errors import InputError
from grapevine.nn.aggregation import Max
from grapevine.nn.conv.mlp_message import EndsLinear, MLPMessageConv
from tests.nn.compare import NUM_DST, NUM_SRC, assert_same, bipartite, leaf, square


def test_a_split_map_is_the_map_of_all_three():
    adj = bipartite()
    layer = EndsLinear((2, 3, 4), 5).double()
    nn.init.uniform_(layer.bias)
    x_dst, x_src, edge = leaf(NUM_DST, 2), leaf(NUM_SRC, 3, seed=1), leaf(adj.num_edges, 4, seed=2)

    def whole() -> torch.Tensor:
        joined = torch.cat([x_dst[adj.dst], x_src[adj.src], edge], dim=1)
        return nn.functional.linear(joined, layer.weight, layer.bias)

    leaves = [x_dst, x_src, edge, *layer.parameters()]
    assert_same(lambda: layer(adj.pattern, x_dst, x_src, edge), whole, leaves)


@pytest.mark.parametrize(
    ("out_channels", "options"),
    [
        (3, {"edge_channels": 2}),
        (5, {"edge_channels": 2, "num_linear": 3, "hidden_channels": 7, "layer_norm": False}),
        (3, {"aggregation": Max(), "residual": False}),
        (3, {"num_linear": 3}),
    ],
)
def test_with_all_side_by_side(out_channels, options):
    torch.manual_seed(0)
    adj = square()
    layer = MLPMessageConv(3, out_channels, activation="tanh", **options).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.3 * torch.rand_like(parameter))
    x = leaf(NUM_SRC, 3)
    edge = (leaf(adj.num_edges, 2, seed=1),) if "edge_channels" in options else ()

    def norm(of: nn.Module, states: torch.Tensor) -> torch.Tensor:
        if isinstance(of, nn.Identity):
            return states
        centred = states - states.mean(1, keepdim=True)
        return centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt() * of.norm.weight + of.norm.bias

    def mlp(layers: nn.ModuleList, states: torch.Tensor) -> torch.Tensor:
        for k, linear in enumerate(layers):
            states = nn.functional.linear(states.tanh() if k else states, linear.weight, linear.bias)
        return states

    def plain() -> torch.Tensor:
        ends = layer.lin_ends
        first = nn.functional.linear(torch.cat([x[adj.dst], x[adj.src], *edge], dim=1), ends.weight, ends.bias)
        message = norm(layer.norm_message, mlp(layer.mlp_message.layers, first.tanh()))
        rows = [message[adj.dst == i] for i in range(NUM_SRC)]
        if isinstance(layer.aggregation, Max):
            heard = torch.stack([row.amax(0) if len(row) else message.new_zeros(message.shape[1]) for row in rows])
        else:
            heard = torch.stack([row.sum(0) for row in rows])
        weight = torch.cat([layer.lin_own.weight, layer.lin_heard.weight], dim=1)
        inner = nn.functional.linear(torch.cat([x, heard], dim=1), weight, layer.lin_own.bias).tanh()
        out = norm(layer.norm_update, mlp(layer.mlp_update.layers, inner))
        return x + out if options.get("residual", True) and out_channels == 3 else out

    assert_same(lambda: layer(x, adj, *edge), plain, [x, *edge, *layer.parameters()])


def test_wrong_input_is_named():
    x, edges = torch.ones(3, 4), torch.tensor([[0], [1]])
    plain, with_edges = MLPMessageConv(4, 4), MLPMessageConv(4, 4, edge_channels=2)
    for call, message in (
        (lambda: MLPMessageConv(4, 4, num_linear=1), "at least 2 linear maps"),
        (lambda: MLPMessageConv(4, 4, hidden_channels=0), "hidden_channels must be a positive number"),
        (lambda: plain(x, edges, torch.ones(1, 2)), "takes no edge features"),
        (lambda: with_edges(x, edges), r"needs \[e, 2\] edge features"),
        (lambda: with_edges(x, edges, torch.ones(1, 3)), "edge must have 2 columns"),
        (lambda: plain(torch.ones(3, 5), edges), "x must have 4 columns"),
    ):
        with pytest.raises(InputError, match=message):
            call()
