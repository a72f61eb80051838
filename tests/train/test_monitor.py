"""The monitors measure what they say, stay silent on healthy training and trip on planted faults."""

import math
from itertools import pairwise

import pytest
import torch
from sklearn.metrics.pairwise import cosine_similarity
from torch import nn

from grapevine.nn import GNN, MLP, Conv, GCNConv, SAGEConv
from grapevine.task.regression import Regression
from grapevine.train.loop import fit
from grapevine.train.monitor import measure, similarity
from grapevine.train.record import DivergedError
from grapevine.train.settings import Settings
from tests.train.cases import NUM_FEATURES, Nodes, OnFeatures, OnGraph, plain, same, two_classes


def batch():
    return next(iter(Nodes(two_classes()).batches(0)))


def measured(model: nn.Module):
    return measure(model, model, batch())


def gnn(depth: int, width: int = 16, conv: type[Conv] = GCNConv) -> OnGraph:
    torch.manual_seed(0)
    widths = [NUM_FEATURES] + [width] * (depth - 1) + [2]
    return OnGraph(GNN([conv(a, b) for a, b in pairwise(widths)]))


def test_similarity_is_scikit_learns_mean_over_pairs():
    states = torch.randn(30, 7)
    cosines = cosine_similarity(states.numpy())
    expected = cosines[~torch.eye(30, dtype=torch.bool).numpy()].mean()
    assert similarity(states) == pytest.approx(expected, abs=1e-6)
    assert similarity(torch.cat([states, torch.zeros(4, 7)])) == pytest.approx(expected, abs=1e-6)
    assert math.isnan(similarity(torch.zeros(4, 7)))


@pytest.mark.parametrize("conv", [GCNConv, SAGEConv])
def test_the_states_of_each_layer_are_compared(conv):
    model = gnn(3, conv=conv)
    for layer in model.network.layers:
        nn.init.normal_(layer.bias)
    found, graph, layers = measured(model), two_classes(), model.network.layers
    h = graph.x
    for place, layer in enumerate(layers):
        h = layer(h, graph.adj)
        assert found[f"similarity.network.layers.{place}"] == pytest.approx(similarity(h.detach()), abs=1e-4)
        h = h.relu()
    assert "combine" not in vars(layers[0])
    assert model.training


@pytest.mark.parametrize(
    "make",
    [
        lambda: OnFeatures(nn.Sequential(nn.Linear(NUM_FEATURES, 8), nn.ReLU(), nn.Linear(8, 2))),
        lambda: OnFeatures(MLP([NUM_FEATURES, 8, 2])),
        lambda: gnn(2, 8),
    ],
    ids=["torch", "mlp", "gnn"],
)
def test_dead_units_are_counted(make):
    torch.manual_seed(0)
    model = make()
    bias = next(p for p in model.parameters() if p.shape == (8,))
    nn.init.zeros_(bias)
    assert measured(model)["dead_units"] < 0.5
    bias.data[:6] = -100
    assert measured(model)["dead_units"] >= 0.75
    bias.data[:] = 100
    assert measured(model)["dead_units"] == 0


def test_healthy_training_trips_nothing():
    done = fit(gnn(2), Nodes(two_classes()), Settings(max_epochs=60))
    assert done.warnings == ()
    looked = [row.number for row in done.history if row.monitors]
    assert looked == [1, 10, 20, 30, 40, 50, 60]
    assert set(done.history[0].row()) >= {"epoch", "grad_norm", "similarity.network.layers.0", "dead_units"}


def test_a_deep_network_over_smooths_and_says_so_once():
    done = fit(gnn(24), Nodes(two_classes(noise=3.0)), Settings(max_epochs=25))
    smooth = [text for text in done.warnings if "over-smooths" in text]
    assert len(smooth) == 1
    assert "epoch 1: the node states after network.layers." in smooth[0]
    assert done.history[0].warnings == done.warnings[: len(done.history[0].warnings)]


def test_dead_units_trip():
    model = plain()
    nn.init.constant_(model.network[0].bias, -100)
    done = fit(model, Nodes(two_classes()), Settings(max_epochs=3))
    assert any("100% of the ReLU units are dead" in text for text in done.warnings)


