"""Learnt readouts and gated graph networks, with the options that change what they compute, for the laws."""

from torch import nn

from grapevine.nn.aggregation.attention import AttentionSum, GatedSum
from grapevine.nn.aggregation.basic import Aggregation
from grapevine.nn.aggregation.deep_sets import DeepSets
from grapevine.nn.aggregation.set2set import Set2Set
from grapevine.nn.aggregation.set_transformer import SetTransformer
from grapevine.nn.aggregation.sort import SortPool
from grapevine.nn.encoder.ggnn import GGNN, GatedSumReadout
from grapevine.nn.ggs import GGSNN
from grapevine.nn.mlp import MLP
from grapevine.nn.readout import Readout
from grapevine.testing import Case, check_bipartite, check_gradients
from tests.nn.cases import Pulled


class ReadStates(nn.Module):
    """A GGNN and the readout of its paper, called as a layer is."""

    def __init__(self):
        super().__init__()
        self.encoder, self.head = GGNN(3, 4, num_steps=2), GatedSumReadout(3, 4, 3)

    def forward(self, x, graph):
        return self.head(self.encoder.all_states(x, graph), graph)


class Scores(nn.Module):
    """The scores of the nodes in the second output of a GGS-NN."""

    def __init__(self, **options: object):
        super().__init__()
        self.network = GGSNN(3, 4, num_steps=2, **options)

    def forward(self, x, graph, edge=None):
        return self.network(graph.replace(x=x), 2, edge)[1].score.unsqueeze(1)


def tanh_mlp(*channels: int) -> MLP:
    return MLP(channels, activation="tanh")


def sets(*, num_seeds: int = 2, **options) -> SetTransformer:
    return SetTransformer(4, heads=2, num_seeds=num_seeds, **options)


READOUTS = {
    "attention": (3, lambda: AttentionSum(3, 5)),
    "attention networks": (3, lambda: AttentionSum(3, 2, gate=tanh_mlp(3, 4, 2), network=tanh_mlp(3, 4, 2))),
    "gated": (3, lambda: GatedSum(3, 5)),
    "gated open": (3, lambda: GatedSum(3, 2, gate=nn.Linear(3, 1), network=tanh_mlp(3, 4, 2), squash=False)),
    "set2set": (3, lambda: Set2Set(3)),
    "set2set layers": (3, lambda: Set2Set(3, num_steps=3, num_layers=2)),
    "sort": (3, lambda: SortPool(3, 2)),
    "deep sets": (3, lambda: DeepSets(tanh_mlp(3, 4, 4), tanh_mlp(4, 4, 2), out_channels=2)),
    "set transformer": (4, sets),
    "set transformer norm": (4, lambda: sets(layer_norm=True, num_decoder_layers=2)),
    "set transformer induced": (4, lambda: sets(num_inducing=3, num_encoder_layers=2)),
    "set transformer pool": (4, lambda: sets(num_seeds=1, num_encoder_layers=0, num_decoder_layers=0)),
}


def readout_case(name: str, channels: int, make) -> Case:
    return Case(f"Readout {name}", lambda: Readout(make()), channels=channels, output="graph")


def in_conv(aggregation: Aggregation) -> Pulled:
    """A layer of the equation whose neighbourhoods are brought together so; messages are 4 wide."""
    layer = Pulled(aggregation)
    layer.lin_update = nn.Linear(3, aggregation.out_channels)
    return layer


_NO_PAIR = (check_bipartite,)
_OF_NODES = (*_NO_PAIR, check_gradients)  # the end's readout has no part in the scores of nodes

CASES = [
    *(readout_case(name, channels, make) for name, (channels, make) in READOUTS.items()),
    Case("MessagePassing attention", lambda: in_conv(AttentionSum(4, 3))),
    Case("MessagePassing gated", lambda: in_conv(GatedSum(4, 3)), edge_channels=0),
    Case("MessagePassing set2set", lambda: in_conv(Set2Set(4, num_steps=3))),
    Case("MessagePassing sort", lambda: in_conv(SortPool(4, 2))),
    Case("MessagePassing deep sets", lambda: in_conv(DeepSets(tanh_mlp(4, 4), tanh_mlp(4, 3), out_channels=3))),
    Case("MessagePassing set transformer", lambda: in_conv(sets())),
    Case("GGNN", lambda: GGNN(3, 5, num_steps=3), exempt=_NO_PAIR),
    Case("GGNN types", lambda: GGNN(3, 5, num_steps=2, edge_channels=4), edge_channels=4, exempt=_NO_PAIR),
    Case("GGNN one way", lambda: GGNN(3, 3, edge_channels=2, directed=False), edge_channels=2, exempt=_NO_PAIR),
    Case("GGNN reset after", lambda: GGNN(3, 5, num_steps=2, reset="after"), exempt=_NO_PAIR),
    Case("GGNN readout", ReadStates, output="graph"),
    Case("GGSNN", Scores, exempt=_OF_NODES),
    Case("GGSNN types", lambda: Scores(edge_channels=2, shared=False), edge_channels=2, exempt=_OF_NODES),
]  # fmt: skip
