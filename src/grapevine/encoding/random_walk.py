"""How probable a random walk is back where it began, or at the other end of an edge, after 1, 2, ... steps.

rwpe_i = [(W)_ii, (W^2)_ii, ..., (W^k)_ii],    edge-rwpe_ji = [W_ji, (W^2)_ji, ...]     W = D^-1 A, along the edges

Dwivedi, Luu, Laurent, Bengio & Bresson 2022, "Graph neural networks with learnable structural and positional
representations"; of pairs Ma et al. 2023, "Graph inductive biases in transformers without message passing".
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from grapevine.encoding.encoding import Encoding, EncodingLevel, check_number
from grapevine.graph import Graph
from grapevine.ops.random_walk import arrival_probabilities, return_probabilities


@dataclass(frozen=True)
class RandomWalk(Encoding):
    """`rwpe:16`: the probabilities of return after 1 .. steps steps; edges count as often as they stand there.

    Exact, but where a node's surroundings are so large that all nodes together would pass over more than 2^32 edges:
    there it is estimated from 256 walks a node, as `ops.random_walk` says. Of molecules and of graphs whose balls of
    half the radius are small, such as grids and roads, it is exact at any size.

    >>> RandomWalk(4)(Graph([[0, 1, 1, 2], [1, 0, 2, 1]])).tolist()[0]
    [0.0, 0.5, 0.0, 0.5]
    """

    steps: int = 16

    name: ClassVar[str] = "rwpe"

    def __post_init__(self) -> None:
        check_number(self.name, "steps", self.steps)

    @property
    def channels(self) -> int:
        return self.steps

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        adj = graph.adj
        return return_probabilities(adj.pattern, self.steps, is_symmetric=adj.is_symmetric()).probabilities.numpy()


@dataclass(frozen=True)
class EdgeRandomWalk(Encoding):
    """`edge-rwpe:8`: how probable a walk from an edge's source is at its target after 1 .. steps steps. Exact.

    >>> EdgeRandomWalk(2)(Graph([[0, 1, 1, 2], [1, 0, 2, 1]])).tolist()[0]
    [0.5, 0.0]
    """

    steps: int = 8

    name: ClassVar[str] = "edge-rwpe"
    level: ClassVar[EncodingLevel] = "edge"

    def __post_init__(self) -> None:
        check_number(self.name, "steps", self.steps)

    @property
    def channels(self) -> int:
        return self.steps

    def values(self, graph: Graph) -> Float[np.ndarray, "e c"]:
        return arrival_probabilities(graph.adj.pattern, self.steps).numpy()
