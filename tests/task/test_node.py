"""Node classification: its loss and accuracy by hand, and the graphs it refuses."""

import pytest
import torch

from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.task.node import NodeClassification
from tests.train.cases import two_classes


def test_loss_and_accuracy_by_hand():
    task = NodeClassification(3)
    logits, y = torch.tensor([[1.0, 0, 0], [0, 2.0, 0], [9.0, 9.0, 9.5]]), torch.tensor([0, 2, -1])
    nodes = torch.tensor([0, 1])
    by_hand = -(
        torch.tensor(1.0) - torch.tensor([1.0, 0, 0]).exp().sum().log() + 0 - (2 + torch.exp(torch.tensor(2.0))).log()
    )
    torch.testing.assert_close(task.loss(logits, y, nodes), by_hand / 2)
    assert task.accuracy(logits, y, nodes) == 0.5


def test_classes_are_counted_over_all_nodes():
    assert NodeClassification.of(two_classes()).num_classes == 2


@pytest.mark.parametrize("name", ["x", "y", "train_mask", "val_mask", "test_mask"])
def test_a_graph_without_one_of_its_tensors_is_refused(name):
    graph = two_classes()
    tensors = {other: tensor for other, tensor in graph.node.items() if other != name}
    with pytest.raises(InputError, match=f"must hold {name}"):
        NodeClassification.of(Graph(graph.adj, **tensors))


def test_masks_and_classes_that_are_unfit_are_refused():
    graph = two_classes()
    with pytest.raises(InputError, match="val_mask must hold a node"):
        NodeClassification.of(graph.replace(val_mask=torch.zeros_like(graph.val_mask)))
    with pytest.raises(InputError, match=r"train_mask must hold no node of unknown class"):
        NodeClassification.of(graph.replace(y=torch.full_like(graph.y, -1)))
    with pytest.raises(InputError, match="y must be of dtype int64"):
        NodeClassification.of(graph.replace(y=graph.y.float()))
