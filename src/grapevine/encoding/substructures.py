"""How many small subgraphs a node is in: cycles of a few lengths, and cliques of four.

substructures_i = [log(1 + #{ subgraphs of each kind that hold i })]

Bouritsas, Frasca, Zafeiriou & Bronstein 2022, "Improving graph neural network expressivity via subgraph isomorphism
counting". Of the simple undirected graph; cycles may have chords, unlike in `rings`.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from grapevine.encoding.cycles import cycle_counts
from grapevine.encoding.encoding import Encoding, check_number
from grapevine.graph import Graph
from grapevine.graph.measures import Undirected, undirected
from grapevine.ops.runtime.kernel import kernel
from grapevine.ops.runtime.parallel import share_rows


@dataclass(frozen=True)
class Substructures(Encoding):
    """`substructures:5`: log(1 + how many cycles of 3 .. most nodes, and cliques of four, a node is in).

    >>> four = Graph([[0, 0, 0, 1, 1, 2], [1, 2, 3, 2, 3, 3]])
    >>> Substructures(4)(four).exp()[0].round().tolist()
    [4.0, 4.0, 2.0]
    """

    most: int = 5

    name: ClassVar[str] = "substructures"

    def __post_init__(self) -> None:
        check_number(self.name, "nodes of the longest cycle", self.most, least=3)

    @property
    def channels(self) -> int:
        return self.most - 1

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        plain = undirected(graph)
        return np.log1p(np.concatenate([cycle_counts(plain, self.most), _four_cliques(plain)[:, None]], axis=1))


def _four_cliques(graph: Undirected) -> np.ndarray:
    out = np.zeros(graph.num_nodes)
    work = 4 * int((graph.degree**2).sum())
    share_rows(_cliques, graph.num_nodes, graph.indptr, graph.indices, out, work=work)
    return out


@kernel
def _cliques(begin, end, indptr, indices, out):
    """Triangles among the neighbours of i. `mark` is 1 at the neighbours, 2 at those of a that are above it too."""
    mark = np.zeros(indptr.shape[0] - 1, np.int8)
    for i in range(begin, end):
        near = indices[indptr[i] : indptr[i + 1]]
        mark[near] = 1
        for a in near:
            for p in range(indptr[a], indptr[a + 1]):
                if indices[p] > a and mark[indices[p]] == 1:
                    mark[indices[p]] = 2
            for b in near:
                if mark[b] == 2:
                    for p in range(indptr[b], indptr[b + 1]):
                        out[i] += indices[p] > b and mark[indices[p]] == 2
            mark[near] = 1
        mark[near] = 0
