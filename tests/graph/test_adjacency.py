"""The adjacency against plain Python on lists of edges; wrong input; time; torch.compile."""

import copy
import pickle
import statistics
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph, as_adjacency
from grapevine.ops.spmm import spmm
from tests.graph.cases import bipartite_edges, index_of, many, square_edges

WEB = Path(__file__).parents[2].parent / "shared" / "data" / "web" / "cnr2000_csr.npz"


def arcs(adj: Adjacency) -> list[tuple[int, int]]:
    return list(map(tuple, adj.edge_index.T.tolist()))


@many
@given(bipartite_edges())
def test_edges_are_sorted_by_target(case):
    edges, num_src, num_dst = case
    adj = Adjacency(index_of(edges), size=(num_src, num_dst))
    order = sorted(range(len(edges)), key=lambda e: edges[e][1])
    assert adj.edge_id.tolist() == order
    assert arcs(adj) == [edges[e] for e in order]
    assert (adj.num_src, adj.num_dst, adj.num_edges) == (num_src, num_dst, len(edges))
    assert adj.in_degree.tolist() == [sum(i == k for _, i in edges) for k in range(num_dst)]
    assert adj.out_degree.tolist() == [sum(j == k for j, _ in edges) for k in range(num_src)]
    assert adj.indptr.diff().tolist() == adj.in_degree.tolist()
    assert [adj.src.tolist(), adj.dst.tolist()] == adj.edge_index.tolist()


@many
@given(bipartite_edges())
def test_reverse_points_to_the_input(case):
    edges, num_src, num_dst = case
    turned = Adjacency(index_of(edges), size=(num_src, num_dst)).reverse()
    assert (turned.num_src, turned.num_dst) == (num_dst, num_src)
    assert arcs(turned) == [edges[e][::-1] for e in turned.edge_id.tolist()]
    assert turned.dst.tolist() == sorted(turned.dst.tolist())
    back = turned.reverse()
    assert arcs(back) == [edges[e] for e in back.edge_id.tolist()]


@many
@given(square_edges())
def test_missing_self_loops_are_added(case):
    edges, num_nodes = case
    adj = Adjacency(index_of(edges), num_nodes)
    looped = adj.with_self_loops()
    loops = [(i, i) for i in range(num_nodes) if (i, i) not in edges]
    assert Counter(arcs(looped)) == Counter(edges + loops)
    carried = (arcs(adj) + loops, looped.edge_id.tolist())
    assert [carried[0][e] for e in carried[1]] == arcs(looped)
    assert looped.with_self_loops().edge_id.tolist() == list(range(looped.num_edges))


@many
@given(square_edges())
def test_self_loops_are_removed(case):
    edges, num_nodes = case
    adj = Adjacency(index_of(edges), num_nodes)
    bare = adj.without_self_loops()
    assert arcs(bare) == [(j, i) for j, i in arcs(adj) if i != j]
    assert [arcs(adj)[e] for e in bare.edge_id.tolist()] == arcs(bare)
    assert bare.num_nodes == num_nodes


@many
@given(square_edges())
def test_symmetry_counts_edges(case):
    edges, num_nodes = case
    count = Counter(edges)
    expected = all(count[i, j] == number for (j, i), number in count.items())
    assert Adjacency(index_of(edges), num_nodes).is_symmetric() == expected
    both_ways = edges + [(i, j) for j, i in edges]
    assert Adjacency(index_of(both_ways), num_nodes).is_symmetric()


def test_no_bipartite_adjacency_is_symmetric():
    assert not Adjacency([[0], [1]], size=(2, 3)).is_symmetric()
    assert not Adjacency([[], []], size=(2, 3)).is_symmetric()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gcn_scale(dtype):
    adj = Adjacency([[0, 1, 2, 0], [1, 1, 1, 2]], num_nodes=4)
    expected = torch.tensor([0, 3**-0.5, 1, 0], dtype=dtype)
    for scale in adj.gcn_scale(dtype):
        torch.testing.assert_close(scale, expected)
    src_scale, dst_scale = Adjacency([[0, 0, 1], [0, 1, 1]], size=(2, 3)).gcn_scale(dtype)
    torch.testing.assert_close(src_scale, torch.tensor([2**-0.5, 1], dtype=dtype))
    torch.testing.assert_close(dst_scale, torch.tensor([1, 2**-0.5, 0], dtype=dtype))


@many
@given(bipartite_edges())
def test_compressed_rows_need_no_sort(case):
    edges, num_src, num_dst = case
    adj = Adjacency(index_of(edges), size=(num_src, num_dst))
    same = Adjacency.from_csr(adj.indptr, adj.src, num_src)
    assert torch.equal(same.edge_index, adj.edge_index)
    assert same.edge_id.tolist() == list(range(len(edges)))
    turned = same.reverse()
    assert arcs(turned) == [arcs(same)[e][::-1] for e in turned.edge_id.tolist()]


