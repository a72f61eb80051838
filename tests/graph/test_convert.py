"""Conversions: there and back, against what the other library says of the same graph, and what is refused."""

import builtins
from collections import Counter

import networkx
import numpy as np
import pandas
import pytest
import scipy.sparse
import torch
from hypothesis import given
from torch_geometric.data import Batch, Data

from grapevine.errors import InputError
from grapevine.graph import (
    Adjacency,
    Graph,
    from_frame,
    from_networkx,
    from_pyg,
    from_scipy,
    to_networkx,
    to_pyg,
    to_scipy,
)
from tests.graph.cases import assert_equal, index_of, many, some_graph, square_edges

PLAIN = Graph([[0, 1, 2, 0], [1, 0, 1, 2]], edge_weight=torch.arange(4.0), x=torch.eye(3))


# PyTorch Geometric


def again_sorted(graph: Graph) -> Graph:
    """The same graph from its sorted edges: what comes back of a conversion."""
    return Graph(graph.adj.edge_index, num_nodes=graph.num_nodes, node=graph.node, edge=graph.edge, graph=graph.graph)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_geometric_and_back(is_sparse):
    graph = some_graph(5, 8, is_sparse=is_sparse)
    data = to_pyg(graph)
    data.validate()
    assert (data.num_nodes, data.num_edges) == (5, 8)
    assert_equal(from_pyg(data, graph=["global_attr"]), again_sorted(graph))


def test_geometric_batch_and_back():
    graph = Graph.batch([some_graph(5, 8), some_graph(3, 2, seed=1)])
    batch = to_pyg(graph)
    assert isinstance(batch, Batch)
    assert torch.equal(batch.batch, graph.graph_id)
    assert torch.equal(batch.ptr, graph.ptr)
    assert_equal(from_pyg(batch, graph=["global_attr"]), again_batched(graph))


def again_batched(graph: Graph) -> Graph:
    return Graph.batch([again_sorted(part) for part in graph.unbatch()])


def test_from_geometric_sorts():
    edge_index = torch.tensor([[0, 1, 2, 0], [1, 0, 1, 2]])
    data = Data(edge_index=edge_index, x=torch.eye(3), edge_weight=torch.arange(4.0), charge=torch.ones(3), name="a")
    assert_equal(from_pyg(data), PLAIN)
    assert from_pyg(data, node=["charge"]).levels == {**PLAIN.levels, "charge": "node"}


def test_wrong_geometric():
    data = Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2, y=torch.zeros(2), name="a")
    assert from_pyg(data).levels == {"y": "node"}
    for wrong, names, message in (
        (Data(x=torch.eye(2)), {}, "must have an edge_index, it has x"),
        (data, {"node": ["charge"]}, "no node tensor 'charge', it has edge_index"),
        (data, {"node": ["name"]}, "name must be a tensor, got str"),
        (data, {"graph": ["y"]}, "y must have a row for each of the 1 graphs"),
        (Data(edge_index=torch.tensor([[0], [2]]), num_nodes=2), {}, r"0 \.\. 1"),
        (Data(edge_index=torch.tensor([[0], [1]]), num_nodes=2, y=torch.zeros(3)), {}, "y of shape"),
        (PLAIN, {}, "must be a Data or a Batch, got Graph"),
    ):
        with pytest.raises(InputError, match=message):
            from_pyg(wrong, **names)


