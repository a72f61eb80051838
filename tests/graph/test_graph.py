"""The record: levels, the order of edge tensors, immutability, and what is refused."""

import copy
import pickle

import pytest
import scipy.sparse
import torch
from hypothesis import given

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.ops.sparse import SparseMatrix
from grapevine.ops.spmm import spmm
from tests.graph.cases import assert_equal, index_of, many, some_graph, square_edges

EDGES = torch.tensor([[0, 1, 2, 0], [1, 0, 1, 2]])  # sorted by target: 1 -> 0, 0 -> 1, 2 -> 1, 0 -> 2


@many
@given(square_edges())
def test_edge_tensors_follow_their_edges(case):
    edges, num_nodes = case
    edge_index = index_of(edges)
    graph = Graph(edge_index, num_nodes=num_nodes, edge_attr=edge_index.T, edge={"place": torch.arange(len(edges))})
    assert torch.equal(graph.edge_attr.T, graph.adj.edge_index)
    assert torch.equal(graph.place, graph.adj.edge_id)


def test_beside_an_adjacency_edge_tensors_are_in_its_order():
    graph = Graph(EDGES, edge_weight=torch.arange(4.0))
    again = Graph(graph.adj, edge_weight=graph.edge_weight)
    assert again.adj is graph.adj
    assert_equal(again, graph)


def test_levels():
    graph = some_graph(5, 8)
    assert graph.levels == {
        **dict.fromkeys(["x", "pos", "z", "train_mask"], "node"),
        **dict.fromkeys(["edge_attr", "edge_weight"], "edge"),
        **dict.fromkeys(["y", "global_attr"], "graph"),
    }
    assert list(graph.node) == ["x", "pos", "z", "train_mask"]
    assert graph.edge["edge_attr"] is graph.edge_attr
    assert graph.graph["y"] is graph.y
    assert (graph.num_nodes, graph.num_edges, graph.num_graphs) == (5, 8, 1)
    assert graph.ptr.tolist() == [0, 5]
    assert graph.graph_id.tolist() == [0] * 5
    assert repr(graph.members) == "Pattern(1 rows, 5 columns, 5 entries)"


def test_repr():
    graph = Graph(EDGES, x=torch.eye(3).to_sparse(), y=torch.zeros(3), edge_attr=torch.zeros(4, 2))
    assert repr(graph) == "Graph(3 nodes, 4 edges; node: x sparse [3, 3], y [3]; edge: edge_attr [4, 2])"


def test_number_of_nodes():
    assert Graph(EDGES).num_nodes == 3
    assert Graph(EDGES, num_nodes=7).num_nodes == 7
    assert Graph(EDGES, pos=torch.zeros(6, 3)).num_nodes == 6
    assert Graph(EDGES, node={"charge": torch.zeros(5)}).num_nodes == 5
    assert Graph(Adjacency(EDGES, 4)).num_nodes == 4
    assert Graph([[], []]).num_nodes == 0


@pytest.mark.parametrize(
    ("y", "level"),
    [
        (torch.zeros(3), "node"),
        (torch.zeros(3, 2), "node"),
        (torch.zeros(1), "graph"),
        (torch.zeros(1, 3), "graph"),
        (torch.tensor(4), "graph"),
    ],
)
def test_level_of_y(y, level):
    graph = Graph(EDGES, y=y)
    assert graph.levels["y"] == level
    assert len(graph.y) == (3 if level == "node" else 1)


def test_unclear_y_is_declared():
    with pytest.raises(InputError, match=r"y of shape \(1,\) fits both 1 nodes and 1 graphs: declare its level"):
        Graph([[], []], num_nodes=1, y=torch.zeros(1))
    with pytest.raises(InputError, match=r"y of shape \(4,\) fits neither 3 nodes nor 1 graphs"):
        Graph(EDGES, y=torch.zeros(4))
    for level in ("node", "graph"):
        assert Graph([[], []], num_nodes=1, **{level: {"y": torch.zeros(1)}}).levels == {"y": level}
    assert Graph(EDGES, edge={"y": torch.arange(4)}).y.tolist() == [1, 0, 2, 3]
    assert Graph([[], []], num_nodes=1, y=torch.tensor(0.5)).levels == {"y": "graph"}


def test_sparse_features():
    dense = torch.tensor([[0.0, 2.0], [0.0, 0.0], [3.0, 0.0]])
    for x in (dense.to_sparse(), dense.to_sparse_csr(), scipy.sparse.csc_array(dense.numpy())):
        graph = Graph(EDGES, x=x)
        assert isinstance(graph.x, SparseMatrix)
        assert torch.equal(graph.x.to_dense(), dense)
        assert graph.replace(x=graph.x).x is graph.x


