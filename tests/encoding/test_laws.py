"""What every encoding obeys: its shape, its spec, the same for a batch as for each graph, and in any numbering."""

from dataclasses import fields

import numpy as np
import pytest
import torch

from grapevine.encoding import ENCODINGS, Degree, Encoding, Laplacian, encode, parse, with_columns
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix
from tests.encoding.cases import GRAPHS, naphthalene, random_graph

EACH = [*(kind() for kind in ENCODINGS.values()), Degree(4), *parse("rwpe:3,lappe:3,heat:2,distance:2,rings:5")]


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("encoding", EACH, ids=str)
def test_there_is_a_row_of_numbers_for_each(encoding: Encoding, graph: Graph):
    found = encoding(graph)
    assert found.shape == (graph.num_nodes if encoding.level == "node" else graph.num_edges, encoding.channels)
    assert found.dtype == torch.float32
    assert bool(found.isfinite().all())
    assert torch.equal(found, encoding(graph))


@pytest.mark.parametrize("encoding", EACH, ids=str)
def test_a_batch_is_its_graphs(encoding: Encoding):
    parts = [GRAPHS[name] for name in ("random", "pieces", "naphthalene", "no edges")]
    alone = torch.cat([encoding(graph) for graph in parts])
    torch.testing.assert_close(encoding(Graph.batch(parts)), alone, rtol=1e-5, atol=1e-6)


def renumbered(graph: Graph, seed: int) -> tuple[Graph, torch.Tensor]:
    """The graph with its nodes in another order, and where each node is now."""
    place = torch.randperm(graph.num_nodes, generator=torch.Generator().manual_seed(seed))
    edge_index = graph.adj.edge_index
    return Graph(place[edge_index], num_nodes=graph.num_nodes, edge={"was": torch.arange(graph.num_edges)}), place


@pytest.mark.parametrize("name", ["random", "pieces", "naphthalene", "loops and repeats"])
@pytest.mark.parametrize("encoding", EACH, ids=str)
def test_the_order_of_the_nodes_has_no_part_in_it(encoding: Encoding, name: str):
    if isinstance(encoding, Laplacian) and name != "random":
        pytest.skip("of nodes that are alike, the first one decides")
    graph = GRAPHS[name]
    turned, place = renumbered(graph, seed=3)
    before, after = encoding(graph), encoding(turned)
    expected = before[place.argsort()] if encoding.level == "node" else before[turned.was]
    torch.testing.assert_close(after, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("encoding", EACH, ids=str)
def test_the_spec_makes_it_again(encoding: Encoding):
    assert parse(str(encoding)) == (encoding,)
    assert encoding.name in ENCODINGS
    assert len(fields(encoding)) <= 2


def test_specs_are_read():
    rwpe, lappe, degree = parse(" rwpe:16, lappe:8:signnet,degree ,")
    assert (rwpe.channels, lappe.channels, degree.channels) == (16, 8, 1)
    assert isinstance(lappe, Laplacian)
    assert lappe.signnet
    assert str(lappe) == "lappe:8:signnet"
    assert [str(one) for one in parse("heat,rings,distance:3")] == ["heat:8", "rings:8", "distance:3"]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            "rwpr:16",
            "no encoding 'rwpr'; did you mean rwpe.*rwpe, lappe, heat, degree, distance, resistance, rings, sub",
        ),
        ("", "names no encoding; there are rwpe"),
        ("rwpe:x", "'rwpe:x' is no encoding: rwpe is written rwpe:16"),
        ("rwpe:4:4", "rwpe is written rwpe:16"),
        ("rwpe:0", "a number of steps, 1 to 1000, as in rwpe:8; got 0"),
        ("rwpe:-3", "got -3"),
        ("lappe:4:signet", "lappe is written lappe:8 or lappe:8:signnet"),
        ("lappe:signnet:signnet", "lappe is written"),
        ("rings:2", "3 to 1000"),
        ("edge-distance:3", "edge-distance is written edge-distance$"),
        ("rwpe:4,rwpe:8", "rwpe stands there twice"),
    ],
)
def test_wrong_specs_say_what_is_right(spec: str, told: str):
    with pytest.raises(InputError, match=told):
        parse(spec)


def test_features_and_encodings_stand_side_by_side():
    graph = random_graph()
    bare = encode(graph, "degree,edge-distance")
    assert (bare.x.shape, bare.edge_attr.shape) == ((14, 1), (graph.num_edges, 1))
    full = graph.replace(x=torch.eye(14, dtype=torch.float64), edge_attr=torch.arange(graph.num_edges).float())
    coded = encode(full, parse("rwpe:4,edge-rwpe:2,degree"))
    assert coded.x.dtype == torch.float64
    assert torch.equal(coded.x[:, :14], full.x)
    assert torch.equal(coded.x[:, 18:].float(), Degree()(graph))
    assert torch.equal(coded.edge_attr[:, 0], full.edge_attr)
    assert coded.edge_attr.shape[1] == 3
    assert coded.adj is full.adj
    with pytest.raises(InputError, match=r"floating-point numbers.*int64"):
        encode(graph.replace(x=torch.zeros(14, 2, dtype=torch.int64)), "degree")


def test_sparse_features_stay_sparse():
    graph = naphthalene()
    dense = torch.eye(10)[:, :7]
    sparse = SparseMatrix.from_torch(dense.to_sparse())
    columns = [one(graph) for one in parse("rwpe:5")]
    coded = with_columns(graph.replace(x=sparse), parse("rwpe:5"), columns)
    assert isinstance(coded.x, SparseMatrix)
    assert torch.equal(coded.x.to_dense(), torch.cat([dense, columns[0]], 1))
    assert coded.x.pattern.num_entries == 7 + 50  # the zeros of odd steps are stored
    assert torch.equal((coded.x @ torch.eye(12)), coded.x.to_dense())


def test_other_things_than_graphs_are_refused():
    with pytest.raises(InputError, match="of a Graph"):
        Degree()(np.zeros(3))  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="a text"):
        parse(16)  # pyright: ignore[reportArgumentType]
