"""The fused layers equal the plain form of the same equation: a message on every edge, a sum and an update."""

import pytest
import torch
from torch import Tensor, nn

from grapevine import nn as gnn
from grapevine.graph import Adjacency
from tests.nn.cases import network
from tests.nn.compare import NUM_DST, NUM_SRC, assert_same, bipartite, leaf, square


class PlainGCN(gnn.MessagePassing):
    """message = w / sqrt(d_i d_j) W h_j, its factor being the edge's input; update = the sum + b."""

    def __init__(self, layer: gnn.GCNConv):
        super().__init__()
        self.layer = layer

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor) -> Tensor:
        return edge_attr.unsqueeze(1) * self.layer.lin(x_src)

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return message if self.layer.bias is None else message + self.layer.bias


class PlainSAGE(gnn.MessagePassing):
    """message = h_j, or ReLU(W_pool h_j + b); update = W_root h_i + W (the aggregate) + b."""

    def __init__(self, layer: gnn.SAGEConv):
        aggregations = {"mean": gnn.Mean(), "sum": gnn.Sum(), "max": gnn.Max(), "pool": gnn.Max(), "lstm": layer.lstm}
        super().__init__(aggregations[layer.aggregation])
        self.layer = layer

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor | None) -> Tensor:
        return x_src if self.layer.lin_pool is None else self.layer.lin_pool(x_src).relu()

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        layer = self.layer
        out = layer.lin(message)
        out = out if layer.lin_root is None else out + layer.lin_root(x_dst)
        out = out if layer.bias is None else out + layer.bias
        return out / out.norm(dim=1, keepdim=True).clamp(min=1e-12) if layer.normalize else out


class PlainAttention(gnn.MessagePassing):
    """message = (exp(s) W h_j, exp(s)) for the score s; update = the first sum over the second one, + b."""

    def __init__(self, layer: gnn.GATConv | gnn.GATv2Conv):
        super().__init__()
        self.layer = layer

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor | None) -> Tensor:
        value, score = (_gat if isinstance(self.layer, gnn.GATConv) else _gatv2)(self.layer, x_src, x_dst, edge_attr)
        weight = score.exp().unsqueeze(2)
        return torch.cat([weight * value, weight], dim=2)

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        total, weight = message[..., :-1], message[..., -1:]
        out = total / weight.where(weight > 0, 1)
        out = out.flatten(1) if self.layer.concat else out.mean(1)
        return out if self.layer.bias is None else out + self.layer.bias


def _gat(layer, x_src, x_dst, edge) -> tuple[Tensor, Tensor]:
    by_head = layer.heads, layer.out_channels
    value = layer.lin(x_src).unflatten(1, by_head)
    value_dst = (layer.lin_dst or layer.lin)(x_dst).unflatten(1, by_head)
    score = (value * layer.att_src).sum(2) + (value_dst * layer.att_dst).sum(2)
    if edge is not None:
        score = score + (layer.lin_edge(edge).unflatten(1, by_head) * layer.att_edge).sum(2)
    return value, nn.functional.leaky_relu(score, layer.negative_slope)


def _gatv2(layer, x_src, x_dst, edge) -> tuple[Tensor, Tensor]:
    by_head = layer.heads, layer.out_channels
    value = layer.lin_src(x_src).unflatten(1, by_head)
    mixed = value + layer.lin_dst(x_dst).unflatten(1, by_head)
    if edge is not None:
        mixed = mixed + layer.lin_edge(edge).unflatten(1, by_head)
    return value, (nn.functional.leaky_relu(mixed, layer.negative_slope) * layer.att).sum(2)


class PlainGIN(gnn.MessagePassing):
    """message = h_j, or ReLU(h_j + W_e e_ij); update = network((1 + eps) h_i + the sum)."""

    def __init__(self, layer: gnn.GINConv | gnn.GINEConv):
        super().__init__()
        self.layer = layer

    def message(self, x_src: Tensor, x_dst: Tensor, edge_attr: Tensor | None) -> Tensor:
        if isinstance(self.layer, gnn.GINConv):
            return x_src
        return (x_src + (edge_attr if self.layer.lin_edge is None else self.layer.lin_edge(edge_attr))).relu()

    def update(self, x_dst: Tensor, message: Tensor) -> Tensor:
        return self.layer.network((1 + self.layer.eps) * x_dst + message)


def incidence(ends: Tensor, count: int) -> Tensor:
    """[count, e] ones where an edge ends."""
    return (torch.arange(count).unsqueeze(1) == ends).double()


