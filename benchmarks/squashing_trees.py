"""The trees of Tree-NeighborsMatch as training needs them, and the networks of the paper that learn on them.

Networks and training as in Alon & Yahav 2021, "On the bottleneck of graph neural networks and its practical
implications" and the code that comes with it: h_0 = W_0 x + b_0, depth + 1 layers h' = norm(h + relu(conv(h))), and
W h at the root; depth + 1 layers of 32 channels, without relu for GAT, and for GGNN the gated update alone.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from grapevine.data.datasets.tree_neighbors_match import leaf_values, split_of_trees
from grapevine.graph import Adjacency, Graph
from grapevine.nn import GATConv, GATv2Conv, GCNConv, GINConv
from grapevine.nn.encoder.ggnn import GGNN
from grapevine.nn.fully_adjacent import complete

WIDTH, HEADS = 32, 4
MODELS = ("gcn", "gin", "gat", "ggnn")
Rewire = Callable[[Graph], Graph]


class CountedBatchNorm(nn.Module):
    """Batch normalisation in training over nodes of which each stands for `counts` like it; no running averages."""

    counts: Tensor | None

    def __init__(self, channels: int):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.counts = None

    def forward(self, x: Tensor) -> Tensor:
        if self.counts is None:
            return nn.functional.batch_norm(x, None, None, self.weight, self.bias, training=True)
        counts = self.counts.to(x.dtype)
        share = (counts / counts.sum())[None]
        mean = share @ x
        shifted = x - mean
        variance = share @ shifted.square()
        return torch.addcmul(self.bias, shifted, self.weight * (variance + 1e-5).rsqrt())


class TreeNetwork(nn.Module):
    """A network of the paper.

    Args:
        model: gcn, gin, gat, gatv2 or ggnn; gatv2, of which the paper knows nothing, is as gat.
    """

    def __init__(self, model: str, depth: int):
        super().__init__()
        leaves = 2**depth
        self.first, self.last = nn.Linear(2 * leaves, WIDTH), nn.Linear(WIDTH, leaves, bias=False)
        self.layers = nn.ModuleList(_layer(model) for _ in range(depth + 1))
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(depth + 1)) if model != "ggnn" else None
        self.has_activation = model in ("gcn", "gin")

    def forward(self, x: Tensor, edges: Sequence[Adjacency], roots: Tensor) -> Tensor:
        """The answers at the roots; the edges of each layer."""
        return self.last(self.states(x, edges)[roots])

    def states(self, x: Tensor, edges: Sequence[Adjacency]) -> Tensor:
        h = self.first(x)
        for k, (layer, adj) in enumerate(zip(self.layers, edges, strict=True)):
            heard = layer(h, adj)
            heard = heard.relu() if self.has_activation else heard
            h = heard if self.norms is None else self.norms[k](h + heard)
        return h

    def count(self, counts: Tensor | None) -> None:
        """How many nodes each row of the next batch stands for."""
        for module in self.modules():
            if isinstance(module, CountedBatchNorm):
                module.counts = counts


def _layer(model: str) -> nn.Module:
    if model == "gcn":
        return GCNConv(WIDTH, WIDTH)
    if model == "gat":
        return GATConv(WIDTH, WIDTH // HEADS, heads=HEADS)
    if model == "gatv2":
        return GATv2Conv(WIDTH, WIDTH // HEADS, heads=HEADS)
    if model == "ggnn":
        return GGNN(WIDTH, WIDTH, num_steps=1, directed=False, reset="after")
    parts = [nn.Linear(WIDTH, WIDTH), CountedBatchNorm(WIDTH), nn.ReLU()]
    return GINConv(nn.Sequential(*parts, nn.Linear(WIDTH, WIDTH), CountedBatchNorm(WIDTH), nn.ReLU()))


class Examples:
    """The trees of one depth: what stands at their leaves, in every order, and which teach."""

    def __init__(self, depth: int):
        self.depth, self.leaves = depth, 2**depth
        self.values = torch.from_numpy(leaf_values(depth))  # [orders, leaves]
        self.is_taught = split_of_trees(depth).train.reshape(self.values.shape)


class SeparateTrees:
    """Batches of trees of the same edges, rewired if asked.

    Args:
        num_trees: in a batch; those of the end that fill none are left out.
        fully_adjacent: let every node hear its whole tree in the last layer.
    """

    def __init__(
        self, examples: Examples, num_trees: int, change: Rewire | None = None, *, fully_adjacent: bool = False
    ):
        self.examples, self.num_trees, leaves = examples, num_trees, examples.leaves
        nodes = 2 * leaves - 1
        child = torch.arange(1, nodes)
        tree = Graph(torch.stack([child, (child - 1) // 2]), num_nodes=nodes)
        whole = Graph.batch([tree if change is None else change(tree)] * num_trees)
        body = whole.adj.with_self_loops()
        self.edges = [body] * examples.depth + [complete(whole.members) if fully_adjacent else body]  # of each layer
        self.roots, size = whole.ptr[:-1], whole.num_nodes // num_trees
        self.blank = torch.zeros(num_trees, size, 2 * leaves)
        self.leaf_rows = torch.arange(leaves - 1, nodes)
        self.blank[:, self.leaf_rows, :leaves] = torch.eye(leaves)

    def batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
        """All trees that teach in another order, as features and answers."""
        trees = self.examples.is_taught.flatten().nonzero().squeeze(1)
        trees = trees[torch.randperm(len(trees), generator=generator)]
        for begin in range(0, len(trees) - self.num_trees + 1, self.num_trees):
            yield self.batch(trees[begin : begin + self.num_trees])

    def batch(self, trees: Tensor) -> tuple[Tensor, Tensor]:
        """The features and answers of the trees of these numbers, order * leaves + key."""
        leaves = self.examples.leaves
        key, values = trees % leaves, self.examples.values[trees // leaves]
        x, every = self.blank.clone(), torch.arange(len(trees))
        x[every, 0, key] = 1
        x[every[:, None], self.leaf_rows, leaves + values] = 1
        return x.flatten(0, 1), values[every, key]
