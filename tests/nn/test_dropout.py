"""Dropped edges, nodes and messages: shares, means, seeds, which edges go together, and what a GCN makes of it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine import nn as gnn
from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.graph.keep import keep_edges
from grapevine.ops.sparse import SparseMatrix
from tests.nn.compare import NUM_SRC, leaf, random_edges
from tests.nn.conv.dense import gcn_matrix, symmetric_edges

EDGES = random_edges(NUM_SRC, NUM_SRC)


def wide(count: int = 4000) -> Adjacency:
    return Adjacency(torch.randint(200, (2, count), generator=torch.Generator().manual_seed(0)), num_nodes=200)


@pytest.mark.parametrize("p", [0.0, 0.3, 0.9])
def test_about_the_asked_share_of_edges_goes(p):
    left = gnn.drop_edge(wide(), p, seed=torch.tensor(3)).num_edges
    assert abs(left - 4000 * (1 - p)) <= 5 * (4000 * p * (1 - p)) ** 0.5


def test_a_seed_says_which_edges_go_and_the_generator_rules():
    adj, seed = wide(), torch.tensor(5)
    assert torch.equal(gnn.drop_edge(adj, 0.5, seed=seed).edge_id, gnn.drop_edge(adj, 0.5, seed=seed).edge_id)
    draws = []
    for _ in range(2):
        torch.manual_seed(1)
        draws.append([gnn.drop_edge(adj, 0.5).edge_id.tolist() for _ in range(2)])
    assert draws[0] == draws[1]
    assert draws[0][0] != draws[0][1]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**62), pairs=st.integers(0, 30))
def test_both_directions_go_together(seed, pairs):
    graph = Adjacency(symmetric_edges(12, pairs), num_nodes=12)
    left = gnn.drop_edge(graph, 0.5, symmetric=True, seed=torch.tensor(seed))
    assert left.is_symmetric()


def test_pyg_keeps_a_subset_alike():
    """Their dropout_edge and ours keep edges of the graph, each with its place in it, and all or none at the ends."""
    pyg = pytest.importorskip("torch_geometric.utils")
    adj = wide()
    theirs, places = pyg.dropout_edge(adj.edge_index, p=0.4)
    for edges, at in ((theirs, places), ((ours := gnn.drop_edge(adj, 0.4)).edge_index, ours.edge_id)):
        at = at.nonzero().squeeze(1) if at.dtype == torch.bool else at
        assert torch.equal(adj.edge_index[:, at], edges)
        assert abs(edges.shape[1] - 2400) < 160
    assert gnn.drop_edge(adj, 1.0).num_edges == 0


def test_keep_edges_is_the_adjacency_made_anew():
    adj, keep = wide(300), torch.rand(300, generator=torch.Generator().manual_seed(0)) < 0.5
    left, wanted = keep_edges(adj, keep), Adjacency(adj.edge_index[:, keep], adj.num_nodes)
    assert torch.equal(left.edge_index, wanted.edge_index)
    assert torch.equal(left.edge_id, keep.nonzero().squeeze(1))
    torch.testing.assert_close(left.pattern.transposed.indptr, wanted.pattern.transposed.indptr)


def test_a_graph_stays_one_with_the_tensors_of_what_is_left():
    parts = [Graph(EDGES, x=torch.randn(NUM_SRC, 2), edge_attr=torch.randn(EDGES.shape[1], 3)) for _ in range(2)]
    both = Graph.batch(parts)
    keep = torch.rand(both.num_edges) < 0.5
    left = keep_edges(both, keep)
    assert (left.num_graphs, left.num_nodes) == (2, 2 * NUM_SRC)
    assert torch.equal(left.edge_attr, both.edge_attr[keep])
    assert torch.equal(left.members.indptr, both.members.indptr)
    with pytest.raises(InputError, match="edges"):
        keep_edges(both, keep[:-1])


def test_a_gcn_is_normalised_by_what_is_left():
    """The renormalisation of the paper: the degrees are those of the thinned graph."""
    torch.manual_seed(0)
    network, x = gnn.Dropped(gnn.GNN([gnn.GCNConv(3, 4)]), [gnn.DropEdge(0.5)]).double(), leaf(NUM_SRC, 3)
    torch.manual_seed(7)
    out = network(x, EDGES)
    torch.manual_seed(7)
    left = gnn.drop_edge(Adjacency(EDGES, NUM_SRC), 0.5).edge_index
    assert 0 < left.shape[1] < EDGES.shape[1]
    torch.testing.assert_close(out, gcn_matrix(left, NUM_SRC) @ x @ network.encoder.layers[0].lin.weight.T)


@pytest.mark.parametrize("kind", ["tensor", "adjacency", "graph"])
def test_edge_weights_go_with_their_edges(kind):
    x, weight = leaf(NUM_SRC, 3), torch.rand(EDGES.shape[1], dtype=torch.float64)
    adj = Adjacency(EDGES, NUM_SRC)
    edges = {"tensor": EDGES, "adjacency": adj, "graph": Graph(adj)}[kind]
    given_weight = weight if kind == "tensor" else weight[adj.edge_id]
    torch.manual_seed(7)
    _, left, left_weight = gnn.DropEdge(0.5)(x, edges, given_weight)
    left = left.adj if isinstance(left, Graph) else left
    known = {(j, i, round(w, 9)) for (j, i), w in zip(EDGES.T.tolist(), weight.tolist(), strict=True)}
    assert {
        (j, i, round(w, 9)) for (j, i), w in zip(left.edge_index.T.tolist(), left_weight.tolist(), strict=True)
    } < known


def test_nothing_goes_when_it_is_not_training():
    x, network = torch.randn(NUM_SRC, 3), gnn.GNN([gnn.GCNConv(3, 4), gnn.GCNConv(4, 2)])
    around = gnn.Dropped(network, [gnn.DropEdge(0.5), gnn.DropNode(0.5)])
    assert not torch.equal(around(x, EDGES), network(x, EDGES))
    assert torch.equal(around.eval()(x, EDGES), network.eval()(x, EDGES))
    message = gnn.DropMessage(network.layers[0], 0.5)
    assert not torch.equal(message(x, EDGES), network.layers[0](x, EDGES))
    assert torch.equal(message.eval()(x, EDGES), network.layers[0](x, EDGES))


def test_nodes_go_whole_and_the_others_make_up_for_them():
    x = gnn.drop_node(torch.ones(5000, 3), 0.4, seed=torch.tensor(2))
    assert (x == x[:, :1]).all()
    assert x[:, 0].unique().tolist() == [0.0, pytest.approx(1 / 0.6)]
    assert x.mean().item() == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("is_turned", [False, True])
def test_sparse_features_lose_the_same_nodes(is_turned):
    dense = torch.randn(30, 6) * (torch.rand(30, 6) < 0.4)
    sparse = SparseMatrix.from_torch(dense.to_sparse())
    if is_turned:  # whose values are in another order than its rows
        by_column = SparseMatrix.from_torch(dense.T.to_sparse())
        sparse = SparseMatrix(by_column.pattern.transposed, by_column.values)
        assert sparse.pattern.entry is not None
    seed = torch.tensor(4)
    torch.testing.assert_close(gnn.drop_node(sparse, 0.5, seed=seed).to_dense(), gnn.drop_node(dense, 0.5, seed=seed))


LAYERS = {
    "gcn": lambda: gnn.GCNConv(3, 4),
    "gcn without loops": lambda: gnn.GCNConv(3, 4, add_self_loops=False, bias=False),
    "sage": lambda: gnn.SAGEConv(3, 4),
    "sage sum": lambda: gnn.SAGEConv(3, 4, aggregation="sum"),
    "gin": lambda: gnn.GINConv(gnn.Linear(3, 4), eps=0.3),
}


@pytest.mark.parametrize("name", LAYERS)
def test_messages_are_right_on_the_average(name):
    """These layers are linear in their messages, so the mean is the layer without dropout."""
    torch.manual_seed(0)
    layer = LAYERS[name]()
    dropped, x = gnn.DropMessage(layer, 0.5), torch.randn(NUM_SRC, 3)
    with torch.no_grad():
        draws = torch.stack([dropped(x, EDGES) for _ in range(3000)])
        wanted = layer(x, EDGES)
    error = draws.std(0) / len(draws) ** 0.5
    assert ((draws.mean(0) - wanted).abs() < 5 * error + 1e-6).all()


@pytest.mark.parametrize("name", LAYERS)
def test_messages_of_two_edges_from_one_node_differ(name):
    """One source, many targets that hear nothing else: DropNode would treat them alike, DropMessage does not."""
    torch.manual_seed(0)
    star = torch.stack([torch.zeros(51, dtype=torch.long), torch.arange(51)])  # with a loop in the middle
    x = torch.cat([torch.ones(1, 3), torch.zeros(50, 3)])
    out = gnn.DropMessage(LAYERS[name](), 0.5)(x, star)[1:]
    assert len(out.unique(dim=0)) > 3


def test_weighted_messages_of_a_gcn():
    layer, weight = gnn.GCNConv(3, 4), torch.rand(EDGES.shape[1])
    x = torch.randn(NUM_SRC, 3)
    torch.testing.assert_close(gnn.DropMessage(layer, 1e-9)(x, EDGES, weight), layer(x, EDGES, weight))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: gnn.DropEdge(1.0), "below 1"),
        (lambda: gnn.DropNode(-0.1), "0 or more"),
        (lambda: gnn.DropMessage(gnn.GCNConv(3, 4), 1.5), "below 1"),
        (lambda: gnn.DropMessage(gnn.GATConv(3, 4), 0.5), "not GATConv"),
        (lambda: gnn.Dropped(gnn.GCNConv(3, 4), [0.5]), "must be Drops"),
        (lambda: gnn.drop_edge(Adjacency([[0], [1]]), 0.5, symmetric=True), "lacks its other direction"),
        (lambda: gnn.drop_edge(Adjacency([[0], [1]]), 2.0), "probability"),
        (lambda: gnn.DropMessage(gnn.GCNConv(3, 4), 0.5)((torch.ones(9, 3), torch.ones(9, 3)), EDGES), "one set"),
    ],
)
def test_wrong_input_is_named(make, match):
    with pytest.raises(InputError, match=match):
        make()