def test_what_edges_may_be_given_as():
    expected = Adjacency(torch.tensor([[0, 2], [1, 0]])).edge_index
    read_only = np.array([[0, 2], [1, 0]])
    read_only.flags.writeable = False
    for edges in (
        [[0, 2], [1, 0]],
        ((0, 2), (1, 0)),
        read_only,
        np.array([[0, 2], [1, 0]], ">i2"),
        torch.tensor([[0, 2], [1, 0]], dtype=torch.int32),
        torch.tensor([[0, 1], [2, 0]]).T,
    ):
        adj = Adjacency(edges)
        assert torch.equal(adj.edge_index, expected)
        assert adj.edge_index.dtype == adj.edge_id.dtype == adj.in_degree.dtype == adj.indptr.dtype == torch.int64
        assert adj.pattern.indices.dtype == torch.int32


def test_numbers_of_nodes():
    assert Adjacency([[0, 2], [1, 0]]).num_nodes == 3
    assert Adjacency([[0, 2], [1, 0]], np.int64(5)).num_nodes == 5
    assert Adjacency([[], []]).num_nodes == 0
    assert Adjacency([[], []], 4).in_degree.tolist() == [0, 0, 0, 0]
    with pytest.raises(InputError, match=r"num_nodes must be asked of a square adjacency.*2 -> 3"):
        _ = Adjacency([[0], [0]], size=(2, 3)).num_nodes


def test_repr():
    assert repr(Adjacency([[0, 1], [1, 0]], num_nodes=5)) == "Adjacency(5 nodes, 2 edges)"
    assert repr(Adjacency([[0, 1], [1, 0]], size=(3, 2))) == "Adjacency(3 -> 2 nodes, 2 edges)"


WRONG = [
    ([[0, 5], [1, 0]], {"num_nodes": 5}, r"sources.* must lie in 0 \.\. 4 .*got 5"),
    ([[0, 1], [1, 5]], {"num_nodes": 5}, r"targets.* must lie in 0 \.\. 4 .*got 5"),
    ([[0, -1], [1, 0]], {}, r"sources.* must lie in 0 \.\. 1 .*got -1"),
    ([[-3], [-3]], {}, "got -3"),
    ([[0], [3]], {"size": (9, 3)}, r"targets.* must lie in 0 \.\. 2 .*got 3"),
    ([[3], [0]], {"size": (3, 9)}, r"sources.* must lie in 0 \.\. 2 .*got 3"),
    ([[0], [0]], {"num_nodes": 0}, "got 0"),
    ([0, 1], {}, "2 dimensions"),
    ([[0, 1], [1, 0], [2, 2]], {}, r"shape \[2, e\].*\(3, 2\)"),
    ([[0, 1], [1]], {}, "rows of integers of one length"),
    ([[0.0, 1.0], [1.0, 0.0]], {}, "integers, got list of dtype float64"),
    ([["a"], ["b"]], {}, "integers, got list"),
    (None, {}, "integers, got NoneType"),
    (torch.zeros(2, 3), {}, "dtype int64, int32, got float32"),
    (torch.zeros(2, 3, dtype=torch.int16), {}, "got int16"),
    (torch.zeros(2, 3, dtype=torch.int64).to_sparse(), {}, "dense tensor"),
    ([[0], [0]], {"num_nodes": -1}, "must not be negative, got -1"),
    ([[0], [0]], {"num_nodes": 2.0}, "whole number, got 2.0"),
    ([[0], [0]], {"num_nodes": 2, "size": (2, 2)}, "not both"),
    ([[0], [0]], {"size": 2}, r"\(num_src, num_dst\), got 2"),
    ([[0], [0]], {"size": (2, 2, 2)}, r"\(num_src, num_dst\)"),
    ([[0], [0]], {"size": (2, None)}, "whole number, got None"),
]


@pytest.mark.parametrize(("edges", "sizes", "message"), WRONG)
def test_wrong_edges(edges, sizes, message):
    with pytest.raises(InputError, match=message):
        Adjacency(edges, **sizes)


@pytest.mark.parametrize(
    ("indptr", "src", "num_src", "message"),
    [
        ([0, 2], [0], 3, "from 0 to the 1 entries"),
        ([0, 2, 1, 2], [0, 1], 3, "never fall"),
        ([0, 1], [3], 3, r"0 \.\. 2"),
        ([0, 1], [-1], 3, "got -1"),
        ([], [], 3, "got none"),
        ([0, 1], [0], -3, "must not be negative"),
        ([0, 1], [0.5], 3, "src must hold integers"),
        ([[0, 1]], [0], 3, "1 dimensions"),
    ],
)
def test_wrong_compressed_rows(indptr, src, num_src, message):
    with pytest.raises(InputError, match=message):
        Adjacency.from_csr(indptr, src, num_src)


