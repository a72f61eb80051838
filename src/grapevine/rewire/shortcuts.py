"""Shortcuts: every node is joined to all that are at most so many steps away.

A_k = { {i, j} : 1 <= steps from i to j <= k },    weight of a new edge = 1, or 1 / steps

Powers of the graph, in one graph: Abu-El-Haija et al. 2019, "MixHop: higher-order graph convolutional architectures via
sparsified neighborhood mixing"; Gutteridge, Dong, Bronstein & Di Giovanni 2023, "DRew: dynamically rewired message
passing with delay", whose layers use the edges by their steps.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import scipy.sparse

from grapevine.errors import check
from grapevine.graph.measures.undirected import Undirected
from grapevine.rewire.rewiring import Change, PairRewiring


@dataclass(frozen=True)
class Shortcuts(PairRewiring):
    """Join all pairs of nodes that are at most `steps` steps apart.

    It declares the edge tensor `steps` [e], how far apart the ends were, 1 for the edges of the graph.

    Args:
        steps: 2 or more.
        weighted: give the new edges the weight 1 / steps in `edge_weight`; the others keep theirs, or get 1.

    >>> from grapevine.graph import Graph
    >>> path = Graph([[0, 1, 2], [1, 2, 3]])
    >>> rewired = Shortcuts(2, weighted=True)(path)
    >>> rewired.num_edges, rewired.steps.tolist(), rewired.edge_weight.tolist()
    (7, [2, 1, 2, 1, 2, 1, 2], [0.5, 1.0, 0.5, 1.0, 0.5, 1.0, 0.5])
    """

    name: ClassVar[str] = "shortcuts"
    steps: int = 2
    weighted: bool = False

    def __post_init__(self):
        check(self.steps >= 2, f"steps must be 2 or more, got {self.steps}")

    def change(self, graph: Undirected, number: int) -> Change:
        reached = scipy.sparse.csr_array(graph.matrix + scipy.sparse.eye_array(graph.num_nodes))
        pairs: list[np.ndarray] = [np.zeros((2, 0), np.int64)]
        steps = [np.zeros(0, np.int64)]
        for k in range(2, self.steps + 1):
            further = scipy.sparse.csr_array(reached @ graph.matrix + reached)
            further.data[:] = 1
            new = scipy.sparse.coo_array(scipy.sparse.triu(further - reached, 1))
            is_new = new.data > 0
            pairs.append(np.stack([new.row[is_new], new.col[is_new]]))
            steps.append(np.full(int(is_new.sum()), k))
            reached = further
        apart = np.concatenate(steps)
        weight = 1 / apart if self.weighted else None
        return Change(np.concatenate(pairs, 1).astype(np.int64), weight=weight, steps=apart)
