"""Effective resistances: to the other nodes of a piece, as quantiles, and between the ends of an edge.

R_ij = p_ii + p_jj - 2 p_ij,    p = (D - A)^+,    each edge one ohm                          (Klein & Randic 1993)

Zhang, Luo, Wang & He 2023, "Rethinking the expressive power of GNNs via graph biconnectivity"; of edges Velingker et
al. 2023, "Affinity-aware graph networks". Of the simple undirected graph.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from grapevine.encoding.encoding import Encoding, EncodingLevel, check_number
from grapevine.encoding.pieces import larger, stacks
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.graph.measures import effective_resistance, estimated_resistance, undirected

_DENSE = 3000  # nodes of a piece up to which a matrix is inverted


@dataclass(frozen=True)
class Resistance(Encoding):
    """`resistance:8`: of a node's resistances to the other nodes of its connected piece the smallest, the largest and
    the quantiles between them; 0 for a node alone. It takes n^3 steps for a piece of n nodes, 3,000 at most.

    >>> Resistance(2)(Graph([[0, 1, 1, 2], [1, 0, 2, 1]])).round(decimals=4).tolist()
    [[1.0, 2.0], [1.0, 1.0], [1.0, 2.0]]
    """

    quantiles: int = 8

    name: ClassVar[str] = "resistance"

    def __post_init__(self) -> None:
        check_number(self.name, "quantiles", self.quantiles, least=2)

    @property
    def channels(self) -> int:
        return self.quantiles

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        plain = undirected(graph)
        too_large = larger(plain, _DENSE)
        size = max(map(len, too_large), default=0)
        check(size == 0, f"resistance is of pieces of {_DENSE:,} nodes at most, this graph has one of {size:,}: take "
              "rwpe, or edge-resistance, which is estimated there")  # fmt: skip
        out, shares = np.zeros((plain.num_nodes, self.quantiles)), np.linspace(0, 1, self.quantiles)
        for nodes, adjacency in stacks(plain, largest=_DENSE):
            size = nodes.shape[1]
            laplacian = adjacency.sum(2)[:, :, None] * np.eye(size) - adjacency
            inverse = np.linalg.inv(laplacian + 1 / size)
            own = np.diagonal(inverse, axis1=1, axis2=2)
            between = own[:, :, None] + own[:, None, :] - 2 * inverse
            others = between[:, ~np.eye(size, dtype=bool)].reshape(len(nodes), size, size - 1)
            out[nodes] = np.moveaxis(np.quantile(others, shares, axis=2), 0, 2)
        return out


@dataclass(frozen=True)
class EdgeResistance(Encoding):
    """`edge-resistance`: between the ends of an edge, in (0, 1]; 1 where it is all that joins two parts, 0 for a loop.

    In pieces of more than 3,000 nodes it is estimated, each value to about a tenth of itself.

    >>> EdgeResistance()(Graph([[0, 1, 2, 1, 2, 0], [1, 2, 0, 0, 1, 2]])).round(decimals=4).flatten().unique()
    tensor([0.6667])
    """

    name: ClassVar[str] = "edge-resistance"
    level: ClassVar[EncodingLevel] = "edge"

    @property
    def channels(self) -> int:
        return 1

    def values(self, graph: Graph) -> Float[np.ndarray, "e c"]:
        plain = undirected(graph)
        pairs = np.stack([plain.low, plain.high])
        measure = estimated_resistance if larger(plain, _DENSE) else effective_resistance
        found = np.append(measure(graph.adj, pairs), 0.0)  # the last one is for loops, which are no pair
        return found[plain.position(graph.adj.edge_index.numpy())][:, None]
