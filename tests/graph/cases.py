"""Small random edge lists and graphs to test on: isolated nodes, repeated edges, self-loops, no edges."""

import torch
from hypothesis import settings
from hypothesis import strategies as st

from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix

many = settings(deadline=None)  # the first example may compile a kernel


@st.composite
def bipartite_edges(draw) -> tuple[list[tuple[int, int]], int, int]:
    """Edges (source, target), and the numbers of sources and targets."""
    num_src, num_dst = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    edge = st.tuples(st.integers(0, num_src - 1), st.integers(0, num_dst - 1))
    return draw(st.lists(edge, max_size=20)), num_src, num_dst


@st.composite
def square_edges(draw) -> tuple[list[tuple[int, int]], int]:
    """Edges (source, target), and the number of nodes."""
    num_nodes = draw(st.integers(1, 6))
    node = st.integers(0, num_nodes - 1)
    return draw(st.lists(st.tuples(node, node), max_size=20)), num_nodes


def index_of(edges: list[tuple[int, int]]) -> torch.Tensor:
    """The edge_index of a list of edges."""
    return torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T


def some_graph(num_nodes: int, num_edges: int, *, seed: int = 0, is_sparse: bool = False) -> Graph:
    """A random graph with a tensor of every kind."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    x = random(num_nodes, 5)
    return Graph(
        torch.randint(max(num_nodes, 1), (2, num_edges), generator=generator),
        x=SparseMatrix.from_torch((x * (x > 0)).to_sparse()) if is_sparse else x,
        pos=random(num_nodes, 3),
        z=torch.randint(9, (num_nodes,), generator=generator),
        train_mask=random(num_nodes) > 0,
        edge_weight=random(num_edges),
        edge_attr=random(num_edges, 2),
        num_nodes=num_nodes,
        graph={"y": random(1), "global_attr": random(1, 4)},
    )


def assert_equal(left: Graph, right: Graph) -> None:
    """The same nodes, edges in the same order and tensors."""
    assert left.levels == right.levels
    assert left.num_nodes == right.num_nodes
    for name in ("edge_index", "edge_id", "indptr"):
        assert torch.equal(getattr(left.adj, name), getattr(right.adj, name)), name
    assert torch.equal(left.ptr, right.ptr)
    for name in left.levels:
        tensors = [getattr(graph, name) for graph in (left, right)]
        a, b = (t.to_dense() if isinstance(t, SparseMatrix) else t for t in tensors)
        assert a.dtype == b.dtype, name
        assert torch.equal(a, b), name
