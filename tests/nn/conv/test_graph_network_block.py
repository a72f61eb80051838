"""The graph network block against its three equations, an edge, a node and a graph at a time."""

import pytest
import torch
from torch import Tensor

from grapevine.errors import InputError
from grapevine.graph import Adjacency, Graph
from grapevine.nn.conv.graph_network_block import EdgeUpdate, GraphNetworkBlock, GraphState, NodeUpdate, Updates, Widths
from grapevine.nn.edge_mlp import EdgeMLP
from grapevine.nn.encoder.graph_network import GraphNetwork
from tests.nn.compare import leaf, random_edges

WIDTHS = Widths(3, 2, 5)
VARIANTS = {
    "full": Updates.full(4),
    "full mean": Updates.full(4, aggregation="mean"),
    "independent": Updates.independent(4),
    "message passing": Updates.message_passing(4),
    "non-local": Updates.non_local(4),
    "relation network": Updates.relation_network(4),
    "deep set": Updates.deep_set(4),
    "nodes only": Updates(node=NodeUpdate(4, aggregation="max")),
}


def batch() -> Graph:
    parts = [
        Graph(random_edges(4, 4, 10), num_nodes=4),
        Graph([[0, 1], [1, 0]], num_nodes=3),
        Graph([[], []], num_nodes=1),
    ]
    return Graph.batch(parts)


def state_of(graph: Graph, widths: Widths = WIDTHS) -> GraphState:
    counts = graph.num_nodes, graph.num_edges, graph.num_graphs
    return GraphState(*(leaf(n, w, seed=n + w) if w else None for n, w in zip(counts, widths, strict=True)))


def together(rows: list[Tensor], how: str, width: int) -> Tensor:
    if not rows:
        return torch.zeros(width, dtype=torch.float64)
    stacked = torch.stack(rows)
    return {"sum": stacked.sum(0), "mean": stacked.mean(0), "max": stacked.amax(0)}[how]


def of_edge(network: EdgeMLP, parts: list[Tensor]) -> Tensor:
    maps = [m.weight for m in (network.lin_src, network.lin_dst, network.lin_edge) if m is not None]
    hidden = (torch.cat(parts) @ torch.cat(maps, 1).T + network.bias).tanh()
    return network.rest(hidden.unsqueeze(0))[0]


def plain(block: GraphNetworkBlock, state: GraphState, graph: Graph) -> GraphState:
    """The paper's algorithm 1."""
    update, ends, graph_id = block.updates, graph.adj.edge_index.T.tolist(), graph.graph_id
    node, edge, u = state.node, state.edge, state.graph
    shares = torch.ones(len(ends), dtype=torch.float64)
    if update.edge is not None:
        rows = []
        for k, (j, i) in enumerate(ends):
            seen = [node[j], node[i]] if update.edge.ends else []
            seen += [u[graph_id[i]]] if update.edge.graph else []
            seen += [edge[k]] if update.edge.edge else []
            rows.append(of_edge(block.edge_network, seen))
        edge = torch.stack(rows)
        if update.edge.attention:
            for i in range(graph.num_nodes):
                here = [k for k, (_, target) in enumerate(ends) if target == i]
                shares[here] = edge[here, 0].softmax(0)
            edge = edge[:, 1:]
    if update.node is not None:
        rows = []
        for i in range(graph.num_nodes):
            heard = [shares[k] * edge[k] for k, (_, target) in enumerate(ends) if target == i]
            seen = [together(heard, update.node.aggregation, edge.shape[1])] if update.node.edges else []
            seen += [node[i]] if update.node.node else []
            seen += [u[graph_id[i]]] if update.node.graph else []
            rows.append(torch.cat(seen))
        node = block.node_network(torch.stack(rows))
    if update.graph is not None:
        rows = []
        for g in range(graph.num_graphs):
            edges = [edge[k] for k, (_, target) in enumerate(ends) if graph_id[target] == g]
            nodes = [node[i] for i in range(graph.num_nodes) if graph_id[i] == g]
            seen = [together(edges, update.graph.aggregation, edge.shape[1])] if update.graph.edges else []
            seen += [together(nodes, update.graph.aggregation, node.shape[1])] if update.graph.nodes else []
            seen += [u[g]] if update.graph.graph else []
            rows.append(torch.cat(seen))
        u = block.graph_network(torch.stack(rows))
    return GraphState(node, edge, u)


