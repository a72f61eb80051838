"""Columns of the features whose sign means nothing, as those of eigenvectors: flipped at random, or read by a network.

x_i' = [.., s_l x_il, ..] in training, s_l = 1 or -1 drawn for each graph and column       (Dwivedi et al. 2023)
x_i' = [.., network(v, graph)_il, ..]                                                     of the columns v
"""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.linear import Features
from grapevine.ops.sparse import SparseMatrix


class RandomSigns(nn.Module):
    """Flips the sign of each column of each graph at random, in training; else it changes nothing.

    >>> _ = torch.manual_seed(1)
    >>> RandomSigns()(torch.ones(2, 3), Graph([[0], [1]])).tolist()
    [[1.0, 1.0, -1.0], [1.0, 1.0, -1.0]]
    """

    def forward(self, vectors: Float[Tensor, "n k"], graph: Graph) -> Float[Tensor, "n k"]:
        if not self.training:
            return vectors
        signs = 2.0 * torch.randint(2, (graph.num_graphs, vectors.shape[1]), device=vectors.device) - 1
        signs = signs.to(vectors.dtype)
        return vectors * (signs if graph.num_graphs == 1 else signs[graph.graph_id])


class OnColumns(nn.Module):
    """Puts what a network makes of some columns of the features in their place, and leaves the others as they are.

    Args:
        first, count: the columns first .. first + count - 1; of sparse features each of theirs must be stored.
        network: called as network(columns, graph), [n, count] to [n, count].

    >>> doubled = OnColumns(1, 2, RandomSigns().eval())
    >>> doubled(torch.eye(3), Graph([[0], [1]], num_nodes=3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """

    def __init__(self, first: int, count: int, network: nn.Module):
        super().__init__()
        check(first >= 0 and count > 0, f"columns must be there, got {count} of them from {first} on")
        self.first, self.count, self.network = first, count, network

    def forward(self, x: Features, graph: Graph) -> Features:
        end = self.first + self.count
        check(x.shape[1] >= end, f"x must have {end} columns, the last ones of eigenvectors, got {x.shape[1]}")
        if isinstance(x, SparseMatrix):
            return self._sparse(x, graph)
        made = self.network(x[:, self.first : end], graph)
        return torch.cat([x[:, : self.first], made, x[:, end:]], 1)

    def _sparse(self, x: SparseMatrix, graph: Graph) -> SparseMatrix:
        columns = x.pattern.indices
        places = ((columns >= self.first) & (columns < self.first + self.count)).nonzero().squeeze(1)
        is_full = len(places) == x.shape[0] * self.count
        check(is_full, "every number of the eigenvectors must be stored, zeros too, as encode does")
        entries = places if x.pattern.entry is None else x.pattern.entry[places].long()
        made = cast(Tensor, self.network(x.values[entries].reshape(-1, self.count), graph))
        return x.with_values(x.values.index_put((entries,), made.flatten()))

    def extra_repr(self) -> str:
        return f"columns {self.first} to {self.first + self.count - 1}"
