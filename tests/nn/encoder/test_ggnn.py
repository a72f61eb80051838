"""Gated graph networks against the paper's block matrix, PyTorch Geometric and torch's GRU."""

import pytest
import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.encoder.ggnn import GGNN, GatedSumReadout
from tests.nn.compare import NUM_SRC, assert_same, leaf, square

TYPES = 3


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def edge_types(adj) -> Tensor:
    return torch.randint(TYPES, (adj.num_edges,), generator=torch.Generator().manual_seed(3))


def block_matrix(network: GGNN, edge_index: Tensor, types: Tensor) -> Tensor:
    """A of the paper as [n, n, 2, d, d]: from what a node hears forwards, then backwards, to every state."""
    d = network.out_channels
    blocks = torch.zeros(NUM_SRC, NUM_SRC, 2, d, d, dtype=torch.float64)
    for (src, dst), kind in zip(edge_index.T.tolist(), types.tolist(), strict=True):
        blocks[dst, src, 0] += network.weight[0, kind]
        blocks[src, dst, 1] += network.weight[1, kind]
    return blocks


def dense(network: GGNN, x: Tensor, blocks: Tensor) -> Tensor:
    """Equations 1 to 6 of Li et al. 2016."""
    d, cell = network.out_channels, network.cell
    w_z, w_r, w = (lin.weight for lin in cell.lin_heard)
    u_z, u_r, u = (lin.weight for lin in cell.lin_state)
    h = torch.cat([x, x.new_zeros(len(x), d - x.shape[1])], 1)
    for _ in range(network.num_steps):
        a = torch.einsum("ijkcd,jd->ikc", blocks, h).flatten(1) + network.bias
        z, r = torch.sigmoid(a @ w_z.T + h @ u_z.T), torch.sigmoid(a @ w_r.T + h @ u_r.T)
        h = (1 - z) * h + z * torch.tanh(a @ w.T + (r * h) @ u.T)
    return h


@pytest.mark.parametrize("form", ["integers", "column", "one-hot"])
def test_the_block_matrix_of_the_paper(form):
    adj = square()
    network, x, types = GGNN(3, 5, num_steps=4, edge_channels=TYPES).double(), leaf(NUM_SRC, 3), edge_types(adj)
    network.bias.data.normal_()
    one_hot = torch.nn.functional.one_hot(types, TYPES).double()
    edge = {"integers": types, "column": types.unsqueeze(1).int(), "one-hot": one_hot}[form]

    def by_hand() -> Tensor:
        return dense(network, x, block_matrix(network, adj.edge_index, types))

    assert_same(lambda: network(x, adj, edge), by_hand, [x, *network.parameters()])


def test_mixed_types_are_mixed_matrices():
    adj, x = square(), leaf(NUM_SRC, 3)
    network, edge = GGNN(3, 4, num_steps=2, edge_channels=TYPES).double(), leaf(adj.num_edges, TYPES, seed=5)

    def mixed() -> Tensor:
        blocks = torch.zeros(NUM_SRC, NUM_SRC, 2, 4, 4, dtype=torch.float64)
        for k in range(adj.num_edges):
            here, there = torch.zeros_like(blocks), torch.zeros_like(blocks)
            here[adj.dst[k], adj.src[k], 0] = 1
            there[adj.src[k], adj.dst[k], 1] = 1
            matrix = torch.einsum("t,ktcd->kcd", edge[k], network.weight)
            blocks = blocks + here * matrix[0] + there * matrix[1]
        return dense(network, x, blocks)

    assert_same(lambda: network(x, adj, edge), mixed, [x, edge, *network.parameters()])


def test_types_beside_an_edge_index_come_in_its_order():
    adj, x = square(), torch.randn(NUM_SRC, 3)
    network, types, order = GGNN(3, 5, edge_channels=TYPES), edge_types(adj), torch.randperm(adj.num_edges)
    out = network(x, adj.edge_index[:, order], types[order])
    torch.testing.assert_close(out, network(x, adj, types))


