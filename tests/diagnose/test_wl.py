"""The tests that tell graphs apart: against tests written out, NetworkX and each other, and whatever the numbering."""

import networkx
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networkx.generators.atlas import graph_atlas_g

from grapevine.diagnose import WL_TESTS, color_multiset, color_refinement, graph_colors, node_colors, separates
from grapevine.diagnose.distance import adjacency_matrices, resistances
from grapevine.diagnose.folklore import tuple_wl
from grapevine.diagnose.labelled import labelled
from grapevine.errors import InputError
from grapevine.graph import Graph, from_networkx
from grapevine.ops.sparse import SparseMatrix
from tests.diagnose.naive import naive_tuples
from tests.graph.cases import index_of, square_edges

few = settings(deadline=None, max_examples=30)  # an example is a whole test of graphs
STRONGER = [test for test in WL_TESTS if test not in ("1-wl", "oblivious-2-wl")]


def atlas(num_nodes: int) -> list[networkx.Graph]:
    """All graphs of up to so many nodes, but the one of none."""
    return [network for network in graph_atlas_g()[1:] if len(network) <= num_nodes]


def partition(colors) -> list[int]:
    """The classes, numbered as they first appear."""
    seen: dict = {}
    return [seen.setdefault(color, len(seen)) for color in colors]


@st.composite
def some_graphs(draw, directed: bool = False) -> Graph:
    """A small graph with labels of its nodes and edges, repeated edges and loops; both ways unless directed."""
    edges, n = draw(square_edges())
    kinds = draw(st.lists(st.integers(0, 1), min_size=len(edges), max_size=len(edges)))
    if not directed:
        edges, kinds = edges + [(i, j) for j, i in edges], kinds + kinds
    z = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    return Graph(index_of(edges), z=torch.tensor(z), num_nodes=n, edge={"kind": torch.tensor(kinds, dtype=torch.int64)})


def turned(graph: Graph, to: torch.Tensor) -> Graph:
    """The same graph, node i called to[i] and its edges turned round in their order."""
    edges = to[graph.adj.edge_index].flip(1)
    z = torch.empty_like(graph.z).index_copy(0, to, graph.z)
    return Graph(edges, z=z, edge={"kind": graph.kind.flip(0)})


@few
@given(some_graphs(), st.sampled_from(WL_TESTS), st.randoms())
def test_the_numbering_has_no_part_in_it(graph, test, random):
    to = torch.tensor(random.sample(range(graph.num_nodes), graph.num_nodes))
    other = turned(graph, to)
    assert not separates(graph, other, test, edge=["kind"])
    ours, theirs = (node_colors(one, test, edge=["kind"]) for one in (graph, other))
    assert torch.equal(ours, theirs[to])
    assert color_multiset(graph, test, edge=["kind"]) == color_multiset(other, test, edge=["kind"])


@few
@given(st.lists(some_graphs(directed=True), min_size=1, max_size=2), st.integers(1, 3), st.booleans())
def test_tuples_are_coloured_as_written_out(graphs, k, folklore):
    given_graphs = labelled(Graph.batch(graphs), None, ["kind"])
    if sum(size**k for size in given_graphs.sizes) > 150:
        return
    made = tuple_wl(given_graphs, k, folklore=folklore)
    assert partition(made.items.tolist()) == partition(naive_tuples(given_graphs, k, folklore=folklore))


def test_1_wl_says_what_networkx_says():
    networks = atlas(6)
    for network in networks:
        networkx.set_node_attributes(network, 0, "label")
    hashes = [networkx.weisfeiler_lehman_graph_hash(each, node_attr="label", iterations=6) for each in networks]
    ours = graph_colors(Graph.batch([from_networkx(network) for network in networks]))
    assert partition(ours.tolist()) == partition(hashes)


