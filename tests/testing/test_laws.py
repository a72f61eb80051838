"""Each law names the layer that breaks it, and leaves the layer it tries as it was."""

import pytest
import torch
from torch import nn

from grapevine import testing
from grapevine.graph import Adjacency, Graph
from grapevine.ops.spmm import spmm
from grapevine.testing import Case


def graph_of(adj: Adjacency | Graph) -> Adjacency:
    return adj.adj if isinstance(adj, Graph) else adj


class Sound(nn.Module):
    """The sum of the neighbours, through a map; what the broken layers below break."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(3, 4)

    def forward(self, x, adj):
        x_src = x[0] if isinstance(x, tuple) else x
        return spmm(graph_of(adj).pattern, self.lin(x_src))


class ByPosition(Sound):
    def forward(self, x, adj):
        out = super().forward(x, adj)
        return out * torch.arange(out.shape[0]).unsqueeze(1)


class FirstEdgeOnly(Sound):
    def forward(self, x, adj):
        adj = graph_of(adj)
        places = adj.indptr[:-1][adj.in_degree > 0]
        out = torch.zeros(adj.num_nodes, 4, dtype=x.dtype)
        return out.index_copy(0, adj.dst[places], self.lin(x[adj.src[places]]))


class OverTheWholeBatch(Sound):
    def forward(self, x, adj):
        return super().forward(x - x.mean(0), adj)


class MeanWithoutGuard(Sound):
    def forward(self, x, adj):
        adj = graph_of(adj)
        return super().forward(x, adj) / adj.in_degree.unsqueeze(1)


class ByNumberOfSources(Sound):
    def forward(self, x, adj):
        return super().forward(x, adj) / graph_of(adj).num_src


class Detached(Sound):
    def forward(self, x, adj):
        return super().forward(x.detach(), adj)


class Unconnected(Sound):
    def __init__(self):
        super().__init__()
        self.idle = nn.Parameter(torch.ones(2))

    def forward(self, x, adj):
        return super().forward(x, adj) + 0 * self.idle.sum()


class WrongSlope(Sound):
    def forward(self, x, adj):
        out = super().forward(x, adj)
        return out + (out - out.detach())


class Unsaved(Sound):
    """The state holds `shift` in part only: what another layer loads is moved by its own rest."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(4))
        self.register_load_state_dict_pre_hook(lambda module, state, *_: state.update(shift=module.shift.detach()))

    def forward(self, x, adj):
        return super().forward(x, adj) + self.shift


class Drifting(Sound):
    def forward(self, x, adj):
        return super().forward(x, adj) + (torch.rand(()) if self.training else 0) + torch.get_num_threads()


class FirstNode(nn.Module):
    """A readout of one node."""

    def forward(self, x, graph):
        return x[graph.ptr[:-1]]


BROKEN = [
    (testing.check_permutation_equivariance, ByPosition, "renumbering the nodes"),
    (testing.check_permutation_invariance, FirstNode, "renumbering the nodes"),
    (testing.check_edge_order, FirstEdgeOnly, "order of the edges"),
    (testing.check_batched_equals_single, OverTheWholeBatch, "a batch gives"),
    (testing.check_empty_graph, MeanWithoutGuard, "not finite"),
    (testing.check_isolated_nodes, MeanWithoutGuard, "not finite"),
    (testing.check_isolated_nodes, OverTheWholeBatch, "isolated"),
    (testing.check_bipartite, ByNumberOfSources, "a source that nobody hears"),
    (testing.check_gradients, Detached, "x has no gradient"),
    (testing.check_gradients, Unconnected, "the gradient of idle is zero"),
    (testing.check_gradients, WrongSlope, "finite differences"),
    (testing.check_save_and_load, Unsaved, "another output"),
    (testing.check_same_bits, Drifting, "differ in their bits"),
]


@pytest.mark.parametrize(("law", "layer", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_law_is_named(law, layer, message):
    inputs = Case("broken", layer).inputs()
    with pytest.raises(AssertionError, match=message):
        law(layer().double(), *inputs)


@pytest.mark.parametrize("law", testing.laws_of(Case("sound", Sound)), ids=lambda law: law.__name__)
def test_a_sound_layer_obeys_and_stays_as_it_was(law):
    x, adj, edge = Case("sound", Sound).inputs()
    layer = Sound().double()
    before = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
    random_before = torch.get_rng_state()
    law(layer, x, adj, edge)
    assert layer.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in layer.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random_before)


def test_every_law_is_tried_on_a_broken_layer():
    laws = {getattr(testing, name) for name in testing.__all__ if name.startswith("check_")} - {testing.check_case}
    assert laws == {law for law, *_ in BROKEN}


def test_a_layer_of_float32_is_held_to_fewer_digits():
    x, adj, _ = Case("sound", Sound).inputs()
    testing.check_permutation_equivariance(Sound(), x.float(), adj)
    testing.check_gradients(Sound(), x.float(), adj)


def test_unused_parameters_are_named():
    testing.check_gradients(Unconnected(), *Case("idle", Unconnected).inputs(), unused=["idle"])


def test_a_case_draws_what_the_laws_need():
    x, adj, edge = Case("weights", Sound, channels=5, edge_channels=0).inputs()
    assert x.shape == (7, 5)
    assert edge.shape == (adj.num_edges,)
    assert 0 in adj.in_degree
    pairs = adj.edge_index.T.tolist()
    assert any(src == dst for src, dst in pairs)
    assert len(pairs) > len(set(map(tuple, pairs)))


def test_check_case_runs_the_laws_a_case_is_not_exempt_from():
    testing.check_case(Case("sound", Sound))
    testing.check_case(Case("by count", ByNumberOfSources, exempt=(*testing.laws_of(Case("", Sound)),)))
    with pytest.raises(AssertionError):
        testing.check_case(Case("by position", ByPosition))
