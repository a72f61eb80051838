"""Layers and networks for unlike neighbours: each is its dense formula, and what another library says."""

import pytest
import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.graph.two_hop import one_and_two_hops
from grapevine.nn import (
    FAGCN,
    GPRGNN,
    H2GCN,
    LINKX,
    DirGNNConv,
    FAConv,
    GATConv,
    GATSepConv,
    GCNConv,
    Linear,
    ResidualBlock,
    SAGEConv,
)
from grapevine.nn.encoder.gprgnn import first_gamma
from tests.nn.compare import NUM_SRC, assert_same, leaf, square


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def moved(layer: torch.nn.Module) -> torch.nn.Module:
    """In float64, with no parameter left where it started: biases start at 0."""
    layer = layer.double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(torch.rand_like(parameter) - 0.5)
    return layer


def dense(adj: Adjacency) -> Tensor:
    """[n, n] how often j leads to i, in row i."""
    matrix = torch.zeros(adj.num_dst, adj.num_src, dtype=torch.float64)
    return matrix.index_put_((adj.dst, adj.src), torch.ones(adj.num_edges, dtype=torch.float64), accumulate=True)


def inverse_root(degree: Tensor) -> Tensor:
    return torch.where(degree > 0, degree.clamp(min=1).rsqrt(), 0.0)


def with_loops(matrix: Tensor) -> Tensor:
    """A loop at each node that has none."""
    return matrix + torch.diag((matrix.diagonal() == 0).double())


def symmetric(matrix: Tensor) -> Tensor:
    """D^-1/2 A D^-1/2 with the degrees of the rows."""
    scale = inverse_root(matrix.sum(1))
    return scale[:, None] * matrix * scale


