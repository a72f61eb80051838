"""The edge network against the matrices it never makes, and against PyTorch Geometric's NNConv."""

import pytest
import torch
from torch import Tensor, nn

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.nn.conv import edge_network
from grapevine.nn.conv.edge_network import EdgeNetworkConv
from tests.nn.compare import NUM_SRC, assert_same, bipartite, leaf, random_edges, square

FEW = torch.randn(3, 5, generator=torch.Generator().manual_seed(5), dtype=torch.float64)  # kinds of edges


def plain(layer: EdgeNetworkConv, x: Tensor | tuple[Tensor, Tensor], adj: Adjacency, edge: Tensor) -> Tensor:
    """The equation, an edge and a matrix at a time."""
    x_src, x_dst = x if isinstance(x, tuple) else (x, x)
    arrives = [[[] for _ in range(adj.num_dst)] for _ in layer.networks]
    for k, (j, i) in enumerate(adj.edge_index.T.tolist()):
        matrices = [network.matrices(edge[k : k + 1])[0] for network in layer.networks]
        arrives[0][i].append(x_src[j] @ matrices[0])
        if layer.both_directions:
            arrives[1][j].append(x_dst[i] @ matrices[1])
    share = layer.out_channels // len(arrives)

    def together(messages: list[Tensor]) -> Tensor:
        if not messages:
            return x_dst.new_zeros(share)
        stacked = torch.stack(messages)
        return stacked.mean(0) if layer.aggregation == "mean" else stacked.sum(0)

    out = torch.cat([torch.stack([together(messages) for messages in way]) for way in arrives], 1)
    out = out if layer.lin_root is None else out + x_dst @ layer.lin_root.weight.T
    return out if layer.bias is None else out + layer.bias


OPTIONS = {
    "as it comes": {},
    "mean, deep": {"aggregation": "mean", "hidden_channels": (6, 7), "activation": "elu", "bias": False},
    "both directions": {"both_directions": True, "root_weight": False},
    "linear, mean, both": {"hidden_channels": (), "both_directions": True, "aggregation": "mean"},
    "a matrix a label": {"hidden_channels": (), "matrix_bias": False},
}


@pytest.mark.parametrize("kinds", [False, True], ids=["own features", "few kinds"])
@pytest.mark.parametrize("name", OPTIONS)
def test_equals_a_matrix_an_edge(name, kinds, monkeypatch):
    monkeypatch.setattr(edge_network, "_EDGES_A_KIND", 2)
    torch.manual_seed(0)
    adj, x = square(), leaf(NUM_SRC, 3)
    edge = FEW[torch.randint(3, (adj.num_edges,))] if kinds else leaf(adj.num_edges, 5, seed=1)
    assert (edge_network._kinds(edge) is not None) == kinds
    layer = EdgeNetworkConv(3, 4, 5, **{"hidden_channels": 8, **OPTIONS[name]}).double()
    leaves = [x, *layer.parameters(), *([] if kinds else [edge])]
    assert_same(lambda: layer(x, adj, edge), lambda: plain(layer, x, adj, edge), leaves)


@pytest.mark.parametrize("kinds", [False, True], ids=["own features", "few kinds"])
def test_between_two_sets_of_nodes(kinds, monkeypatch):
    monkeypatch.setattr(edge_network, "_EDGES_A_KIND", 2)
    torch.manual_seed(0)
    adj, x = bipartite(), (leaf(9, 3), leaf(6, 2, seed=1))
    edge = FEW[torch.randint(3, (adj.num_edges,))] if kinds else leaf(adj.num_edges, 5, seed=1)
    layer = EdgeNetworkConv((3, 2), 4, 5).double()
    assert_same(lambda: layer(x, adj, edge), lambda: plain(layer, x, adj, edge), [*x, *layer.parameters()])


@pytest.mark.parametrize("kinds", [False, True], ids=["own features", "few kinds"])
@pytest.mark.parametrize("aggregation", ["sum", "mean"])
def test_equals_nnconv(aggregation, kinds):
    pyg = pytest.importorskip("torch_geometric.nn", reason="PyTorch Geometric, of the extra `peers`, is not installed")
    torch.manual_seed(0)
    edges, x = random_edges(NUM_SRC, NUM_SRC, 200), leaf(NUM_SRC, 3)
    count = edges.shape[1]
    edge = FEW[torch.randint(3, (count,))] if kinds else leaf(count, 5, seed=1)
    network = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 12))
    theirs = pyg.NNConv(3, 4, network, aggr="add" if aggregation == "sum" else "mean").double()
    ours = EdgeNetworkConv(3, 4, 5, hidden_channels=8, aggregation=aggregation).double()
    names = {"networks.0.hidden.0.": "nn.0.", "networks.0.last.": "nn.2.", "lin_root.": "lin.", "bias": "bias"}
    state = theirs.state_dict()
    prefixes = {name: next(p for p in names if name.startswith(p)) for name in ours.state_dict()}
    ours.load_state_dict({name: state[names[p] + name.removeprefix(p)] for name, p in prefixes.items()})
    their_own = dict(theirs.named_parameters())
    pairs = [(p, their_own[names[prefixes[n]] + n.removeprefix(prefixes[n])]) for n, p in ours.named_parameters()]
    assert_same(
        lambda: ours(x, edges, edge),
        lambda: theirs(x, edges, edge),
        [x, *(mine for mine, _ in pairs)],
        their_leaves=[x, *(other for _, other in pairs)],
    )


