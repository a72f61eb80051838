"""Worked examples, and old friends in the language of messages: a convolution is one on a grid, attention on K_n."""

import pytest
import torch
from torch import Tensor, nn

from grapevine import nn as gnn
from grapevine import ops
from grapevine.graph import Adjacency, Graph
from tests.nn.compare import assert_same, leaf


def undirected(*pairs: tuple[int, int]) -> Tensor:
    """The edge_index with both directions of each edge."""
    edges = torch.tensor(pairs).T
    return torch.cat([edges, edges.flip(0)], dim=1)


def test_gcn():
    edges = undirected((0, 1), (0, 2), (1, 2), (2, 3))
    x = torch.tensor([[1, 0], [0, 1], [1, 1], [0.5, 0.5]])
    layer = gnn.GCNConv(2, 2)
    layer.lin.weight.data = torch.tensor([[1, 0.5], [0.5, 1]]).T
    assert [round(number, 3) for number in layer(x, edges)[0].tolist()] == [0.933, 0.933]

    layer.lin.weight.data = torch.eye(2)
    same = gnn.GCNConv(4, 4, bias=False)
    same.lin.weight.data = torch.eye(4)
    normalised = same(torch.eye(4), edges)  # of the identity: the matrix itself
    wanted = [[0.333, 0.333, 0.289, 0], [0.333, 0.333, 0.289, 0], [0.289, 0.289, 0.25, 0.354], [0, 0, 0.354, 0.5]]
    torch.testing.assert_close(normalised, torch.tensor(wanted), rtol=0, atol=5e-4)
    torch.testing.assert_close(layer(x, edges), normalised @ x)


def test_sage_step():
    """The text rounds the mean to (0.67, 1.17) before it goes on and so reaches 0.684; exact is 0.6833."""
    x = torch.tensor([[1, 2], [0.5, 1], [1.5, 0.5], [0, 2]])
    weight = torch.tensor([[0.5, 0.3], [-0.2, 0.8], [0.7, -0.1], [0.1, 0.6]])  # of (own state, mean), 4 x 2
    layer = gnn.SAGEConv(2, 2, bias=False)
    layer.lin_root.weight.data, layer.lin.weight.data = weight[:2].T, weight[2:].T
    out = layer(x, torch.tensor([[1, 2, 3], [0, 0, 0]]))[0]
    torch.testing.assert_close(out, torch.tensor([0.684, 2.533]), rtol=0, atol=1e-3)
    assert round(out[0].item(), 4) == 0.6833


def test_attention_weights():
    pattern = Adjacency([[1, 2], [0, 0]], num_nodes=3).pattern
    weights = ops.edge_softmax(pattern, torch.tensor([0.4, 0.2]))
    assert [round(number, 3) for number in weights.tolist()] == [0.55, 0.45]


class OnGrid(gnn.MessagePassing):
    """message = K[offset] h_j, one matrix for each place of the neighbour relative to the listener."""

    def __init__(self, kernel: Tensor):
        super().__init__()
        self.kernel = kernel  # [out, in, height, width]

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor) -> Tensor:
        by_place = self.kernel.flatten(2).permute(2, 0, 1)[edge_attr]  # a matrix for each edge
        return torch.einsum("edc,ec->ed", by_place, x_src)

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return message


def grid(height: int, width: int, reach: int) -> tuple[Tensor, Tensor]:
    """Every pixel hears those at most `reach` away in both directions: the edges, and which of the places each is."""
    edges, places = [], []
    for row in range(height):
        for col in range(width):
            for down in range(-reach, reach + 1):
                for right in range(-reach, reach + 1):
                    if 0 <= row + down < height and 0 <= col + right < width:
                        edges.append(((row + down) * width + col + right, row * width + col))
                        places.append((down + reach) * (2 * reach + 1) + right + reach)
    return torch.tensor(edges).T, torch.tensor(places)


@pytest.mark.parametrize("reach", [1, 2])
def test_a_convolution_of_an_image_passes_messages_on_a_grid(reach):
    height, width, size = 5, 6, 2 * reach + 1
    image, kernel = leaf(2, height, width), leaf(3, 2, size, size, seed=1)
    edges, places = grid(height, width, reach)

    def ours() -> Tensor:
        pixels = image.flatten(1).T
        return OnGrid(kernel)(pixels, edges, places).T.unflatten(1, (height, width))

    assert_same(ours, lambda: nn.functional.conv2d(image, kernel, padding=reach), [image, kernel])


@pytest.mark.parametrize("has_bias", [False, True])
def test_self_attention_is_attention_on_the_complete_graph(has_bias):
    nodes, heads, channels = 7, 2, 4
    complete = Adjacency(torch.cartesian_prod(torch.arange(nodes), torch.arange(nodes)).T, num_nodes=nodes)
    query, key, value = (leaf(nodes, heads, channels, seed=seed) for seed in range(3))
    bias = leaf(nodes, nodes, heads, seed=4) if has_bias else None

    def ours() -> Tensor:
        on_edges = None if bias is None else bias[complete.dst, complete.src]
        return ops.dot_attention(complete.pattern, query, key, value, on_edges)

    def theirs() -> Tensor:
        by_head = (tensor.transpose(0, 1) for tensor in (query, key, value))
        mask = None if bias is None else bias.permute(2, 0, 1)
        return nn.functional.scaled_dot_product_attention(*by_head, attn_mask=mask).transpose(0, 1)

    assert_same(ours, theirs, [query, key, value, *([bias] if has_bias else [])])


def test_sums_tell_what_means_and_maxima_do_not():
    """{a, a, b} and {a, b}: one maximum; {a, a, b, b} and {a, b}: one mean too; the sums differ (Xu et al. 2019)."""
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    graphs = [Graph(torch.zeros(2, 0).long(), x=torch.cat(nodes)) for nodes in ([a, b], [a, a, b], [a, a, b, b])]
    batch = Graph.batch(graphs)
    largest, mean, total = (gnn.Readout(kind())(batch.x, batch) for kind in (gnn.Max, gnn.Mean, gnn.Sum))
    assert torch.equal(largest[0], largest[1])
    assert torch.equal(mean[0], mean[2])
    assert not torch.equal(mean[0], mean[1])
    assert total.unique(dim=0).shape[0] == 3


def test_gin_does_not_tell_two_triangles_from_a_hexagon():
    """Both are regular of degree 2: the 1-WL test can not tell them apart, and no sum of messages can."""
    hexagon = undirected((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0))
    triangles = undirected((0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3))
    path = undirected((0, 1), (1, 2), (2, 3), (3, 4), (4, 5))
    torch.manual_seed(0)
    layers = [gnn.GINConv(gnn.MLP([1, 8, 8])), gnn.GINConv(gnn.MLP([8, 8, 8]))]
    network, readout = gnn.GNN(layers, activation="tanh"), gnn.Readout()
    first, second, third = (
        readout(network(torch.ones(6, 1), edges), Graph(edges)) for edges in (hexagon, triangles, path)
    )
    torch.testing.assert_close(first, second)
    assert (first - third).abs().max() > 1e-3
