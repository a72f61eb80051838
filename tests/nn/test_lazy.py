"""A width left open is taken from the first input, or from the state that is loaded before there was one."""

import copy
import io
import pickle

import pytest
import torch
from torch import nn
from torch.nn.parameter import UninitializedParameter

from grapevine import nn as gnn
from grapevine.errors import InputError
from tests.nn.compare import NUM_DST, NUM_SRC, bipartite, leaf, square

OPEN = {
    "GCN": lambda: gnn.GCNConv(-1, 4),
    "SAGE": lambda: gnn.SAGEConv(-1, 4),
    "SAGE pool": lambda: gnn.SAGEConv(-1, 4, aggregation="pool"),
    "GAT": lambda: gnn.GATConv(-1, 4, heads=2),
    "GATv2": lambda: gnn.GATv2Conv(-1, 4, heads=2),
    "GATv2 one map": lambda: gnn.GATv2Conv(-1, 4, share_weights=True),
    "GIN": lambda: gnn.GINConv(gnn.MLP([-1, 4, 2])),
    "Linear": lambda: gnn.Linear(-1, 4),
    "MLP": lambda: gnn.MLP([-1, 8, 4]),
    "GNN": lambda: gnn.GNN([gnn.GCNConv(-1, 8), gnn.SAGEConv(-1, 4)]),
}


def is_open(layer: nn.Module) -> bool:
    return any(isinstance(parameter, UninitializedParameter) for parameter in layer.parameters())


def call(layer: nn.Module) -> torch.Tensor:
    x = leaf(NUM_SRC, 5, dtype=torch.float32)
    return layer(x) if isinstance(layer, gnn.Linear) else layer(x, square())


@pytest.fixture(params=OPEN)
def make(request):
    torch.manual_seed(0)
    return OPEN[request.param]


def test_the_first_input_gives_the_width(make):
    layer = make()
    assert is_open(layer)
    out = call(layer)
    assert not is_open(layer)
    assert torch.equal(call(layer), out)
    assert all(parameter.isfinite().all() for parameter in layer.parameters())


def test_an_open_layer_loads_a_state(make):
    layer, other = make(), make()
    wanted = call(layer)
    assert is_open(other)
    other.load_state_dict(layer.state_dict())
    assert not is_open(other)
    assert torch.equal(call(other), wanted)


def test_copies_of_an_open_layer_stand_alone(make):
    layer = make()
    copied, pickled = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))
    state = make()
    wanted = call(state)
    copied.load_state_dict(state.state_dict())
    assert is_open(layer)
    assert is_open(pickled)
    assert torch.equal(call(copied), wanted)
    call(pickled)
    assert is_open(layer)


def test_a_saved_model_is_loaded_into_an_open_one(make):
    layer, other = make(), make()
    wanted, saved = call(layer), io.BytesIO()
    torch.save(layer.state_dict(), saved)
    saved.seek(0)
    other.load_state_dict(torch.load(saved, weights_only=True))
    assert torch.equal(call(other), wanted)


def test_an_optimizer_made_before_the_first_input_trains(make):
    layer = make()
    optimizer = torch.optim.Adam(layer.parameters())
    before = call(layer)
    before.square().sum().backward()
    optimizer.step()
    assert not torch.equal(call(layer), before)


def test_a_width_taken_in_inference_mode_is_trained_later(make):
    layer = make()
    with torch.inference_mode():
        call(layer)
    call(layer).square().sum().backward()
    assert all(parameter.grad is not None for parameter in layer.parameters())


def test_the_weights_keep_the_dtype_of_the_layer(make):
    layer = make().double()
    with pytest.raises(InputError, match="float32"):
        call(layer)  # of a float32 input
    assert all(parameter.dtype == torch.float64 for parameter in layer.parameters())


@pytest.mark.parametrize("make_pair", [gnn.SAGEConv, gnn.GATConv, gnn.GATv2Conv])
def test_both_widths_of_a_pair(make_pair):
    x = leaf(NUM_SRC, 5, dtype=torch.float32), leaf(NUM_DST, 3, dtype=torch.float32)
    layer, other = make_pair((-1, -1), 4), make_pair((-1, -1), 4)
    wanted = layer(x, bipartite())
    other.load_state_dict(layer.state_dict())
    assert torch.equal(other(x, bipartite()), wanted)


def test_a_state_of_another_width_is_refused():
    layer = gnn.Linear(-1, 4)
    with pytest.raises(RuntimeError, match="size mismatch"):
        layer.load_state_dict(gnn.Linear(5, 3).state_dict())


def test_the_width_stays_what_it_became():
    layer = gnn.Linear(-1, 4)
    layer(torch.ones(2, 5))
    assert layer.in_channels == 5
    assert repr(layer) == "Linear(5, 4, bias=True)"
    with pytest.raises(InputError, match="5 columns"):
        layer(torch.ones(2, 6))


@pytest.mark.parametrize("x", [None, [1.0], torch.ones(3), torch.ones(3, 2).long(), torch.ones(())])
def test_a_wrong_first_input_leaves_the_width_open(x):
    layer = gnn.Linear(-1, 4)
    with pytest.raises(InputError):
        layer(x)
    assert is_open(layer)
