"""Trees of one order of values that share all nodes but their roots: the same states where news only climbs.

What the leaves of an order say is the same whatever its root asks for, so a batch of 1,024 trees takes little more than
its roots. With `fully_adjacent` every root hears all nodes of its tree in the last layer (Alon & Yahav 2021): of that
layer only the roots are read, so what the other nodes would hear is left out.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.squashing_trees import Examples
from grapevine.graph import Adjacency


class SharedTrees:
    """Batches of so many orders, with a root for each key."""

    def __init__(self, examples: Examples, num_orders: int, *, fully_adjacent: bool = False):
        self.examples, self.num_orders, leaves = examples, num_orders, examples.leaves
        inner = 2 * leaves - 2  # nodes 1 .. 2 leaves - 2 of a tree stand at 0 ..
        child, base = torch.arange(3, inner + 1), inner * torch.arange(num_orders)
        climb = torch.stack([child - 1, (child - 1) // 2 - 1])[:, None] + base[:, None]
        self.roots = inner * num_orders + torch.arange(num_orders * leaves)

        def heard_by_roots(count: int) -> Tensor:
            """Edges from the first nodes of each order to all its roots."""
            nodes = (base[:, None] + torch.arange(count)).repeat_interleave(leaves, 0).flatten()
            return torch.stack([nodes, self.roots.repeat_interleave(count)])

        within, size = climb.flatten(1), inner * num_orders + len(self.roots)
        body, end = (
            Adjacency(torch.cat([within, heard_by_roots(count)], 1), size).with_self_loops() for count in (2, inner)
        )
        self.edges = [body] * examples.depth + [end if fully_adjacent else body]
        self.leaf_rows = (base[:, None] + torch.arange(inner - leaves, inner)).flatten()
        keys = torch.arange(leaves).repeat(num_orders)
        self.blank = torch.zeros(size, 2 * leaves)
        self.blank[self.leaf_rows, keys] = self.blank[self.roots, keys] = 1

    def batches(self, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """All trees that teach, but for a rest of orders, in another order: features, roots and answers."""
        drawn = torch.randperm(len(self.examples.values), generator=generator)
        for begin in range(0, len(drawn) - self.num_orders + 1, self.num_orders):
            yield self.batch(drawn[begin : begin + self.num_orders])

    def batch(self, orders: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        values, taught = self.examples.values[orders].flatten(), self.examples.is_taught[orders].flatten()
        x = self.blank.clone()
        x[self.leaf_rows, self.examples.leaves + values] = 1
        return x, self.roots[taught], values[taught]
