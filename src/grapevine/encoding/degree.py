"""How many edges come into a node.

degree_i = log(1 + d_i),   or one of most + 1 columns that is 1, for d_i = 0, 1, ..., most and above
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from grapevine.encoding.encoding import Encoding, check_number
from grapevine.graph import Graph


@dataclass(frozen=True)
class Degree(Encoding):
    """`degree`: the logarithm of 1 + degree; `degree:10`: a column for each degree from 0 to 10, the last for more too.

    >>> path = Graph([[0, 1, 1, 2], [1, 0, 2, 1]])
    >>> Degree(2)(path).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """

    most: int | None = None

    name: ClassVar[str] = "degree"

    def __post_init__(self) -> None:
        if self.most is not None:
            check_number(self.name, "degrees", self.most)

    @property
    def channels(self) -> int:
        return 1 if self.most is None else self.most + 1

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        degree = graph.adj.in_degree.numpy()
        if self.most is None:
            return np.log1p(degree.astype(np.float64))[:, None]
        return np.eye(self.most + 1)[np.minimum(degree, self.most)]