@pytest.mark.parametrize("convert", [to_pyg, from_pyg])
def test_without_geometric(convert, monkeypatch):
    imports = builtins.__import__

    def without(name, *others):
        if name.startswith("torch_geometric"):
            raise ImportError(name)
        return imports(name, *others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'grapevine-gnn\[peers\]'"):
        convert(PLAIN)


# NetworkX


@many
@given(square_edges())
def test_networkx_and_back(case):
    edges, num_nodes = case
    graph = Graph(index_of(edges), num_nodes=num_nodes, edge_weight=torch.arange(float(len(edges))))
    network = to_networkx(graph, names=["edge_weight"], multigraph=True)
    weighted = Counter((j, i, float(e)) for e, (j, i) in enumerate(edges))
    assert list(network) == list(range(num_nodes))
    assert Counter(network.edges(data="edge_weight")) == weighted
    back = from_networkx(network, edge={"edge_weight": "edge_weight"})
    assert Counter(zip(*back.adj.edge_index.tolist(), back.edge_weight.tolist(), strict=True)) == weighted


def test_networkx_keeps_labels_and_attributes():
    network = networkx.Graph(label=7)
    network.add_node("b", place=(0.0, 1.0), kind=1, known=True)
    network.add_node("a", place=(2.0, 3.0), kind=2, known=False)
    network.add_edge("a", "b", length=2)
    network.add_edge("a", "a", length=3)
    node = {"pos": "place", "z": "kind", "train_mask": "known"}
    graph = from_networkx(network, node=node, edge={"edge_weight": "length"}, graph={"y": "label"})
    assert torch.equal(graph.pos, torch.tensor([[0.0, 1.0], [2.0, 3.0]]))
    assert (graph.z.tolist(), graph.z.dtype) == ([1, 2], torch.int64)
    assert graph.train_mask.tolist() == [True, False]
    assert graph.adj.edge_index.tolist() == [[1, 0, 1], [0, 1, 1]]
    assert graph.edge_weight.tolist() == [2, 2, 3]
    assert graph.y.tolist() == [7]
    back = to_networkx(graph, names=["pos", "z", "edge_weight", "y"], labels=list(network))
    assert list(back) == ["b", "a"]
    assert back.nodes["a"] == {"pos": [2.0, 3.0], "z": 2}
    assert back.edges["a", "b"] == {"edge_weight": 2}
    assert back.graph == {"y": 7}
    assert networkx.utils.graphs_equal(networkx.Graph(back.to_undirected().edges), networkx.Graph(network.edges))


def test_networkx_of_every_kind():
    assert from_networkx(networkx.petersen_graph()).num_edges == 30
    assert from_networkx(networkx.DiGraph([(0, 1), (1, 2)])).num_edges == 2
    assert from_networkx(networkx.MultiGraph([(0, 1), (0, 1)])).num_edges == 4
    assert from_networkx(networkx.MultiDiGraph([(0, 1), (0, 1)])).num_edges == 2
    assert from_networkx(networkx.Graph()).num_nodes == 0
    assert from_networkx(networkx.petersen_graph()).adj.is_symmetric()


def test_wrong_networkx():
    network = networkx.Graph()
    network.add_node("b", club="Mr. Hi", size=1, width=(1, 2))
    network.add_node("a", club="Officer", width=(1,))
    for attribute, message in (
        ("size", "node 'a' has no attribute 'size', it has club, width"),
        ("club", "attribute 'club' must hold numbers, got <U7, as \\['Mr. Hi'\\]"),
        ("width", "attribute 'width' must have one shape"),
    ):
        with pytest.raises(InputError, match=message):
            from_networkx(network, node={"x": attribute})
    with pytest.raises(InputError, match="NetworkX graph, got Graph"):
        from_networkx(PLAIN)
    repeated = Graph([[0, 0], [1, 1]])
    for graph, options, message in (
        (repeated, {}, "1 edges stand here repeatedly: ask for multigraph=True"),
        (PLAIN, {"names": ["pos"]}, "no tensor 'pos', it has x, edge_weight"),
        (PLAIN, {"labels": ["a", "b"]}, "each of the 3 nodes"),
        (PLAIN, {"labels": ["a", "b", "a"]}, "each of the 3 nodes"),
        (Graph.batch([some_graph(3, 2), some_graph(3, 2)]), {"names": ["y"], "multigraph": True}, "unbatch"),
    ):
        with pytest.raises(InputError, match=message):
            to_networkx(graph, **options)


# SciPy


@many
@given(square_edges())
def test_scipy_and_back(case):
    edges, num_nodes = case
    graph = Graph(index_of(edges), num_nodes=num_nodes, edge_weight=torch.arange(1.0, len(edges) + 1))
    matrix = to_scipy(graph, weight="edge_weight")
    expected = np.zeros((num_nodes, num_nodes))
    for e, (j, i) in enumerate(edges):
        expected[j, i] += e + 1
    assert np.array_equal(matrix.toarray(), expected)
    back = from_scipy(matrix, weight="edge_weight")
    assert back.num_edges == len(edges)
    assert np.array_equal(to_scipy(back, weight="edge_weight").toarray(), expected)
    assert to_scipy(graph).sum() == len(edges)


def test_scipy_agrees_with_networkx():
    network = networkx.gnp_random_graph(12, 0.3, seed=0, directed=True)
    matrix = networkx.to_scipy_sparse_array(network)
    assert (to_scipy(from_networkx(network)) != matrix).nnz == 0
    assert torch.equal(from_scipy(matrix).adj.edge_index, from_networkx(network).adj.edge_index)


def test_scipy_of_a_bipartite_adjacency():
    assert to_scipy(Adjacency([[0], [2]], size=(2, 3))).toarray().tolist() == [[0, 0, 1], [0, 0, 0]]


def test_a_scipy_matrix_owns_its_memory():
    before = PLAIN.adj.reverse().edge_index.clone()
    matrix = to_scipy(PLAIN)
    matrix.indices[:] = 0
    matrix.indptr[:] = 0
    assert torch.equal(PLAIN.adj.reverse().reverse().edge_index, PLAIN.adj.edge_index)
    assert torch.equal(PLAIN.adj.reverse().edge_index, before)


def test_wrong_scipy():
    for matrix, message in (
        (scipy.sparse.csr_array((2, 3)), r"square, got shape \(2, 3\)"),
        (np.eye(3), "SciPy sparse matrix, got ndarray"),
        (scipy.sparse.coo_array(np.ones(3)), r"square, got shape \(3,\)"),
    ):
        with pytest.raises(InputError, match=message):
            from_scipy(matrix)
    with pytest.raises(InputError, match="must hold numbers, got complex128"):
        from_scipy(scipy.sparse.eye_array(3, dtype=complex), weight="edge_weight")
    for graph, weight, message in (
        (PLAIN, "x", r"one of the edge tensors \['edge_weight'\], got 'x'"),
        (PLAIN.adj, "edge_weight", r"one of the edge tensors \[\]"),
        (PLAIN.replace(edge_attr=torch.zeros(4, 2)), "edge_attr", r"one number an edge, got shape \(4, 2\)"),
    ):
        with pytest.raises(InputError, match=message):
            to_scipy(graph, weight=weight)


# Frames


def polars_frame(columns: dict) -> object:
    return pytest.importorskip("polars").DataFrame(columns)


@pytest.mark.parametrize("frame_of", [pandas.DataFrame, polars_frame])
def test_frames(frame_of):
    frame = frame_of(
        {"from": [0, 1, 2], "to": [1, 0, 1], "km": [1.5, 2.5, 3.5], "lanes": [1, 2, 3], "toll": [True] * 3}
    )
    chosen = {"edge_weight": "km", "edge_attr": ["km", "lanes"], "toll": "toll", "lanes": "lanes"}
    graph = from_frame(frame, source="from", target="to", edge=chosen, num_nodes=4)
    assert graph.num_nodes == 4
    assert graph.adj.edge_index.tolist() == [[1, 0, 2], [0, 1, 1]]
    assert (graph.edge_weight.tolist(), graph.edge_weight.dtype) == ([2.5, 1.5, 3.5], torch.float32)
    assert graph.edge_attr.tolist() == [[2.5, 2.0], [1.5, 1.0], [3.5, 3.0]]
    assert (graph.lanes.tolist(), graph.lanes.dtype) == ([2, 1, 3], torch.int64)
    assert graph.toll.tolist() == [True] * 3
    assert from_frame(frame_of({"source": [0, 3], "target": [1, 2]})).num_nodes == 4


@pytest.mark.parametrize("frame_of", [pandas.DataFrame, polars_frame])
def test_wrong_frames(frame_of):
    whole = {"source": [0, 1], "target": [1, 2], "name": ["a", "b"]}
    for columns, options, message in (
        (whole, {"source": "from"}, "no column 'from', it has source, target, name"),
        (whole, {"edge": {"edge_attr": ["km"]}}, "no column 'km'"),
        (whole, {"source": "name"}, "column 'name' must hold the numbers of nodes"),
        (whole, {"edge": {"name": "name"}}, "column 'name' must hold numbers"),
        (whole, {"num_nodes": 2}, r"0 \.\. 1"),
        (
            {**whole, "source": [0, None]},
            {},
            "column 'source' must hold the numbers of nodes, got float64; is one missing",
        ),
        ({**whole, "source": [0, -1]}, {}, "got -1"),
    ):
        with pytest.raises(InputError, match=message):
            from_frame(frame_of(columns), **options)


def test_what_is_no_frame():
    with pytest.raises(InputError, match="no column 'source', it has none"):
        from_frame([[0, 1]])
