"""The loop makes the steps of a plain PyTorch loop, keeps the best weights, stops in time and repeats itself."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from grapevine.data.split import mask_of
from grapevine.errors import InputError
from grapevine.nn import GNN, BatchNorm, GATConv, GCNConv, Linear, SAGEConv
from grapevine.train.loop import fit
from grapevine.train.record import DivergedError
from grapevine.train.settings import Settings
from tests.train.cases import NUM_FEATURES, NUM_NODES, Nodes, OnFeatures, OnGraph, plain, same, two_classes

ROOT = Path(__file__).parents[2]


def trained(settings: Settings, *, size=None, model=None, **options):
    model = plain() if model is None else model
    task, epochs = Nodes(two_classes(), size=size), []
    return model, task, epochs, fit(model, task, settings, on_epoch=epochs.append, **options)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("adam", lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=5e-4, fused=True)),
        ("adamw", lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=5e-4, fused=True)),
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.01, weight_decay=5e-4, momentum=0.9, fused=True)),
    ],
)
def test_it_is_a_plain_loop_bit_for_bit(name, make):
    model, _, epochs, _ = trained(Settings(optimizer=name, max_epochs=25), model=plain(dropout=0.0))
    graph, by_hand = two_classes(), plain(dropout=0.0)
    optimizer = make(by_hand.parameters())
    cross_entropy, best, kept = nn.CrossEntropyLoss(), math.inf, None
    for epoch in epochs:
        by_hand.train()
        optimizer.zero_grad()
        loss = cross_entropy(by_hand(graph, None)[graph.train_mask], graph.y[graph.train_mask])
        loss.backward()
        norm = nn.utils.clip_grad_norm_(by_hand.parameters(), math.inf)
        optimizer.step()
        by_hand.eval()
        with torch.no_grad():
            val_loss = cross_entropy(by_hand(graph, None)[graph.val_mask], graph.y[graph.val_mask]).item()
        assert (epoch.loss, epoch.val_loss, epoch.grad_norm) == (loss.item(), val_loss, norm.item())
        if val_loss < best:
            best, kept = val_loss, {name: t.clone() for name, t in by_hand.state_dict().items()}
    by_hand.load_state_dict(kept)
    assert same(model, by_hand)


def test_the_weights_with_the_lowest_validation_loss_are_kept():
    model, task, epochs, done = trained(Settings(learning_rate=0.1, patience=7, max_epochs=500))
    losses = [epoch.val_loss for epoch in epochs]
    best = min(range(len(losses)), key=losses.__getitem__)
    assert done.best_epoch == best + 1
    assert done.epochs == len(epochs) == done.best_epoch + 7 < 500
    assert done.stopped_because == "patience"
    assert done.history == tuple(epochs)
    answers = task.answers(model, ["train", "val", "test"])
    assert task.objective.loss(answers["val"].output, answers["val"].target).item() == losses[best]
    assert done.scores == {part: task.objective.scores(a.output, a.target) for part, a in answers.items()}
    assert done.scores["test"]["accuracy"] > 0.6
    assert not model.training


def test_it_can_stop_on_the_metric():
    *_, epochs, done = trained(Settings(learning_rate=0.05, stop_on="metric", patience=10, max_epochs=100))
    metrics = [epoch.val_metric for epoch in epochs]
    assert done.best_epoch == max(range(len(metrics)), key=metrics.__getitem__) + 1
    assert done.scores["val"]["accuracy"] == max(metrics)


def test_it_ends_at_the_last_epoch():
    *_, epochs, done = trained(Settings(max_epochs=3))
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert (done.epochs, done.stopped_because) == (3, "max_epochs")


def test_without_a_validation_part_the_last_weights_are_kept():
    graph = two_classes().replace(val_mask=torch.zeros(NUM_NODES, dtype=torch.bool))
    done = fit(plain(), Nodes(graph), Settings(max_epochs=12, patience=2))
    assert (done.best_epoch, done.epochs, done.history[-1].val_loss, done.scores["val"]) == (12, 12, None, {})


def test_without_a_training_part_it_says_so():
    graph = two_classes().replace(train_mask=torch.zeros(NUM_NODES, dtype=torch.bool))
    task = Nodes(graph)
    task.batches = lambda seed: iter(())
    task.to = lambda device: task
    with pytest.raises(InputError, match="nothing to learn from"):
        fit(plain(), task, Settings(max_epochs=2))


def test_the_same_seed_gives_the_same_bits_whatever_ran_before():
    first, *_ = trained(Settings(max_epochs=20), size=5)
    model = plain()
    torch.rand(7)
    before = torch.get_rng_state()
    again, *_ = trained(Settings(max_epochs=20), size=5, model=model)
    assert torch.equal(torch.get_rng_state(), before)
    other, *_ = trained(Settings(max_epochs=20, seed=1), size=5)
    assert same(first, again)
    assert not same(first, other)


def test_only_the_chosen_parameters_decay():
    settings = Settings(max_epochs=5, weight_decay=0.1)
    everything, chosen = plain(), plain()
    for model in (everything, chosen):
        model.idle = nn.Parameter(torch.ones(()))
        model.register_forward_hook(lambda model, _, output: output + 0 * model.idle)
    fit(everything, Nodes(two_classes()), settings)
    fit(chosen, Nodes(two_classes()), settings, decayed=chosen.network.parameters())
    assert everything.idle < 1
    assert chosen.idle == 1


def test_batches_that_are_accumulated_make_the_step_of_the_large_one():
    whole, *_ = trained(Settings(max_epochs=10, optimizer="sgd"), model=plain(dropout=0.0))
    parts, *_ = trained(Settings(max_epochs=10, optimizer="sgd", accumulate=4), size=5, model=plain(dropout=0.0))
    assert len(list(Nodes(two_classes(), size=5).batches(0))) == 4  # 5, 5, 5 and 1 nodes
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_unknown_answers_do_not_teach():
    graph = two_classes()
    some = mask_of(graph.train_mask.nonzero().squeeze(1)[::2], NUM_NODES)
    hidden = graph.y.masked_fill(graph.train_mask & ~some, -1)
    settings = Settings(max_epochs=5, optimizer="sgd", accumulate=16)
    ignoring, without = plain(dropout=0.0), plain(dropout=0.0)
    fit(ignoring, Nodes(graph, target=hidden, size=1), settings)
    fit(without, Nodes(graph.replace(train_mask=some)), settings)
    for a, b in zip(ignoring.parameters(), without.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_a_long_gradient_is_clipped():
    settings = Settings(
        optimizer="sgd", momentum=0.0, weight_decay=0.0, learning_rate=1.0, clip_norm=0.01, max_epochs=1
    )
    before, (after, _, epochs, _) = plain(), trained(settings)
    steps = [(a - b).flatten() for a, b in zip(before.parameters(), after.parameters(), strict=True)]
    assert epochs[0].grad_norm > 0.01
    assert torch.cat(steps).norm().item() == pytest.approx(0.01, rel=1e-4)


def test_the_average_is_what_is_judged_and_kept():
    decay, epochs = 0.8, 6
    model, *_ = trained(Settings(max_epochs=epochs, ema=decay, patience=6), model=plain(dropout=0.0))
    weights, average = [], None
    for count in range(1, epochs + 1):
        follow = plain(dropout=0.0)
        graph = two_classes().replace(val_mask=torch.zeros(NUM_NODES, dtype=torch.bool))
        fit(follow, Nodes(graph), Settings(max_epochs=count))
        weights.append([p.detach() for p in follow.parameters()])
        average = (
            weights[0]
            if average is None
            else [decay * a + (1 - decay) * w for a, w in zip(average, weights[-1], strict=True)]
        )
    for a, b in zip(model.parameters(), average, strict=True):
        torch.testing.assert_close(a, b)


def test_widths_may_be_left_open():
    open_one = OnGraph(GNN([GCNConv(-1, 8), GCNConv(8, 2)]))
    trained(Settings(max_epochs=5), model=open_one)
    assert open_one.network.layers[0].lin.weight.shape == (8, NUM_FEATURES)
    again = OnFeatures(Linear(-1, 2))
    trained(Settings(max_epochs=2), model=again)
    assert again.network.weight.shape == (2, NUM_FEATURES)


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
def test_half_the_bits_do_nearly_as_well(precision):
    model, _, epochs, done = trained(Settings(max_epochs=40, precision=precision, learning_rate=0.05))
    full = trained(Settings(max_epochs=40, learning_rate=0.05))[-1]
    assert epochs[0].loss == pytest.approx(full.history[0].loss, rel=0.03)
    assert epochs[0].loss != full.history[0].loss
    assert done.scores["train"]["accuracy"] >= full.scores["train"]["accuracy"] - 0.15
    assert {p.dtype for p in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("precision", ["bf16-mixed", "bf16-true"])
@pytest.mark.parametrize("conv", [GCNConv, SAGEConv, GATConv])
def test_a_graph_network_learns_with_half_the_bits(conv, precision):
    layers = [conv(NUM_FEATURES, 8), conv(8, 2)]
    network = OnGraph(GNN(layers, norms=[BatchNorm(8)], dropout=0.1))
    settings = Settings(max_epochs=30, precision=precision, learning_rate=0.05, ema=0.5)
    *_, done = trained(settings, model=network)
    assert done.history[-1].loss < 0.5 * done.history[0].loss
    assert done.scores["train"]["accuracy"] > 0.7
    assert network.network.norms[0].norm.running_mean.abs().max() > 0


def test_an_accelerator_that_is_not_there_is_refused():
    if torch.backends.mps.is_available():
        pytest.skip("there is one")
    with pytest.raises(InputError, match=r"no accelerator 'mps' here; there is .*cpu"):
        trained(Settings(accelerator="mps"))


@pytest.mark.parametrize("number", [math.inf, math.nan])
def test_a_loss_that_is_no_number_is_an_error(number):
    graph = two_classes()
    x = graph.x.clone()
    x[3, 2] = number
    model, start = plain(), plain()
    with pytest.raises(DivergedError, match=r"in epoch 1 the loss became nan; .* node tensor x \(1 numbers.*\[3, 2\]"):
        fit(model, Nodes(graph.replace(x=x, train_mask=mask_of(torch.tensor([3]), NUM_NODES))), Settings(max_epochs=5))
    assert same(model, start)


def test_two_processes_make_the_steps_of_one(tmp_path):
    command = [sys.executable, "-m", "tests.train.shared", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    first, second = (load_file(tmp_path / f"{rank}.safetensors") for rank in (0, 1))
    alone = plain(dropout=0.0)
    fit(alone, Nodes(two_classes(), size=3), Settings(max_epochs=6, optimizer="sgd", accumulate=2))
    for name, tensor in alone.state_dict().items():
        assert torch.equal(first[name], second[name])
        torch.testing.assert_close(first[name], tensor, rtol=1e-5, atol=1e-6)
