"""1-WL hashes: against NetworkX's on MUTAG, and whatever the order of the nodes."""

from collections import defaultdict

import networkx
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grapevine.errors import InputError
from grapevine.graph import Graph, from_networkx, to_networkx
from grapevine.graph.hash import graph_hash, hash_rows, mix, wl_colors
from grapevine.ops.sparse import SparseMatrix
from tests.graph.cases import index_of, many, some_graph, square_edges
from tests.graph.mutag import needs_mutag, read_mutag


def partition(hashes: list) -> set[frozenset[int]]:
    """Which places have one hash."""
    places = defaultdict(set)
    for place, value in enumerate(hashes):
        places[value].add(place)
    return {frozenset(group) for group in places.values()}


@needs_mutag
@pytest.mark.parametrize("rounds", [1, 2, 3, 5])
@pytest.mark.parametrize("is_labelled", [True, False])
def test_mutag_falls_apart_as_in_networkx(rounds, is_labelled):
    graphs = read_mutag()
    networks = [to_networkx(graph, names=["z"]).to_undirected() for graph in graphs]
    for network in networks:
        networkx.set_node_attributes(network, dict(network.degree()), "degree")
    name = "z" if is_labelled else "degree"
    expected = [
        networkx.weisfeiler_lehman_graph_hash(network, node_attr=name, iterations=rounds) for network in networks
    ]
    batch = Graph.batch(graphs)  # without labels our first round only finds the degrees
    ours = (
        graph_hash(batch, rounds=rounds, node=["z"]) if is_labelled else graph_hash(batch, rounds=rounds + 1, node=[])
    )
    assert partition(ours.tolist()) == partition(expected)
    assert 40 < len(partition(expected)) < 188  # there are duplicates, and not only


@many
@given(square_edges(), st.randoms(use_true_random=False), st.integers(0, 4))
def test_the_order_of_nodes_and_edges_does_not_count(case, random, rounds):
    edges, num_nodes = case
    x, weight = torch.randint(3, (num_nodes, 2)).float(), torch.randint(3, (len(edges),)).float()
    where = random.sample(range(num_nodes), num_nodes)
    order = random.sample(range(len(edges)), len(edges))
    graph = Graph(index_of(edges), x=x, edge_weight=weight)
    moved_edges = [(where[edges[k][0]], where[edges[k][1]]) for k in order]
    moved = Graph(
        index_of(moved_edges), x=torch.empty_like(x).index_copy_(0, torch.tensor(where), x), edge_weight=weight[order]
    )
    both = graph_hash(Graph.batch([graph, moved]), rounds=rounds, edge=["edge_weight"])
    assert both[0] == both[1]
    assert torch.equal(both[:1], graph_hash(graph, rounds=rounds, edge=["edge_weight"]))
    colors = [wl_colors(one, rounds=rounds) for one in (graph, moved)]
    assert torch.equal(colors[0], colors[1][torch.tensor(where)])


def test_what_1_wl_can_and_can_not_tell_apart():
    ring, triangles = networkx.cycle_graph(6), networkx.disjoint_union(*[networkx.cycle_graph(3)] * 2)
    rook = networkx.line_graph(networkx.complete_bipartite_graph(4, 4))
    shrikhande = networkx.from_edgelist(
        ((a, b), ((a + da) % 4, (b + db) % 4))
        for a in range(4) for b in range(4) for da, db in [(0, 1), (1, 0), (1, 1)]
    )  # fmt: skip
    path = networkx.path_graph(6)
    a, b, c, d, e = graph_hash(Graph.batch([from_networkx(g) for g in (ring, triangles, rook, shrikhande, path)]))
    assert a == b  # both are regular of degree 2
    assert c == d
    assert len({a.item(), c.item(), e.item()}) == 3


def test_labels_directions_and_sizes_count():
    path = Graph([[0, 1], [1, 2]], x=torch.tensor([[0.0], [1.0], [2.0]]), edge_weight=torch.tensor([1.0, 2.0]))
    others = [
        path.replace(x=torch.tensor([[0.0], [1.0], [3.0]])),
        Graph(path.adj.reverse(), x=path.x, edge_weight=path.edge_weight),
        Graph([[0, 1], [1, 2]], x=torch.tensor([[0.0], [1.0], [2.0], [0.0]]), edge_weight=torch.tensor([1.0, 2.0])),
        path.replace(edge_weight=torch.tensor([2.0, 1.0])),
    ]
    ours, *theirs = graph_hash(Graph.batch([path, *others]), edge=["edge_weight"]).tolist()
    assert ours not in theirs
    assert graph_hash(path)[0] == graph_hash(others[-1])[0]  # unless asked to look at the edges
    away, towards = Graph([[0, 0], [1, 2]]), Graph([[1, 2], [0, 0]])
    assert graph_hash(away) != graph_hash(towards)


def test_rows():
    graph, sparse = some_graph(7, 5), some_graph(7, 5, is_sparse=True)
    assert torch.equal(hash_rows(graph.x.relu()), hash_rows(sparse.x))
    assert torch.equal(graph_hash(graph.replace(x=graph.x.relu())), graph_hash(sparse))
    assert hash_rows(torch.tensor([[0.0], [-0.0]])).tolist() == [0, 0]
    assert hash_rows(torch.zeros(3, 0)).tolist() == [0, 0, 0]
    turned = SparseMatrix.from_torch(torch.tensor([[0.0, 5.0], [6.0, 0.0]]).to_sparse())
    assert torch.equal(hash_rows(turned), hash_rows(turned.to_dense()))
    assert len(hash_rows(torch.arange(1, 100001)).unique()) == 100000


def test_mix_is_splitmix64():
    def by_definition(z: int) -> int:  # with Python's unbounded integers
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) % 2**64
        return z ^ (z >> 31)

    keys = [0, 1, 12345, 2**40 + 7, 2**63 - 1, -1, -(2**63)]
    assert [value % 2**64 for value in mix(torch.tensor(keys)).tolist()] == [by_definition(k % 2**64) for k in keys]


def test_wrong_input_is_refused():
    with pytest.raises(InputError, match="rounds must not be negative"):
        graph_hash(Graph([[0], [1]]), rounds=-1)
    with pytest.raises(InputError, match="holds no node tensor 'x', it holds none"):
        graph_hash(Graph([[0], [1]]), node=["x"])
    with pytest.raises(InputError, match="holds no edge tensor 'kind'"):
        graph_hash(Graph([[0], [1]]), edge=["kind"])
