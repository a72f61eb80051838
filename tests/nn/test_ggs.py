"""Gated graph sequence networks: the likelihood in plain loops, the two ways of training, and a task that is learnt."""

import pytest
import torch
from torch import nn

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.ggs import GGSNN, sequence_loss


def some_batch() -> Graph:
    torch.manual_seed(0)
    edges = [[[0, 1, 2], [1, 2, 0]], [[0], [1]], [[], []]]
    parts = [Graph(ends, x=torch.rand(k, 2)) for ends, k in zip(edges, (3, 4, 1), strict=True)]
    return Graph.batch(parts)


TARGET = torch.tensor([[2, 0], [3, -1], [-1, -1]])


def log_probabilities(output, graph: Graph) -> list[torch.Tensor]:
    """Of each node of each graph, and in the last place of its end."""
    scores = output.score.split(graph.ptr.diff().tolist())
    return [torch.cat([s, e[None]]).log_softmax(0) for s, e in zip(scores, output.end, strict=True)]


def test_loss_is_the_likelihood_of_the_sequences():
    graph = some_batch()
    outputs = GGSNN(2, 6)(graph, 3)
    logs = [log_probabilities(output, graph) for output in outputs]
    wanted = logs[0][0][2] + logs[1][0][0] + logs[2][0][-1]  # nodes 2 and 0, the end
    wanted = wanted + logs[0][1][3] + logs[1][1][-1] + logs[0][2][-1]
    torch.testing.assert_close(sequence_loss(outputs, graph, TARGET), -wanted / 3)


def test_its_own_annotations_or_observed_ones():
    """Observed annotations make every output that of a network asked for it alone; else the gradient runs through."""
    graph, network = some_batch(), GGSNN(2, 6)
    observed = [torch.rand(8, 2), torch.rand(8, 2)]
    outputs = network(graph, 3, observed=observed)
    for k, x in enumerate(observed):
        alone = network.output(x, graph)
        torch.testing.assert_close(outputs[k + 1].score, alone.score)
        torch.testing.assert_close(outputs[k + 1].annotation, alone.annotation)
    last = list(network.annotate.parameters())
    assert all(g is None for g in torch.autograd.grad(outputs[2].score.sum(), last, allow_unused=True))

    latent = network(graph, 3)
    torch.testing.assert_close(latent[1].score, network.output(latent[0].annotation.sigmoid(), graph).score)
    assert all(g.any() for g in torch.autograd.grad(latent[2].score.sum(), last))

    plain = sequence_loss(outputs, graph, TARGET)
    pairs = zip(outputs, observed, strict=False)
    bce = [nn.functional.binary_cross_entropy_with_logits(o.annotation, x) for o, x in pairs]
    wanted = plain + 8 * 2 / 3 * sum(bce)
    torch.testing.assert_close(sequence_loss(outputs, graph, TARGET, observed=observed), wanted)


@pytest.mark.parametrize("shared", [True, False])
def test_one_or_two_gated_graph_networks(shared):
    network = GGSNN(2, 6, shared=shared)
    output = network(some_batch(), 1)[0]
    own = list((network.encoder if shared else network.annotation_encoder).parameters())
    assert all(g.any() for g in torch.autograd.grad(output.annotation.sum(), own))
    if not shared:
        of_score = torch.autograd.grad(network(some_batch(), 1)[0].score.sum(), own, allow_unused=True)
        assert all(g is None for g in of_score)


def test_decoding_takes_the_likeliest_and_stops():
    graph, network, most = some_batch(), GGSNN(2, 6), 4
    for bias in (-0.05, 0.0, 0.1):
        nn.init.constant_(network.end.layers[-1].bias, bias)
        said = network.decode(graph, most)
        outputs = network(graph, most)
        for k, row in enumerate(said.tolist()):
            best = [int(log_probabilities(output, graph)[k].argmax()) for output in outputs]
            count = int(graph.ptr.diff()[k])
            wanted = best[: best.index(count)] if count in best else best
            assert row == wanted + [-1] * (most - len(wanted))


def test_a_graph_without_nodes_says_nothing():
    graph = Graph.batch([Graph([[], []], x=torch.zeros(0, 2)), Graph([[0], [1]], x=torch.ones(2, 2))])
    network = GGSNN(2, 4)
    assert network.decode(graph, 3)[0].tolist() == [-1, -1, -1]
    assert sequence_loss(network(graph, 2), graph, torch.tensor([[-1], [1]])).isfinite()


def test_learns_to_walk_along_a_ring():
    """From a mark to the node after it, and on, three nodes, then the end; from rings of 5 to rings of 8."""

    def ring(size: int, start: int) -> Graph:
        nodes = torch.arange(size)
        x = torch.zeros(size, 3)
        x[start, 0] = 1
        target = torch.tensor([[(start + k) % size for k in (1, 2, 3)]])
        return Graph(torch.stack([nodes, (nodes + 1) % size]), x=x, graph={"target": target})

    torch.manual_seed(0)
    network = GGSNN(3, 8, num_steps=2)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    batch = Graph.batch([ring(5, start) for start in range(5)])
    for _ in range(150):
        optimizer.zero_grad()
        sequence_loss(network(batch, 4), batch, batch.target).backward()
        optimizer.step()
    other = Graph.batch([ring(8, start) for start in range(8)])
    said = network.decode(other, 5)
    assert torch.equal(said[:, :3], other.target)
    assert (said[:, 3:] == -1).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net, graph: net(graph, 0), "num_outputs must be positive"),
        (lambda net, graph: net(graph.x, 1), "called with a Graph"),
        (lambda net, graph: net(graph, 3, observed=[graph.x]), "3 outputs need 2 observed"),
        (lambda net, graph: sequence_loss(net(graph, 1), graph, torch.zeros(2, 1, dtype=torch.int64)), "3 graphs"),
        (lambda net, graph: sequence_loss(net(graph, 1), graph, torch.tensor([[0], [0], [1]])), "within each graph"),
    ],
)
def test_wrong_input_is_named(call, message):
    with pytest.raises(InputError, match=message):
        call(GGSNN(2, 4), some_batch())
