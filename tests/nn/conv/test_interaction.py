"""The interaction network against its equation, an edge at a time."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.nn.conv.interaction import InteractionConv
from tests.nn.compare import NUM_SRC, assert_same, leaf, square


@pytest.mark.parametrize("external", [0, 2])
@pytest.mark.parametrize("edge_channels", [0, 5])
def test_equals_its_equation(edge_channels, external):
    adj, x = square(), leaf(NUM_SRC, 3 + external)
    edge = leaf(adj.num_edges, edge_channels, seed=1) if edge_channels else None
    layer = InteractionConv(
        3, 4, edge_channels, external_channels=external, relation_channels=(8, 7), effect_channels=6, activation="elu"
    ).double()
    parts = layer.relation.lin_src, layer.relation.lin_dst, layer.relation.lin_edge
    weight = torch.cat([part.weight for part in parts if part is not None], 1)

    def plain() -> torch.Tensor:
        effects = [x.new_zeros(6) for _ in range(NUM_SRC)]
        for k, (j, i) in enumerate(adj.edge_index.T.tolist()):
            seen = torch.cat([x[j, :3], x[i, :3], *([] if edge is None else [edge[k]])])
            hidden = torch.nn.functional.elu(seen @ weight.T + layer.relation.bias)
            effects[i] = effects[i] + layer.relation.rest(hidden.unsqueeze(0))[0]
        return layer.object(torch.cat([x, torch.stack(effects)], 1))

    weights = [part.weight for part in parts if part is not None]
    leaves = [x, *([] if edge is None else [edge]), *weights, *layer.object.parameters()]
    assert_same(lambda: layer(x, adj, edge), plain, leaves)


def test_what_acts_from_outside_is_not_seen_by_others():
    adj, x = square(), leaf(NUM_SRC, 4).detach()
    layer = InteractionConv(3, 2, external_channels=1).double()
    moved = x.clone()
    moved[0, 3] += 1
    is_changed = (layer(x, adj) != layer(moved, adj)).any(1)
    assert is_changed.nonzero().flatten().tolist() == [0]


def test_the_widths_of_the_paper():
    layer = InteractionConv(5, 2, 1)
    hidden = [layer.relation.bias.shape[0], *(lin.out_channels for lin in layer.relation.rest.layers)]
    assert hidden == [150, 150, 150, 150, 50]
    assert [lin.out_channels for lin in layer.object.layers] == [100, 2]


def test_wrong_input_is_named():
    adj, x = square(), leaf(NUM_SRC, 3)
    for call, message in (
        (lambda: InteractionConv(3, 2, 5).double()(x, adj), "attributes of the edges; none came"),
        (lambda: InteractionConv(3, 2).double()(x, adj, leaf(adj.num_edges, 5)), "no edge input; give edge_channels"),
        (lambda: InteractionConv(3, 2, external_channels=1).double()(x, adj), "must have 4 columns"),
    ):
        with pytest.raises(InputError, match=message):
            call()
