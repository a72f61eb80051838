"""Consistency between passes: its formula by hand, what it does to answers that disagree, and where it can not be."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.task import Regression, SingleLabel
from grapevine.task.task import Batch
from grapevine.train.consistency import Consistency, consistent_loss, disagreement
from grapevine.train.loop import fit
from grapevine.train.settings import Settings
from tests.train.cases import Nodes, two_classes


def test_the_formula_by_hand():
    """Two passes, one node: p = (0.8, 0.2) and (0.6, 0.4), average (0.7, 0.3), squared and scaled (49, 9) / 58."""
    outputs = [torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.6, 0.4]]).log()]
    aim = torch.tensor([49 / 58, 9 / 58])
    wanted = sum(((out.exp()[0] - aim) ** 2).sum() for out in outputs) / 2
    torch.testing.assert_close(disagreement(outputs, 0.5), wanted)


def test_an_average_that_is_not_sharpened_leaves_agreement_alone():
    outputs = [torch.randn(5, 3)] * 3
    assert disagreement(outputs, 1.0).item() == pytest.approx(0, abs=1e-12)
    assert disagreement(outputs, 0.5).item() > 1e-4


def test_the_aim_has_no_gradient():
    """By finite differences with the aim held still."""
    generator = torch.Generator().manual_seed(0)
    outputs = [torch.randn(4, 3, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    gradient = torch.autograd.grad(disagreement(outputs, 0.5), outputs[0])[0]
    with torch.no_grad():
        mean = torch.stack([out.softmax(1) for out in outputs]).mean(0)
        aim = mean**2 / (mean**2).sum(1, keepdim=True)
    still = outputs[0].detach().requires_grad_()
    held = (still.softmax(1) - aim).square().sum(1).mean() / 2
    torch.testing.assert_close(gradient, torch.autograd.grad(held, still)[0])


class Noisy(nn.Module):
    """Says something else in each pass."""

    def __init__(self):
        super().__init__()
        self.lin, self.passes = nn.Linear(2, 2), 0

    def forward(self, graph, items=None):
        self.passes += 1
        out = self.lin(graph.x) + torch.randn(graph.num_nodes, 2)
        return out if items is None else out[items]


def test_all_nodes_are_passed_over_and_the_known_ones_teach():
    graph = Graph([[0], [1]], x=torch.randn(6, 2), num_nodes=6)
    batch, objective = Batch(graph, torch.tensor([1, 4]), torch.tensor([0, 1])), SingleLabel(num_classes=2)
    model, how = Noisy(), Consistency(samples=3, temperature=0.4, weight=2.0)
    torch.manual_seed(0)
    loss = consistent_loss(model, batch, objective, how)
    assert model.passes == 3
    torch.manual_seed(0)
    outputs = [model(graph) for _ in range(3)]
    supervised = sum(objective.loss(out[batch.items], batch.target) for out in outputs) / 3
    torch.testing.assert_close(loss, supervised + 2.0 * disagreement(outputs, 0.4))


def test_training_with_it_is_the_same_twice():
    graph = two_classes()
    task = Nodes(graph)
    found = []
    for _ in range(2):
        torch.manual_seed(0)
        network = Around(graph.x.shape[1])
        fit(network, task, Settings(max_epochs=5, consistency=Consistency(samples=2)))
        found.append(network.lin.weight.detach().clone())
    assert torch.equal(*found)
    torch.manual_seed(0)
    plain = Around(graph.x.shape[1])
    fit(plain, task, Settings(max_epochs=5))
    assert not torch.equal(plain.lin.weight, found[0])


class Around(nn.Module):
    """A linear model with dropout."""

    def __init__(self, channels: int):
        super().__init__()
        self.lin, self.dropout = nn.Linear(channels, 2), nn.Dropout(0.5)

    def forward(self, graph, items=None):
        out = self.lin(self.dropout(graph.x))
        return out if items is None else out[items]


def test_other_tasks_are_refused():
    graph = Graph([[0], [1]], x=torch.randn(2, 2))
    numbers = Batch(graph, None, torch.randn(2))
    with pytest.raises(InputError, match="classes of nodes"):
        consistent_loss(Noisy(), numbers, Regression(), Consistency())
    pairs = Batch(graph, torch.tensor([[0], [1]]), torch.tensor([1]))
    with pytest.raises(InputError, match="classes of nodes"):
        consistent_loss(Noisy(), pairs, SingleLabel(num_classes=2), Consistency())


@pytest.mark.parametrize("values", [{"samples": 1}, {"temperature": 0}, {"weight": -1}])
def test_wrong_settings_are_refused(values):
    with pytest.raises(ValidationError):
        Consistency(**values)