WRONG = [
    ({"x": torch.zeros(4, 2), "num_nodes": 3}, r"x must have a row for each of the 3 nodes, got shape \(4, 2\)"),
    ({"x": torch.zeros(4, 2), "pos": torch.zeros(3, 3)}, r"pos must have a row for each of the 4 nodes"),
    ({"x": torch.zeros(2, 2)}, r"edge_index.* must lie in 0 \.\. 1"),
    ({"x": torch.eye(4).to_sparse(), "num_nodes": 3}, r"x must have a row for each of the 3 nodes, got shape \(4, 4\)"),
    ({"x": torch.tensor(1.0)}, "x must have a row for each node, got a scalar"),
    ({"x": torch.tensor(1.0), "num_nodes": 3}, r"x must have a row for each of the 3 nodes, got shape \(\)"),
    ({"x": [[1.0], [2.0], [3.0]]}, "x must be a tensor, got list; torch.as_tensor"),
    ({"x": torch.zeros(3, 2, 2).to_sparse()}, "2 dimensions"),
    ({"x": torch.zeros(3, 2, device="meta")}, "x is on meta, the edges are on cpu"),
    ({"edge_attr": torch.zeros(3, 2)}, r"edge_attr must have a row for each of the 4 edges, got shape \(3, 2\)"),
    ({"edge_attr": torch.eye(4).to_sparse()}, "edge_attr must be dense"),
    ({"edge_weight": torch.tensor(1.0)}, "edge_weight must have a row for each of the 4 edges"),
    ({"train_mask": torch.zeros(3)}, "train_mask must be boolean, got torch.float32"),
    ({"graph": {"energy": torch.zeros(3)}}, r"energy must have a row for each of the 1 graphs, got shape \(3,\)"),
    ({"y": 1.5}, "y must be a tensor, got float"),
    ({"y": torch.zeros(1), "graph": {"y": torch.zeros(1)}}, "y is given twice"),
    ({"x": torch.zeros(3, 1), "node": {"x": torch.zeros(3, 1)}}, "x is given twice"),
    ({"node": {"charge": torch.zeros(3)}, "edge": {"charge": torch.zeros(4)}}, "charge is given twice"),
    ({"edge": {"x": torch.zeros(4)}}, "x always belongs to the node"),
    ({"node": {"edge_attr": torch.zeros(3)}}, "edge_attr always belongs to the edge"),
    ({"node": {"num_nodes": torch.zeros(3)}}, "num_nodes is an attribute of every Graph"),
    ({"node": {"adj": torch.zeros(3)}}, "adj is an attribute of every Graph"),
    ({"node": {"two words": torch.zeros(3)}}, "plain one, got 'two words'"),
    ({"node": {"_x": torch.zeros(3)}}, "plain one, got '_x'"),
    ({"node": {0: torch.zeros(3)}}, "plain one, got 0"),
    ({"node": torch.zeros(3)}, "node must map names to tensors, got Tensor"),
    ({"num_nodes": 2}, r"must lie in 0 \.\. 1"),
]


@pytest.mark.parametrize(("given", "message"), WRONG)
def test_wrong_tensors(given, message):
    with pytest.raises(InputError, match=message):
        Graph(EDGES, **given)


def test_wrong_edges():
    with pytest.raises(InputError, match="2 -> 3 nodes"):
        Graph(Adjacency([[0], [0]], size=(2, 3)))
    with pytest.raises(InputError, match="num_nodes is 5, the adjacency has 3 nodes"):
        Graph(Adjacency(EDGES), num_nodes=5)
    with pytest.raises(InputError, match="edge_index"):
        Graph(None)


def test_replace():
    graph = Graph(EDGES, x=torch.zeros(3, 1), y=torch.zeros(3), edge_weight=torch.arange(4.0))
    other = graph.replace(x=torch.ones(3, 2), edge_weight=graph.edge_weight * 2, node={"charge": torch.ones(3)})
    assert graph.levels == {"x": "node", "y": "node", "edge_weight": "edge"}
    assert other.levels == {"x": "node", "y": "node", "charge": "node", "edge_weight": "edge"}
    assert other.edge_weight.tolist() == [2, 0, 4, 6]
    assert other.adj is graph.adj
    assert other.replace(graph={"charge": torch.ones(1)}).levels["charge"] == "graph"
    assert Graph([[], []], num_nodes=1, node={"y": torch.zeros(1)}).replace(y=torch.ones(1)).levels == {"y": "node"}
    with pytest.raises(InputError, match="y must have a row for each of the 3 nodes"):
        graph.replace(y=torch.zeros(1))
    with pytest.raises(InputError, match="x must have a row for each of the 3 nodes"):
        graph.replace(x=torch.zeros(4, 1))
    batch = Graph.batch([Graph(EDGES), Graph(EDGES)])
    assert batch.replace(y=torch.zeros(2)).levels == {"y": "graph"}
    assert batch.replace(y=torch.zeros(6)).levels == {"y": "node"}
    assert batch.replace(y=torch.zeros(2)).unbatch()[0].y.tolist() == [0]


def test_a_graph_is_not_changed():
    graph = Graph(EDGES, x=torch.zeros(3, 1))
    for name in ("x", "adj", "other"):
        with pytest.raises(AttributeError, match=rf"graph.replace\({name}=...\)"):
            setattr(graph, name, torch.ones(3, 1))
    with pytest.raises(TypeError):
        graph.node["x"] = torch.ones(3, 1)
    with pytest.raises(AttributeError, match="holds no pos, it holds x"):
        _ = graph.pos
    assert not hasattr(Graph(EDGES), "x")


def test_copies_and_devices():
    graph = some_graph(6, 9, is_sparse=True)
    for same in (copy.copy(graph), copy.deepcopy(graph), pickle.loads(pickle.dumps(graph)), graph.to("cpu")):
        assert_equal(same, graph)
    assert graph.to("meta").edge_attr.device.type == graph.to("meta").ptr.device.type == "meta"


def test_gradients_reach_what_came_in():
    weight = torch.rand(4, requires_grad=True)
    (Graph(EDGES, edge_weight=weight).edge_weight * torch.arange(4.0)).sum().backward()
    assert weight.grad.tolist() == [1, 0, 2, 3]


def test_compiles_without_a_break():
    graph = Graph.batch([some_graph(4, 6), some_graph(3, 5, seed=1)])

    @torch.compile(fullgraph=True, backend="aot_eager")
    def read_out(graph):
        return spmm(graph.members, spmm(graph.adj.pattern, graph.x)) * graph.num_graphs + graph.graph_id.sum()

    by_graph = torch.zeros(2, 5).index_add(0, graph.graph_id[graph.adj.dst], graph.x[graph.adj.src])
    torch.testing.assert_close(read_out(graph), by_graph * 2 + 3)