def test_a_gradient_that_vanishes_trips():
    model = plain()
    nn.init.constant_(model.network[0].bias, -100)
    nn.init.constant_(model.network[3].bias, 0.0)
    model.network[3].bias.requires_grad_(False)
    done = fit(model, Nodes(two_classes()), Settings(max_epochs=3))
    assert any("the gradient vanishes" in text for text in done.warnings)


def linear_regression(rate: float):
    graph = two_classes()
    torch.manual_seed(0)
    model = OnFeatures(nn.Linear(NUM_FEATURES, 1))
    task = Nodes(graph, Regression(), target=graph.x.sum(1))
    return model, task, Settings(optimizer="sgd", learning_rate=rate, max_epochs=2000, patience=2000)


def test_a_large_step_explodes_and_the_last_good_weights_are_kept():
    model, task, settings = linear_regression(10.0)
    rows = []
    with pytest.raises(DivergedError, match="lower the learning rate") as caught:
        fit(model, task, settings, on_epoch=rows.append)
    done = caught.value.fit
    assert done.stopped_because == "diverged"
    assert any("the gradient explodes" in text for text in done.warnings)
    assert len(done.history) == done.epochs == len(rows) > 2
    assert caught.value.where.startswith(("the loss itself", "the weights", "the gradient", "the output"))
    other, task, settings = linear_regression(10.0)
    best = min(rows, key=lambda row: row.val_loss).number
    assert done.best_epoch == best
    fit(other, task, settings.model_copy(update={"max_epochs": best}))
    assert same(model, other)


class Broken(nn.Module):
    """Divides by zero in the middle."""

    def forward(self, x):
        return x / (x - x)


class Root(torch.autograd.Function):
    """The identity, with a gradient that is no number."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        return grad * math.nan


def diverged(model, graph=None) -> str:
    with pytest.raises(DivergedError) as caught:
        fit(model, Nodes(graph or two_classes()), Settings(max_epochs=3))
    assert caught.value.where in str(caught.value)
    return caught.value.where


def test_missing_features_are_named():
    graph = two_classes()
    x = graph.x.clone()
    x[7, 3] = math.nan
    assert diverged(gnn(3), graph.replace(x=x)) == "the node tensor x (1 numbers, the first at [7, 3])"


def test_the_layer_that_breaks_is_named():
    network = nn.Sequential(nn.Linear(NUM_FEATURES, 4), Broken(), nn.Linear(4, 2))
    assert diverged(OnFeatures(network)) == "the output of network.1 (Broken)"


def test_a_convolution_that_breaks_is_named():
    model = gnn(3)
    nn.init.constant_(model.network.layers[1].lin.weight, 1e30)
    nn.init.constant_(model.network.layers[0].lin.weight, 1e30)
    assert diverged(model) == "the output of network.layers.1 (GCNConv)"


def test_weights_that_are_broken_are_named():
    model = gnn(2)
    model.network.layers[1].bias.data[0] = math.inf
    assert diverged(model) == "the weights network.layers.1.bias"


def test_a_gradient_that_breaks_is_named():
    model = plain()
    model.network[0].register_forward_hook(lambda module, given, out: Root.apply(out))
    assert diverged(model) == "the gradient of network.0.weight"


class Asked(OnFeatures):
    """Looks at the nodes alone that it is asked for."""

    def forward(self, graph, items):
        return self.network(graph.x if items is None else graph.x[items])


@pytest.mark.parametrize(("kind", "what"), [(Asked, "the validation loss became nan"), (OnFeatures, "the gradient")])
def test_the_data_of_the_validation_part_are_looked_at_too(kind, what):
    graph = two_classes()
    x = graph.x.clone()
    x[int(graph.val_mask.nonzero()[0]), 0] = math.nan
    model, start = kind(plain().network), plain()
    with pytest.raises(DivergedError, match=f"in epoch 1 {what}.* node tensor x "):
        fit(model, Nodes(graph.replace(x=x)), Settings(max_epochs=3))
    assert same(model, start)