def by_powers(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Who is one step away and who exactly two, from the powers of the matrix."""
    bare = ((matrix - torch.diag(matrix.diagonal())) > 0).double()
    far = ((bare @ bare) > 0) & (bare == 0) & ~torch.eye(len(bare), dtype=torch.bool)
    return bare, far.double()


def test_two_hops_are_those_of_the_matrix_powers():
    torch.manual_seed(1)
    for num_edges in (0, 5, 30, 60, 200):
        adj = Adjacency(torch.randint(20, (2, num_edges)), num_nodes=20)
        for found, wanted in zip(one_and_two_hops(adj), by_powers(dense(adj)), strict=True):
            assert torch.equal(dense(found), wanted)


def test_two_hops_are_made_once_and_refused_where_they_are_too_many():
    star = Adjacency(torch.tensor([[0] * 50 + list(range(1, 51)), list(range(1, 51)) + [0] * 50]))
    assert one_and_two_hops(star)[1] is one_and_two_hops(star)[1]
    with pytest.raises(InputError, match="2,550 paths of two edges"):
        one_and_two_hops(star, 2549)
    network = H2GCN(1, 2, hidden_channels=2, most_paths=2549)
    with pytest.raises(InputError, match="gprgnn"):
        network(torch.ones(51, 1), star)


@pytest.mark.parametrize("num_rounds", [1, 2])
def test_h2gcn_is_its_equation(num_rounds):
    adj, x = square(), leaf(NUM_SRC, 3)
    network = moved(H2GCN(3, 4, hidden_channels=5, num_rounds=num_rounds))
    near, far = (symmetric(matrix) for matrix in by_powers(dense(adj)))

    def plain() -> Tensor:
        r = (x @ network.lin_in.weight.T + network.lin_in.bias).relu()
        states = [r]
        for _ in range(num_rounds):
            r = torch.cat([near @ r, far @ r], 1)
            states.append(r)
        return torch.cat(states, 1) @ network.lin_out.weight.T + network.lin_out.bias

    assert_same(lambda: network(x, adj), plain, [x, *network.parameters()])


def test_h2gcn_tells_a_ring_of_six_from_two_triangles():
    ring = torch.arange(6)
    triangle = torch.tensor([[0, 1, 2], [1, 2, 0]])
    graphs = [torch.stack([ring, (ring + 1) % 6]), torch.cat([triangle, triangle + 3], 1)]
    network = moved(H2GCN(1, 2, hidden_channels=4))
    one, two = (network(torch.ones(6, 1).double(), torch.cat([edges, edges.flip(0)], 1)) for edges in graphs)
    assert (one - two).abs().min() > 1e-3


def test_h2gcn_of_texas_is_an_mlp_where_there_are_no_edges():
    network, x = moved(H2GCN(3, 2, hidden_channels=4)), leaf(5, 3)
    alone = network.lin_out.weight[:, :4]
    wanted = (x @ network.lin_in.weight.T + network.lin_in.bias).relu() @ alone.T + network.lin_out.bias
    torch.testing.assert_close(network(x, Adjacency(torch.zeros(2, 0, dtype=torch.long), 5)), wanted)


@pytest.mark.parametrize("start", ["ppr", "nppr", "random"])
def test_gprgnn_is_its_equation(start):
    adj, x = square(), leaf(NUM_SRC, 3)
    network = moved(GPRGNN(3, 4, hidden_channels=[5], num_hops=3, start=start, alpha=0.2))
    walk = symmetric(with_loops(dense(adj)))

    def plain() -> Tensor:
        h = network.mlp(x)
        return sum(network.gamma[k] * (torch.linalg.matrix_power(walk, k) @ h) for k in range(4))

    assert_same(lambda: network(x, adj), plain, [x, *network.parameters()])


def test_gprgnn_begins_as_the_paper_says():
    torch.testing.assert_close(first_gamma(3, "ppr", 0.1), torch.tensor([0.1, 0.09, 0.081, 0.729]))
    torch.testing.assert_close(first_gamma(2, "nppr", 0.5), torch.tensor([4.0, 2.0, 1.0]) / 7)
    assert first_gamma(2, "sgc", 2).tolist() == [0, 0, 1]
    drawn = first_gamma(9, "random", 0.1)
    assert drawn.abs().sum().item() == pytest.approx(1)
    assert drawn.min() < 0 < drawn.max()
    # With alpha 1 nothing walks at first: it is an MLP, as it starts on Texas in the paper.
    network, x = GPRGNN(3, 2, alpha=1.0), torch.randn(NUM_SRC, 3)
    torch.testing.assert_close(network(x, square()), network.mlp(x))


def test_gprgnn_with_ppr_is_appnp():
    """Until gamma is learnt it is personalised PageRank: what APPNP's recursion comes to."""
    adj, x, alpha = square(), leaf(NUM_SRC, 3), 0.3
    network = GPRGNN(3, 4, num_hops=5, alpha=alpha).double()
    walk, h = symmetric(with_loops(dense(adj))), network.mlp(x)
    z = h
    for _ in range(5):
        z = (1 - alpha) * walk @ z + alpha * h
    torch.testing.assert_close(network(x, adj), z, rtol=1e-6, atol=1e-6)  # gamma began in float32


def test_wrong_starts_of_gprgnn_are_refused():
    for start, alpha in (("sgc", 0.5), ("sgc", 11), ("ppr", 1.5), ("nppr", -0.1), ("pagerank", 0.5)):
        with pytest.raises(InputError, match=r"alpha|start"):
            GPRGNN(3, 2, start=start, alpha=alpha)


def fagcn_matrix(layer: FAConv, x: Tensor, matrix: Tensor) -> Tensor:
    """[n, n] tanh of the two ends' scores, divided by the roots of their degrees."""
    to, of = x @ layer.att_dst.weight.T + layer.att_dst.bias, x @ layer.att_src.weight.T
    return symmetric(matrix) * (to + of.T).tanh()


@pytest.mark.parametrize("add_self_loops", [False, True])
def test_fagcn_is_its_equation(add_self_loops):
    adj, x = square(), leaf(NUM_SRC, 3)
    network = moved(FAGCN(3, 4, hidden_channels=5, num_layers=2, eps=0.4, add_self_loops=add_self_loops))
    matrix = with_loops(dense(adj)) if add_self_loops else dense(adj)

    def plain() -> Tensor:
        h = first = (x @ network.lin_in.weight.T + network.lin_in.bias).relu()
        for layer in network.layers:
            h = fagcn_matrix(layer, h, matrix) @ h + 0.4 * first
        return h @ network.lin_out.weight.T + network.lin_out.bias

    assert_same(lambda: network(x, adj), plain, [x, *network.parameters()])


def test_fagcn_gives_weights_of_both_signs_and_drops_them():
    adj, x = square(), leaf(NUM_SRC, 3).detach()
    layer = moved(FAConv(3, dropout=0.5))
    alpha = fagcn_matrix(layer, x, dense(adj).bool().double())
    assert alpha.min() < 0 < alpha.max()
    mean = torch.stack([layer.train()(x, adj) for _ in range(3000)]).mean(0)
    torch.testing.assert_close(mean, layer.eval()(x, adj), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("heads", [1, 3])
def test_separated_attention_is_its_equation(heads):
    adj, x = square(), leaf(NUM_SRC, 3)
    layer = moved(GATSepConv(3, 4, heads=heads, hidden_channels=6))
    times = dense(adj)

    def plain() -> Tensor:
        value = x @ layer.lin.weight.T + layer.lin.bias
        of, to = value @ layer.att_src.weight.T + layer.att_src.bias, value @ layer.att_dst.weight.T
        score = torch.nn.functional.leaky_relu(to[:, None] + of[None], 0.2).exp() * times[:, :, None]
        alpha = score / score.sum(1, keepdim=True).clamp(min=1e-300)
        heard = torch.einsum("ijh,jhc->ihc", alpha, value.unflatten(1, (heads, -1))).flatten(1)
        joined = torch.cat([layer.lin_own.weight, layer.lin_heard.weight], 1)
        return torch.cat([value, heard], 1) @ joined.T + layer.bias

    assert_same(lambda: layer(x, adj), plain, [x, *layer.parameters()])


def test_a_block_of_separated_sage_is_the_papers():
    """x + W2 GELU(W1 [LN(x), mean of LN(x_j)] + b1) + b2."""
    adj, x = square(), leaf(NUM_SRC, 3)
    block = moved(ResidualBlock(SAGEConv(3, 5), 3, inner_channels=5))
    mean = dense(adj) / dense(adj).sum(1, keepdim=True).clamp(min=1)

    def plain() -> Tensor:
        h = block.norm(x)
        joined = torch.cat([block.conv.lin_root.weight, block.conv.lin.weight], 1)
        inner = torch.nn.functional.gelu(torch.cat([h, mean @ h], 1) @ joined.T + block.conv.bias)
        return x + inner @ block.lin.weight.T + block.lin.bias

    assert_same(lambda: block(x, adj), plain, [x, *block.parameters()])


def test_heads_must_share_the_channels():
    with pytest.raises(InputError, match="3 heads"):
        GATSepConv(3, 4, heads=3)


def test_dir_gcn_is_the_papers():
    """D_in^-1/2 A D_out^-1/2 one way, its transpose the other; row i of A marks who leads to i."""
    adj, x = square(), leaf(NUM_SRC, 3)
    layer = moved(DirGNNConv(GCNConv(3, 4), GCNConv(3, 4), alpha=0.3, root=Linear(3, 4)))
    matrix = dense(adj)
    both = inverse_root(matrix.sum(1))[:, None] * matrix * inverse_root(matrix.sum(0))

    def plain() -> Tensor:
        along = both @ x @ layer.conv_in.lin.weight.T + layer.conv_in.bias
        against = both.T @ x @ layer.conv_out.lin.weight.T + layer.conv_out.bias
        return 0.7 * along + 0.3 * against + x @ layer.root.weight.T + layer.root.bias

    assert_same(lambda: layer(x, adj), plain, [x, *layer.parameters()])


def test_dir_gnn_carries_the_edges_features_round():
    adj, x, edge = square(), leaf(NUM_SRC, 3), leaf(square().num_edges, seed=1)
    layer = moved(DirGNNConv(GCNConv(3, 4), GCNConv(3, 4), alpha=1.0))
    turned = Adjacency(adj.edge_index.flip(0), num_nodes=NUM_SRC)
    weight = edge.detach().abs() + 0.1
    wanted = layer.conv_out((x, x), turned, weight[turned.edge_id])
    torch.testing.assert_close(layer(x, adj, weight), wanted)


def test_on_edges_both_ways_directions_do_not_matter():
    edges = square().edge_index
    adj, x = Adjacency(torch.cat([edges, edges.flip(0)], 1), num_nodes=NUM_SRC), leaf(NUM_SRC, 3)
    layer = moved(DirGNNConv(GATConv(3, 4), GATConv(3, 4)))
    turned = DirGNNConv(layer.conv_out, layer.conv_in)
    torch.testing.assert_close(layer(x, adj), turned(x, adj))


def test_linkx_is_its_equation():
    adj, x = square(), leaf(NUM_SRC, 3)
    network = moved(LINKX(NUM_SRC, 3, 4, hidden_channels=5))

    def plain() -> Tensor:
        of_edges = dense(adj) @ network.weight + network.bias
        of_node = x @ network.lin_node.weight.T + network.lin_node.bias
        joint = torch.cat([of_edges, of_node], 1) @ network.lin_joint.weight.T + network.lin_joint.bias
        out = (joint + of_edges + of_node).relu()
        return out @ network.lin_last.weight.T + network.lin_last.bias

    assert_same(lambda: network(x, adj), plain, [x, *network.parameters()])


def test_linkx_is_of_one_graph():
    network = LINKX(4, 3, 2)
    with pytest.raises(InputError, match="each of the 4 nodes of one graph"):
        network(torch.ones(5, 3), Graph([[0], [1]], num_nodes=5))
    with pytest.raises(InputError, match="num_nodes"):
        LINKX(0, 3, 2)


def test_edge_inputs_that_are_not_taken_are_refused():
    x, edges, edge = torch.ones(4, 3), torch.tensor([[0, 1], [1, 2]]), torch.ones(2)
    for layer in (H2GCN(3, 2), FAConv(3), FAGCN(3, 2), GATSepConv(3, 2), LINKX(4, 3, 2)):
        with pytest.raises(InputError, match="edge input"):
            layer(x, edges, edge)
