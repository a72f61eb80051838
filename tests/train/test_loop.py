"""The loop keeps the best weights, stops in time, decays what it should, repeats itself and notices divergence."""

import math

import pytest
import torch
from pydantic import ValidationError

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.task.node import NodeClassification
from grapevine.train.loop import DivergedError, Settings, fit, predict
from tests.train.cases import Plain, two_classes


def trained(settings: Settings, **options):
    torch.manual_seed(0)
    model, graph, epochs = Plain(), two_classes(), []
    done = fit(model, graph, settings, on_epoch=epochs.append, **options)
    return model, graph, epochs, done


def test_the_weights_with_the_lowest_validation_loss_are_kept():
    model, graph, epochs, done = trained(Settings(learning_rate=0.1, patience=7, max_epochs=500))
    losses = [epoch.val_loss for epoch in epochs]
    best = min(range(len(losses)), key=losses.__getitem__)
    assert done.best_epoch == best + 1
    assert done.epochs == len(epochs) == done.best_epoch + 7 < 500
    task, output = NodeClassification(2), predict(model, graph)
    val = graph.val_mask.nonzero().squeeze(1)
    assert task.loss(output, graph.y, val).item() == losses[best]
    assert not model.training
    for part, mask in (("train", graph.train_mask), ("val", graph.val_mask), ("test", graph.test_mask)):
        assert getattr(done, part) == pytest.approx((output.argmax(1) == graph.y)[mask].float().mean().item())
    assert done.test > 0.6
    assert done.seconds > 0


def test_it_ends_at_the_last_epoch():
    *_, epochs, done = trained(Settings(max_epochs=3))
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert done.epochs == 3


def test_the_same_seed_gives_the_same_bits():
    first, *_ = trained(Settings(max_epochs=20))
    again, *_ = trained(Settings(max_epochs=20))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_only_the_chosen_parameters_decay():
    settings = Settings(max_epochs=5, weight_decay=0.1)
    torch.manual_seed(0)
    everything, chosen = Plain(), Plain()
    fit(everything, two_classes(), settings)
    fit(chosen, two_classes(), settings, decayed=chosen.linear.parameters())
    assert everything.idle < 1
    assert chosen.idle == 1


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_a_loss_that_is_no_number_is_an_error(number):
    graph = two_classes()
    x = graph.x.clone()
    x[graph.train_mask] = number
    with pytest.raises(DivergedError, match="in epoch 1 the loss became nan"):
        fit(Plain(), graph.replace(x=x), Settings(max_epochs=5))


def test_a_graph_without_masks_is_refused():
    graph = two_classes()
    with pytest.raises(InputError, match="must hold train_mask, val_mask, test_mask"):
        fit(Plain(), Graph(graph.adj, x=graph.x, y=graph.y), Settings())


@pytest.mark.parametrize("wrong", [{"learning_rate": 0}, {"max_epochs": 0}, {"patience": -1}, {"momentum": 1}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(ValidationError):
        Settings(**wrong)
