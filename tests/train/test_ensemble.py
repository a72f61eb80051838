"""The members differ, repeat themselves, and their mean and spread are the textbook's."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from grapevine.errors import InputError
from grapevine.train.ensemble import class_spread, fit_ensemble, number_spread
from grapevine.train.loop import fit
from grapevine.train.settings import Settings
from tests.train.cases import Nodes, OnFeatures, same, two_classes

SETTINGS = Settings(max_epochs=15, learning_rate=0.05, seed=3)


def fresh():
    return OnFeatures(torch.nn.Linear(5, 2))


def test_a_member_is_what_fit_gives_with_its_seed():
    told = []
    task = Nodes(two_classes())
    ensemble = fit_ensemble(fresh, task, SETTINGS, members=3, on_epoch=lambda place, epoch: told.append(place))
    models = list(ensemble.members.models)
    torch.manual_seed(4)
    alone = fresh()
    fit(alone, task, SETTINGS.model_copy(update={"seed": 4}))
    assert same(models[1], alone)
    assert not same(models[0], models[1])
    assert told == [0] * 15 + [1] * 15 + [2] * 15
    assert len(ensemble.fits) == 3


def test_it_answers_for_all_members_at_once():
    task = Nodes(two_classes())
    ensemble = fit_ensemble(fresh, task, SETTINGS, members=3)
    answers = task.answers(ensemble.members, ["test"])["test"]
    each = torch.stack([task.answers(model, ["test"])["test"].output for model in ensemble.members.models], 1)
    assert torch.equal(answers.output, each)
    mean = class_spread(answers.output.softmax(2))
    assert (mean.prediction == answers.target).float().mean() > 0.6


def test_the_spread_of_classes_is_scipys():
    said = torch.rand(40, 5, 3, dtype=torch.float64).softmax(2)
    found = class_spread(said)
    mean = said.numpy().mean(1)
    chosen = np.take_along_axis(said.numpy(), mean.argmax(1)[:, None, None], 2)[..., 0]
    assert np.allclose(found.probability, mean)
    assert np.allclose(found.spread, chosen.std(1, ddof=1))
    assert np.allclose(found.mutual_information, entropy(mean, axis=1) - entropy(said.numpy(), axis=2).mean(1))


def test_the_spread_of_numbers_is_numpys():
    numbers = torch.rand(40, 5, 2)
    found = number_spread(numbers)
    assert np.allclose(found.prediction, numbers.numpy().mean(1))
    assert np.allclose(found.spread, numbers.numpy().std(1, ddof=1))
    assert number_spread(numbers[:, :1]).spread.abs().max() == 0


def test_no_member_is_refused():
    with pytest.raises(InputError, match="at least one member"):
        fit_ensemble(fresh, Nodes(two_classes()), members=0)
