"""The pair message against the network of the paper, an edge at a time."""

import pytest
import torch
from torch import Tensor, nn

from grapevine.errors import InputError
from grapevine.graph import Adjacency
from grapevine.nn.conv.pair_message import PairMessage
from grapevine.nn.edge_mlp import EdgeMLP
from tests.nn.compare import NUM_SRC, assert_same, bipartite, leaf, square


def of_pair(network: EdgeMLP, h_j: Tensor, h_i: Tensor, e: Tensor) -> Tensor:
    """The network of the three together."""
    weight = torch.cat([network.lin_src.weight, network.lin_dst.weight, network.lin_edge.weight], 1)
    hidden = (torch.cat([h_j, h_i, e]) @ weight.T + network.bias).tanh()
    last = network.rest.layers[0]
    return hidden @ last.weight.T + last.bias


def plain(layer: PairMessage, x_src: Tensor, x_dst: Tensor, adj: Adjacency, edge: Tensor) -> Tensor:
    ways = [(layer.network, False)] + ([(layer.network_out, True)] if layer.network_out else [])
    columns = []
    for network, is_out in ways:
        arrives = [[] for _ in range(adj.num_dst)]
        for k, (j, i) in enumerate(adj.edge_index.T.tolist()):
            j, i = (i, j) if is_out else (j, i)
            arrives[i].append(of_pair(network, x_src[j], x_dst[i], edge[k]))
        zero = x_dst.new_zeros(layer.out_channels // len(ways))
        stacks = [torch.stack(messages) if messages else zero.unsqueeze(0) for messages in arrives]
        columns.append(torch.stack([s.sum(0) if layer.aggregation == "sum" else s.mean(0) for s in stacks]))
    return torch.cat(columns, 1)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("aggregation", ["sum", "mean"])
def test_equals_a_network_an_edge(aggregation, both):
    adj, x = square(), leaf(NUM_SRC, 3)
    edge = leaf(adj.num_edges, 5, seed=1)
    layer = PairMessage(
        3, 4, 5, hidden_channels=6, activation="tanh", aggregation=aggregation, both_directions=both
    ).double()
    for name, bias in layer.named_parameters():
        if name.endswith("bias"):
            nn.init.uniform_(bias)
    leaves = [x, edge, *layer.parameters()]
    assert_same(lambda: layer(x, adj, edge), lambda: plain(layer, x, x, adj, edge), leaves)


def test_between_two_sets_of_nodes():
    adj, x = bipartite(), (leaf(9, 3), leaf(6, 2, seed=1))
    edge = leaf(adj.num_edges, 5, seed=1)
    layer = PairMessage((3, 2), 4, 5, hidden_channels=6, activation="tanh").double()
    leaves = [*x, edge, *layer.parameters()]
    assert_same(lambda: layer(x, adj, edge), lambda: plain(layer, *x, adj, edge), leaves)


def test_an_edge_mlp_of_any_depth_sees_what_it_is_given():
    adj, x = square(), leaf(NUM_SRC, 3)
    pattern, (src, dst) = adj.pattern, adj.edge_index
    edge = leaf(adj.num_edges, 2, seed=1)
    for widths in ((3, 3, 2), (3, 0, 2), (0, 3, 0), (0, 0, 2)):
        network = EdgeMLP(*widths, [6, 5, 4], activation="tanh").double()
        seen = [part for part, width in zip((x[src], x[dst], edge), widths, strict=True) if width]
        maps = [m.weight for m in (network.lin_src, network.lin_dst, network.lin_edge) if m is not None]
        hidden = torch.cat(seen, 1) @ torch.cat(maps, 1).T + network.bias
        wanted = network.rest(hidden.tanh())
        torch.testing.assert_close(network(pattern, x, x, edge), wanted)
    one_layer = EdgeMLP(3, 3, 0, [4]).double()
    assert bool((one_layer(pattern, x, x) < 0).any()), "an output is not cut off at zero"


def test_wrong_input_is_named():
    adj, x = square(), leaf(NUM_SRC, 3)
    for call, message in (
        (lambda: PairMessage(3, 4, 5).double()(x, adj), "PairMessage needs edge features"),
        (lambda: PairMessage(3, 5, 5, both_directions=True), "an even out_channels"),
        (lambda: EdgeMLP(0, 0, 0, [3]), "must see something"),
        (lambda: EdgeMLP(2, 0, 0, []), "needs the widths"),
        (lambda: EdgeMLP(3, 3, 2, [4]).double()(adj.pattern, x, x), "sees features of the edges"),
        (lambda: EdgeMLP(3, 3, 0, [4]).double()(adj.pattern, x), "states of both ends"),
    ):
        with pytest.raises(InputError, match=message):
            call()