def test_the_hierarchy_holds_on_all_small_graphs():
    batch = Graph.batch([from_networkx(network) for network in atlas(6)])
    colors = {test: partition(graph_colors(batch, test).tolist()) for test in WL_TESTS if test != "3-fwl"}
    assert colors["oblivious-2-wl"] == colors["1-wl"]  # oblivious 2-WL is 1-WL
    assert colors["oblivious-3-wl"] == colors["2-fwl"]  # oblivious (k + 1)-WL is folklore k-WL
    for stronger in colors:
        assert len(set(zip(colors[stronger], colors["1-wl"], strict=True))) == len(set(colors[stronger])), stronger
    num_graphs = len(colors["1-wl"])
    for complete in ("2-fwl", "node-marking", "root-and-neighbour-marking"):
        assert len(set(colors[complete])) == num_graphs, complete
    assert len(set(colors["1-wl"])) < num_graphs


@few
@given(some_graphs(), some_graphs(), st.sampled_from(STRONGER))
def test_no_test_is_weaker_than_1_wl(first, second, test):
    batch = Graph.batch([first, second])
    coarse, fine = (node_colors(batch, name, edge=["kind"]).tolist() for name in ("1-wl", test))
    assert len(set(zip(coarse, fine, strict=True))) == len(set(fine))


@pytest.mark.parametrize("seed", range(3))
def test_resistances_are_networkxs(seed):
    network = networkx.connected_watts_strogatz_graph(12, 4, 0.5, seed=seed)
    (matrix,) = adjacency_matrices(labelled(from_networkx(network), None, ()))
    theirs = networkx.resistance_distance(network)
    assert np.allclose(resistances(matrix), [[theirs[i][j] for j in range(12)] for i in range(12)])


def test_nothing_flows_between_pieces():
    (matrix,) = adjacency_matrices(labelled(Graph([[0, 1], [1, 0]], num_nodes=3), None, ()))
    assert resistances(matrix).round(9).tolist() == [[0, 1, -1], [1, 0, -1], [-1, -1, 0]]


def test_features_and_edges_colour_the_start():
    path = Graph([[0, 1, 1, 2], [1, 0, 2, 1]])
    assert partition(color_refinement(path).colors.tolist()) == [0, 1, 0]
    features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 2.0]])
    assert len(set(color_refinement(path, node_labels=features).colors.tolist())) == 3
    sparse = SparseMatrix.from_torch(features.to_sparse())
    assert len(set(color_refinement(path, node_labels=sparse).colors.tolist())) == 3
    assert len(set(color_refinement(path, edge_labels=torch.tensor([5, 5, 5, 6])).colors.tolist())) == 3


def test_a_test_sees_only_the_named_tensors():
    graphs = [Graph([[0, 1], [1, 0]], x=torch.full((2, 1), value)) for value in (0.0, 1.0)]
    assert separates(*graphs)
    assert not separates(*graphs, node=[])


@pytest.mark.parametrize("test", WL_TESTS)
def test_graphs_without_edges_or_nodes(test):
    bare = [Graph(torch.zeros(2, 0, dtype=torch.int64), num_nodes=n) for n in (0, 1, 3)]
    assert len(graph_colors(Graph.batch([*bare, bare[1]]), test).unique()) == 3
    assert node_colors(bare[2], test).tolist() == [0, 0, 0]


def test_wrong_input_is_named():
    one_way = Graph([[0], [1]])
    with pytest.raises(InputError, match="test must be one of 1-wl, oblivious-2-wl"):
        separates(one_way, one_way, "2-wl")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="every edge in both directions"):
        graph_colors(one_way, "resistance-wl")
    with pytest.raises(InputError, match="holds no node tensor 'x'"):
        graph_colors(one_way, node=["x"])
    with pytest.raises(InputError, match="first must be one Graph"):
        separates(Graph.batch([one_way, one_way]), one_way)
    with pytest.raises(InputError, match="3-tuples of nodes"):
        graph_colors(Graph(torch.zeros(2, 0, dtype=torch.int64), num_nodes=1000), "3-fwl")
    with pytest.raises(InputError, match="one set of nodes"):
        color_refinement(Graph([[0], [1]]).adj.from_csr([0, 1], [1], 2))
    with pytest.raises(InputError, match="a row for each of the 2 nodes"):
        color_refinement(one_way, node_labels=torch.zeros(3))