def test_few_kinds_are_found_only_where_they_are():
    few = FEW[torch.randint(3, (200,))]
    kinds = edge_network._kinds(few)
    assert kinds is not None
    assert torch.equal(kinds.edge[kinds.kind], few)
    assert len(kinds.edge) == 3
    many = torch.rand(200, 5, dtype=torch.float64)
    for edge in (many, few[:60], few.clone().requires_grad_(), few.clone().fill_(float("nan")), few[:0]):
        assert edge_network._kinds(edge) is None


def test_gradients_by_features_that_are_equal_stay_apart():
    adj, x = square(), leaf(NUM_SRC, 3)
    edge = FEW[torch.zeros(adj.num_edges, dtype=torch.long)].clone().requires_grad_()
    layer = EdgeNetworkConv(3, 4, 5).double()
    assert_same(lambda: layer(x, adj, edge), lambda: plain(layer, x, adj, edge), [x, edge])


def test_second_derivatives_where_kinds_are_few():
    adj = Adjacency(random_edges(NUM_SRC, NUM_SRC, 70), num_nodes=NUM_SRC)
    x, edge = leaf(NUM_SRC, 2), FEW[:2][torch.randint(2, (adj.num_edges,))]
    layer = EdgeNetworkConv(2, 2, 5, hidden_channels=3, activation="tanh").double()
    assert edge_network._kinds(edge) is not None
    leaves = [x, *layer.parameters()]
    assert torch.autograd.gradgradcheck(lambda *_: layer(x, adj, edge).square(), leaves, fast_mode=True)


def test_the_bits_do_not_depend_on_threads_where_matrices_are_large():
    torch.manual_seed(0)
    layer, x = EdgeNetworkConv(64, 64, 3), torch.randn(400, 64)
    adj, threads, results = Adjacency(torch.randint(400, (2, 1500)), num_nodes=400), torch.get_num_threads(), []
    edge = torch.randn(1500, 3)
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(layer(x, adj, edge))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


def test_compiles_in_one_piece():
    adj, x = square(), leaf(NUM_SRC, 3)
    edge = leaf(adj.num_edges, 5, seed=1)
    layer = EdgeNetworkConv(3, 4, 5, both_directions=True).double()
    layer(x, adj, edge)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x, adj, edge), layer(x, adj, edge))


def test_edges_come_in_the_order_of_an_edge_index():
    edges, x = random_edges(NUM_SRC, NUM_SRC), leaf(NUM_SRC, 3)
    edge = leaf(edges.shape[1], 5, seed=1)
    layer, graph = EdgeNetworkConv(3, 4, 5).double(), Graph(edges, num_nodes=NUM_SRC, edge_attr=edge.detach())
    torch.testing.assert_close(layer(x, edges, edge), layer(x, graph, graph.edge_attr))


def test_wrong_input_is_named():
    adj, x = square(), leaf(NUM_SRC, 3)
    layer, edge = EdgeNetworkConv(3, 4, 5).double(), leaf(adj.num_edges, 5)
    for call, message in (
        (lambda: layer(x, adj), "needs edge features"),
        (lambda: layer(x, adj, edge[1:]), "edge must have a row for each"),
        (lambda: layer(x, adj, edge[:, :4]), "must have 5 columns"),
        (lambda: layer(x[:, :2], adj, edge), "must have 3 columns"),
        (lambda: EdgeNetworkConv(3, 5, 5, both_directions=True), "an even out_channels"),
        (lambda: EdgeNetworkConv((3, 2), 4, 5, both_directions=True), "needs one in_channels"),
        (lambda: EdgeNetworkConv(-1, 4, 5), "in_channels must be a positive number"),
        (lambda: EdgeNetworkConv(3, 4, 5, aggregation="max"), "must be sum or mean"),
    ):
        with pytest.raises(InputError, match=message):
            call()
    both = EdgeNetworkConv(3, 4, 5, both_directions=True).double()
    there = bipartite()
    with pytest.raises(InputError, match="one set of nodes"):
        both((x, leaf(6, 3)), there, leaf(there.num_edges, 5))
