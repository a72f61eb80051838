"""Which sizes of rings a node is on: cycles without a chord, so that two fused rings are no third, larger one.

rings_i = [log(1 + #{ chordless cycles of 3 nodes through i }), ..., log(1 + #{ ... of most nodes })]

As in the features of atoms of chemistry; of any graph Bodnar et al. 2021, "Weisfeiler and Lehman go cellular: CW
networks", which lift these rings. Of the simple undirected graph.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from grapevine.encoding.cycles import cycle_counts
from grapevine.encoding.encoding import Encoding, check_number
from grapevine.graph import Graph
from grapevine.graph.measures import undirected


@dataclass(frozen=True)
class Rings(Encoding):
    """`rings:8`: log(1 + how many rings of 3 .. most nodes a node is on).

    >>> square_with_a_tail = Graph([[0, 1, 2, 3, 0], [1, 2, 3, 0, 4]])
    >>> Rings(4)(square_with_a_tail).exp().tolist()
    [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 1.0]]
    """

    most: int = 8

    name: ClassVar[str] = "rings"

    def __post_init__(self) -> None:
        check_number(self.name, "nodes of the largest ring", self.most, least=3)

    @property
    def channels(self) -> int:
        return self.most - 2

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        return np.log1p(cycle_counts(undirected(graph), self.most, is_chordless=True))