@pytest.mark.parametrize("in_channels", [3, 5])
def test_pyg(in_channels):
    """One type, heard one way, the reset gate behind the matrix; theirs may have another matrix at each step."""
    conv = pytest.importorskip("torch_geometric.nn", reason="PyTorch Geometric is missing").GatedGraphConv
    theirs, ours = conv(5, 3).double(), GGNN(in_channels, 5, num_steps=3, directed=False, reset="after").double()
    with torch.no_grad():
        theirs.weight.copy_(theirs.weight[:1].clone())
        ours.weight.copy_(theirs.weight[0].T)
    ours.cell.load_state_dict(theirs.rnn.state_dict())
    adj, x = square(), leaf(NUM_SRC, in_channels)
    assert_same(lambda: ours(x, adj), lambda: theirs(x, adj.edge_index), [x])


def test_the_two_places_of_the_reset_gate_differ():
    adj, x = square(), torch.randn(NUM_SRC, 3)
    before, after = GGNN(3, 4, num_steps=1), GGNN(3, 4, num_steps=1, reset="after")
    with torch.no_grad():
        after.weight.copy_(before.weight)
        order = (1, 0, 2)  # torch: reset, update, content; its update gate keeps
        signs = (1, -1, 1)
        heard, state = before.cell.lin_heard, before.cell.lin_state
        after.cell.weight_ih.copy_(torch.cat([s * heard[k].weight for s, k in zip(signs, order, strict=True)]))
        after.cell.weight_hh.copy_(torch.cat([s * state[k].weight for s, k in zip(signs, order, strict=True)]))
        after.cell.bias_ih.zero_()
        after.cell.bias_hh.zero_()
        assert not torch.allclose(before(x, adj), after(x, adj))
        # A diagonal U does not mind: the places are then the same.
        state[2].weight.copy_(torch.diag(torch.tensor([1.0, -2.0, 0.5, 0.0])))
        after.cell.weight_hh[8:].copy_(state[2].weight)
        torch.testing.assert_close(before(x, adj), after(x, adj))


def test_readout_of_the_paper():
    graph = Graph.batch([Graph([[0, 1], [1, 0]], x=torch.randn(3, 2)), Graph([[], []], x=torch.randn(2, 2))])
    encoder, head = GGNN(2, 4), GatedSumReadout(2, 4, 3)
    h, pool = torch.cat([encoder(graph.x, graph), graph.x], 1), head.readout.aggregation
    terms = torch.sigmoid(pool.gate(h)) * torch.tanh(pool.network(h))
    wanted = torch.stack([part.sum(0).tanh() for part in terms.split([3, 2])])
    states = encoder.all_states(graph.x, graph)
    torch.testing.assert_close(head(states, graph), wanted)
    torch.testing.assert_close(head(states, graph, torch.tensor([1])), wanted[1:])


@pytest.mark.parametrize(
    ("network", "edge", "message"),
    [
        (lambda: GGNN(3, 2), None, "must be as wide"),
        (lambda: GGNN(3, 4), torch.zeros(4, 1), "was made for edges of one type"),
        (lambda: GGNN(3, 4, edge_channels=2), None, "needs the types of the edges"),
        (lambda: GGNN(3, 4, edge_channels=2), torch.tensor([0, 1, 2, 0]), "must lie in 0 .. 1"),
        (lambda: GGNN(3, 4, edge_channels=2), torch.zeros(4, 3), "must have 2 columns"),
        (lambda: GGNN(2, 4), None, "must have 2 columns"),
        (lambda: GGNN(3, 4, reset="never"), None, "before or after"),
    ],
)
def test_wrong_input_is_named(network, edge, message):
    with pytest.raises(InputError, match=message):
        network()(torch.zeros(3, 3), torch.tensor([[0, 1, 2, 0], [1, 2, 0, 2]]), edge)
