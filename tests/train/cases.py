"""A small graph with two classes that can be told apart, but not from the features alone."""

import torch
from torch import nn

from grapevine.data.split import per_class
from grapevine.graph import Graph

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


class Plain(nn.Module):
    """A linear model that sees no edges, with dropout and a parameter that does nothing."""

    def __init__(self):
        super().__init__()
        self.linear, self.idle = nn.Linear(NUM_FEATURES, 2), nn.Parameter(torch.ones(()))

    def forward(self, x, adj):
        return self.linear(nn.functional.dropout(x, 0.2, self.training)) + 0 * self.idle
