"""Small graphs with answers, splits of them, and a model that counts how often it is called."""

import torch
from torch import nn

from grapevine.data.split import Split
from grapevine.graph import Graph

NUM_FEATURES = 4


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def undirected(num_nodes: int = 30, num_edges: int = 60, seed: int = 0) -> torch.Tensor:
    """[2, e] edges in both directions, without self-loops, each once, the way back behind all ways there."""
    ends = torch.randint(num_nodes, (2, num_edges), generator=torch.Generator().manual_seed(seed))
    ends = torch.stack([ends.amin(0), ends.amax(0)])[:, ends[0] != ends[1]].unique(dim=1)
    ends = ends[:, torch.randperm(ends.shape[1], generator=torch.Generator().manual_seed(seed))]
    return torch.cat([ends, ends.flip(0)], 1)


def split_in_three(num_items: int) -> Split:
    """Items 0, 4, 8 .. are in no part."""
    place = torch.arange(num_items) % 4
    return Split(place == 1, place == 2, place == 3)


class Counting(nn.Module):
    """Calls a network and counts how often."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network, self.calls = network, 0

    def forward(self, graph: Graph, items: torch.Tensor | None) -> torch.Tensor:
        self.calls += 1
        return self.network(graph, items)