def gcn_edges(adj: Adjacency, weight: Tensor | None, add_self_loops: bool) -> tuple[Tensor, Tensor]:
    """The edges with loops where a node has none, and each edge's w / sqrt(d_i d_j), 0 where a degree is."""
    edges, weight = adj.edge_index, torch.ones(adj.num_edges).double() if weight is None else weight
    if add_self_loops:
        looped = set(adj.src[adj.src == adj.dst].tolist())
        bare = torch.tensor([node for node in range(adj.num_nodes) if node not in looped])
        edges, weight = torch.cat([edges, bare.expand(2, -1)], 1), torch.cat([weight, torch.ones(len(bare))])
    (src, dst), num_src = edges, adj.num_src
    into = incidence(dst, adj.num_dst) @ weight
    out_of = into if adj.is_square else incidence(src, num_src) @ weight
    both = into[dst] * out_of[src]
    return edges, (weight / both.where(both > 0, 1).sqrt()).where(both > 0, 0)


def attention_edges(adj: Adjacency, edge: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """The edges with one loop a node in place of its loops, and their features, a loop's the mean of the others."""
    stays = adj.src != adj.dst
    edges = torch.cat([adj.edge_index[:, stays], torch.arange(adj.num_nodes).expand(2, -1)], dim=1)
    if edge is None:
        return edges, None
    into = incidence(adj.dst[stays], adj.num_nodes)
    return edges, torch.cat([edge[stays], into @ edge[stays] / into.sum(1, keepdim=True).clamp(min=1)])


def check_plain(layer: nn.Module, plain: nn.Module, adj: Adjacency, edges: Tensor, x, edge, edge_there) -> None:
    """The layer on `adj` equals its plain form on `edges`, by value and by every gradient."""
    other = Adjacency(edges, size=(adj.num_src, adj.num_dst))
    edge_there = None if edge_there is None else edge_there[other.edge_id]
    inputs = [*(x if isinstance(x, tuple) else (x,)), *([] if edge is None else [edge]), *layer.parameters()]
    leaves = [tensor for tensor in inputs if tensor.requires_grad]
    assert_same(lambda: layer(x, adj, edge), lambda: plain(x, other, edge_there), leaves)


def states(is_pair: bool, src_channels: int = 3, dst_channels: int = 3):
    """The states of a square graph, or the pair of a bipartite one, and the graph."""
    if not is_pair:
        return leaf(NUM_SRC, src_channels), square()
    return (leaf(NUM_SRC, src_channels), leaf(NUM_DST, dst_channels, seed=1)), bipartite()


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize(("width", "loops"), [(3, True), (9, True), (3, False)])
def test_gcn(is_pair, is_weighted, width, loops):
    x, adj = states(is_pair, width)
    if is_pair:
        x = (x[0], x[1].detach())  # nobody asks the targets of a GCN for their states
    weight = (leaf(adj.num_edges).detach().abs() + 0.1).requires_grad_() if is_weighted else None
    layer = gnn.GCNConv(width, 4, add_self_loops=loops).double()
    edges, factor = gcn_edges(adj, weight, add_self_loops=loops and not is_pair)
    check_plain(layer, PlainGCN(layer), adj, edges, x, weight, factor)


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("width", [3, 9])
@pytest.mark.parametrize("aggregation", ["mean", "sum", "max", "pool", "lstm"])
def test_sage(is_pair, width, aggregation):
    x, adj = states(is_pair, width, 5 if is_pair else width)
    layer = gnn.SAGEConv((width, 5) if is_pair else width, 4, aggregation=aggregation).double().eval()
    check_plain(layer, PlainSAGE(layer), adj, adj.edge_index, x, None, None)


def test_sage_options():
    x, adj = states(is_pair=False)
    for options in ({"root_weight": False}, {"normalize": True}, {"bias": False, "normalize": True}):
        layer = gnn.SAGEConv(3, 4, **options).double()
        nn.init.ones_(layer.lin.weight if layer.bias is None else layer.bias)
        check_plain(layer, PlainSAGE(layer), adj, adj.edge_index, x, None, None)


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("has_edges", [False, True])
@pytest.mark.parametrize(("heads", "concat"), [(1, True), (3, True), (3, False)])
@pytest.mark.parametrize("kind", [gnn.GATConv, gnn.GATv2Conv])
def test_attention(is_pair, has_edges, heads, concat, kind):
    x, adj = states(is_pair, 3, 5)
    edge = leaf(adj.num_edges, 2, seed=3) if has_edges else None
    options = {"edge_channels": 2 if has_edges else None, "negative_slope": 0.1}
    layer = kind((3, 5) if is_pair else 3, 4, heads=heads, concat=concat, **options).double()
    edges, edge_there = (adj.edge_index, edge) if is_pair else attention_edges(adj, edge)
    check_plain(layer, PlainAttention(layer), adj, edges, x, edge, edge_there)


@pytest.mark.parametrize("kind", [gnn.GATConv, gnn.GATv2Conv])
def test_attention_without_loops(kind):
    x, adj = states(is_pair=False)
    edge = leaf(adj.num_edges, 2, seed=3)
    layer = kind(3, 4, heads=2, add_self_loops=False, edge_channels=2, bias=False).double()
    check_plain(layer, PlainAttention(layer), adj, adj.edge_index, x, edge, edge)


def test_attention_with_one_map_for_both_ends():
    x, adj = states(is_pair=True)
    layer = gnn.GATv2Conv(3, 4, heads=2, share_weights=True).double()
    check_plain(layer, PlainAttention(layer), adj, adj.edge_index, x, None, None)
    layer = gnn.GATConv(3, 4, heads=2).double()
    check_plain(layer, PlainAttention(layer), adj, adj.edge_index, x, None, None)


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("train_eps", [False, True])
def test_gin(is_pair, train_eps):
    x, adj = states(is_pair)
    layer = gnn.GINConv(network(), eps=0.3, train_eps=train_eps).double()
    check_plain(layer, PlainGIN(layer), adj, adj.edge_index, x, None, None)


@pytest.mark.parametrize("is_pair", [False, True])
@pytest.mark.parametrize("edge_channels", [None, 2])
def test_gine(is_pair, edge_channels):
    x, adj = states(is_pair)
    edge = leaf(adj.num_edges, edge_channels or 3, seed=3)
    in_channels = None if edge_channels is None else 3
    layer = gnn.GINEConv(network(), in_channels=in_channels, edge_channels=edge_channels, eps=0.3, train_eps=True)
    check_plain(layer.double(), PlainGIN(layer), adj, adj.edge_index, x, edge, edge)


def test_an_edge_index_brings_its_edge_inputs_in_its_own_order():
    x, adj = states(is_pair=False)
    turned = adj.edge_index.flip(1)
    weight, features = leaf(adj.num_edges).abs().detach(), leaf(adj.num_edges, 3, seed=1)
    for layer, edge in (
        (gnn.GCNConv(3, 4), weight),
        (gnn.GATConv(3, 4, edge_channels=3), features),
        (gnn.GATv2Conv(3, 4, edge_channels=3), features),
        (gnn.GINEConv(network()), features),
        (gnn.GNN([gnn.GCNConv(3, 4), gnn.GCNConv(4, 2)]), weight),
        (PlainGIN(gnn.GINEConv(network())), features),
    ):
        layer.double()
        torch.testing.assert_close(layer(x, turned, edge.flip(0)), layer(x, adj, edge))


def test_a_pair_of_equally_many_nodes_is_a_pair():
    """Sources and targets are different nodes even where there are as many of them: no loops, each its own degree."""
    edges = square().edge_index
    (x_src, x_dst), features = (leaf(NUM_SRC, 3), leaf(NUM_SRC, 3, seed=1)), leaf(edges.shape[1], 3, seed=2)
    weight = features[:, 0].abs()
    equal, wider = (Adjacency(edges, size=(NUM_SRC + more, NUM_SRC)) for more in (0, 1))
    x_more = torch.cat([x_src, x_src[:1]])
    for layer, edge in (
        (gnn.GCNConv(3, 4), None),
        (gnn.GCNConv(3, 4), weight),
        (gnn.GATConv(3, 4, edge_channels=3), features),
        (gnn.GATv2Conv(3, 4, edge_channels=3), features),
    ):
        layer.double()
        torch.testing.assert_close(layer((x_src, x_dst), equal, edge), layer((x_more, x_dst), wider, edge))


def test_edges_of_no_weight_have_finite_gradients():
    """A mask of zeros over the edges, as explanations learn one, starts somewhere."""
    x, adj = states(is_pair=False)
    weight = torch.zeros(adj.num_edges, dtype=torch.float64, requires_grad=True)
    out = gnn.GCNConv(3, 4, add_self_loops=False).double()(x, adj, weight)
    gradients = torch.autograd.grad(out.square().sum(), [x, weight])
    assert all(gradient.isfinite().all() for gradient in gradients)