@pytest.mark.parametrize("name", VARIANTS)
def test_equals_the_algorithm_of_the_paper(name):
    torch.manual_seed(0)
    block = GraphNetworkBlock(WIDTHS, VARIANTS[name], hidden_channels=6, activation="tanh").double()
    graph = batch()
    state = state_of(graph)
    got, wanted = block(state, graph), plain(block, state, graph)
    for part, width in zip(("node", "edge", "graph"), block.out_widths, strict=True):
        torch.testing.assert_close(getattr(got, part), getattr(wanted, part))
        assert getattr(got, part).shape[1] == width
    loss = sum(getattr(got, part).square().sum() for part in ("node", "edge", "graph"))
    loss.backward()
    assert all(p.grad is not None for p in block.parameters())


def test_what_is_not_there_is_not_seen():
    block = GraphNetworkBlock(Widths(3, 0, 0), Updates.full(4)).double()
    graph = batch()
    out = block(state_of(graph, Widths(3, 0, 0)), graph)
    assert [out.node.shape, out.edge.shape, out.graph.shape] == [(8, 4), (graph.num_edges, 4), (3, 4)]


def test_an_adjacency_is_one_graph():
    adj = Adjacency(random_edges(4, 4, 10), num_nodes=4)
    block = GraphNetworkBlock(WIDTHS, Updates.full(4)).double()
    state = state_of(Graph(adj))
    torch.testing.assert_close(block(state, adj).graph, block(state, Graph(adj)).graph)


@pytest.mark.parametrize("residual", [True, False])
def test_a_network_applies_its_block_again_and_again(residual):
    graph, network = batch(), GraphNetwork(3, 4, 2, num_steps=2, residual=residual).double()
    x, edge = leaf(8, 3), leaf(graph.num_edges, 2, seed=1)
    zero = torch.zeros(3, 4, dtype=torch.float64)
    state = GraphState(network.node_encoder(x), network.edge_encoder(edge), zero)
    states, runs = network.all_states(x, graph, edge), list(network.run(x, graph, edge))
    assert len(states) == len(runs) == 3
    for k in (1, 2):
        new = network.block(state, graph)
        old = state if residual else GraphState(zero.new_zeros(8, 4), zero.new_zeros(graph.num_edges, 4), zero)
        state = GraphState(old.node + new.node, old.edge + new.edge, old.graph + new.graph)
        torch.testing.assert_close(states[k], state.node)
        torch.testing.assert_close(runs[k].graph, state.graph)


def test_what_has_no_update_stays():
    graph = batch()
    updates = Updates(EdgeUpdate(4, graph=False), NodeUpdate(4, graph=False))
    network = GraphNetwork(3, 4, updates=updates).double()
    *_, last = network.run(leaf(8, 3), graph)
    assert not bool(last.graph.any())


def test_wrong_input_is_named():
    graph = batch()
    state, block = state_of(graph), GraphNetworkBlock(WIDTHS, Updates.full(4)).double()
    for call, message in (
        (lambda: block(GraphState(state.node, state.edge), graph), "graph states 5 wide, got none"),
        (lambda: block(GraphState(state.node, state.edge, state.graph[:2]), graph), "row for each of the 3 graphs"),
        (lambda: block(state, graph.adj.edge_index), "takes an Adjacency or a Graph"),
        (lambda: GraphNetworkBlock(Widths(3, 0, 0), Updates(node=NodeUpdate(4, node=False))), "sees nothing"),
        (lambda: GraphNetwork(3, 4, updates=Updates.full(5)), "all 4 wide"),
        (lambda: GraphNetwork(3, 4, 2).double()(leaf(8, 3), graph), "needs edge features"),
        (lambda: GraphNetwork(3, 4).double()(leaf(8, 3), graph, state.edge), "no edge input"),
    ):
        with pytest.raises(InputError, match=message):
            call()
