"""Small tasks on a small graph: two classes that can be told apart, but not from the features alone; and a number."""

import torch
from torch import nn

from grapevine.data.split import per_class
from grapevine.graph import Graph
from grapevine.task.objective import Objective
from grapevine.task.single_label import SingleLabel
from grapevine.task.task import PARTS, Answers, Batch, Task

NUM_NODES, NUM_FEATURES = 60, 5


def two_classes(noise: float = 1.0) -> Graph:
    """Two rings of 30 nodes, one a class, and noisy features."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(NUM_NODES) // (NUM_NODES // 2)
    nodes = torch.arange(NUM_NODES // 2)
    ring = torch.stack([nodes, nodes.roll(1)])
    edges = torch.cat([ring, ring + NUM_NODES // 2], 1)
    centres = torch.randn(2, NUM_FEATURES, generator=generator)
    x = centres[y] + noise * torch.randn(NUM_NODES, NUM_FEATURES, generator=generator)
    split = per_class(y, num_train=8, num_val=20)
    return Graph(
        torch.cat([edges, edges.flip(0)], 1),
        x=x, y=y, train_mask=split.train, val_mask=split.val, test_mask=split.test,
    )  # fmt: skip


class Nodes(Task):
    """The nodes of a graph, all in one batch or in drawn batches of that size."""

    level = "node"

    def __init__(self, graph: Graph, objective: Objective | None = None, size: int | None = None, target=None):
        self.graph, self.objective, self.size = graph, objective or SingleLabel(num_classes=2), size
        self.target = graph.y if target is None else target
        self.nodes = {part: getattr(graph, f"{part}_mask").nonzero().squeeze(1) for part in PARTS}

    def batches(self, seed):
        nodes = self.nodes["train"]
        if self.size is not None:
            nodes = nodes[torch.randperm(len(nodes), generator=torch.Generator().manual_seed(seed))]
        for some in nodes.split(self.size or len(nodes)):
            yield Batch(self.graph, some, self.target[some])

    def answers(self, model, parts):
        model.eval()
        with torch.inference_mode():
            output = model(self.graph, None)
        return {p: Answers(output[self.nodes[p]], self.target[self.nodes[p]], self.nodes[p]) for p in parts}

    def all_answers(self, model):
        raise NotImplementedError

    def to(self, device):
        return Nodes(self.graph.to(device), self.objective, self.size, self.target.to(device))


class OnFeatures(nn.Module):
    """A network of the features alone, called as every model is."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, graph, items):
        output = self.network(graph.x)
        return output if items is None else output[items]


class OnGraph(nn.Module):
    """A network of the features and the edges, called as every model is."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, graph, items):
        output = self.network(graph.x, graph)
        return output if items is None else output[items]


def plain(dropout: float = 0.2, hidden: int = 8) -> nn.Module:
    """Two layers with dropout, from the same start each time."""
    torch.manual_seed(0)
    first, last = nn.Linear(NUM_FEATURES, hidden), nn.Linear(hidden, 2)
    return OnFeatures(nn.Sequential(first, nn.ReLU(), nn.Dropout(dropout), last))


def same(first: nn.Module, again: nn.Module) -> bool:
    """Whether two models have the same bits."""
    states = first.state_dict(), again.state_dict()
    return all(torch.equal(a, b) for a, b in zip(*(state.values() for state in states), strict=True))