@pytest.mark.parametrize("method", ["with_self_loops", "without_self_loops"])
def test_a_bipartite_adjacency_has_no_self_loops(method):
    with pytest.raises(InputError, match="square"):
        getattr(Adjacency([[0], [0]], size=(2, 3)), method)()


def test_what_layers_are_given():
    adj = Adjacency([[0, 1], [1, 0]], size=(2, 3))
    assert as_adjacency(adj) is adj
    assert as_adjacency(adj, num_src=2, num_dst=3) is adj
    square = Graph([[0], [1]])
    assert as_adjacency(square, 2, 2) is square.adj
    assert as_adjacency(adj.edge_index, 4, 5).num_src == 4
    assert as_adjacency(adj.edge_index).num_nodes == 2
    for wrong, sizes, message in (
        (adj, {"num_src": 3}, r"2 -> 3 nodes, 2 edges\) takes features of 2 sources, got 3 rows"),
        (adj, {"num_dst": 2}, "of 3 targets, got 2 rows"),
        (square, {"num_src": 1, "num_dst": 2}, "of 2 sources, got 1 rows"),
        (adj.edge_index, {"num_src": 1, "num_dst": 2}, "sources"),
        (adj.edge_index, {"num_src": 1}, "both"),
        ([[0], [1]], {}, "an Adjacency, a Graph or an edge_index tensor, got list"),
        (None, {}, "got NoneType"),
    ):
        with pytest.raises(InputError, match=message):
            as_adjacency(wrong, **sizes)


def test_results_are_kept():
    adj = Adjacency([[0, 1, 1], [1, 0, 1]])
    for get in (
        lambda: adj.edge_index,
        lambda: adj.in_degree,
        adj.reverse,
        adj.with_self_loops,
        lambda: adj.gcn_scale(torch.float32)[0],
    ):
        assert get() is get()
    assert adj.gcn_scale(torch.float64)[0].dtype == torch.float64


def test_what_validation_makes_first_training_uses_later():
    with torch.inference_mode():
        adj = Adjacency([[0, 1, 1], [1, 0, 1]])
        looped = adj.with_self_loops()
        scale, _ = looped.gcn_scale(torch.float32)
    x = torch.ones(2, 1, requires_grad=True)
    spmm(looped.pattern, x, col_scale=scale).sum().backward()
    assert x.grad is not None


def test_to_another_device():
    adj = Adjacency([[0, 1, 1], [1, 0, 1]])
    assert adj.to("cpu") is adj
    moved = adj.to("meta")
    assert moved.device.type == "meta"
    assert moved.edge_id.device.type == "meta"


def test_copies():
    adj = Adjacency([[0, 1, 1], [1, 0, 1]])
    adj.reverse()
    for same in (copy.deepcopy(adj), pickle.loads(pickle.dumps(adj))):
        assert torch.equal(same.edge_index, adj.edge_index)
        assert torch.equal(same.edge_id, adj.edge_id)


def test_compiles_without_a_break():
    adj = Adjacency([[0, 1, 1, 3], [1, 0, 1, 2]])

    @torch.compile(fullgraph=True, backend="aot_eager")
    def propagate(adj, x):
        looped = adj.with_self_loops()
        src_scale, dst_scale = looped.gcn_scale(x.dtype)
        return spmm(looped.pattern, x, row_scale=dst_scale, col_scale=src_scale) * adj.num_nodes

    looped = adj.with_self_loops()
    scale = looped.gcn_scale(torch.float64)[0]
    dense = torch.zeros(4, 4, dtype=torch.float64)
    dense[looped.dst, looped.src] = scale[looped.dst] * scale[looped.src] * 4
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    out = propagate(adj, x)
    torch.testing.assert_close(out, dense @ x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, dense.sum(0).unsqueeze(1).expand(4, 3))


@pytest.mark.skipif(not WEB.exists(), reason="the web graph is not at ../shared/data/web")
def test_building_takes_no_longer_than_a_sort():
    """PyTorch's stable sort of the same keys, and 50 ms a million arcs on top: medians, both timed in turn."""
    with np.load(WEB) as file:
        indptr, targets = torch.from_numpy(file["indptr"]), torch.from_numpy(file["indices"]).long()
    sources = torch.arange(len(indptr) - 1).repeat_interleave(indptr.diff())
    edge_index = torch.stack([sources, targets])
    Adjacency(edge_index[:, :1000], num_nodes=len(indptr) - 1)  # compiles
    times = {"build": [], "sort": []}
    for _ in range(5):
        for name, run in (
            ("build", lambda: Adjacency(edge_index, num_nodes=len(indptr) - 1)),
            ("sort", lambda: edge_index[1].sort(stable=True)),
        ):
            begin = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begin)
    allowed = statistics.median(times["sort"]) + 0.050 * len(targets) / 1e6
    assert statistics.median(times["build"]) < allowed
