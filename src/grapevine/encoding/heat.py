"""How much of the heat that is put on a node is still there after 1, 2, ... units of time.

heat_i(t) = (e^(-t L))_ii = e^-t * the sum over k of  t^k / k! (W^k)_ii,     L = I - D^-1/2 A D^-1/2, W = D^-1 A

since L is I - W but for a change of scale, which leaves the diagonal: so it is made of the probabilities of return.
Of the simple undirected graph; a node without neighbours keeps its heat. Sun, Ovsjanikov & Guibas 2009, "A concise and
provably informative multi-scale signature based on heat diffusion"; in graph networks Rampášek et al. 2022, "Recipe for
a general, powerful, scalable graph transformer".
"""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from scipy.stats import poisson

from grapevine.encoding.encoding import Encoding, check_number
from grapevine.graph import Graph
from grapevine.graph.measures import undirected
from grapevine.ops.pattern import Pattern
from grapevine.ops.random_walk import return_probabilities


@dataclass(frozen=True)
class Heat(Encoding):
    """`heat:8`: the heat that is left after 1 .. times units of time, to eight digits; estimated where rwpe is.

    >>> Heat(2).values(Graph([[0, 1], [1, 0]], num_nodes=3)).round(4).tolist()
    [[0.5677, 0.5092], [0.5677, 0.5092], [1.0, 1.0]]
    """

    times: int = 8

    name: ClassVar[str] = "heat"

    def __post_init__(self) -> None:
        check_number(self.name, "times", self.times)

    @property
    def channels(self) -> int:
        return self.times

    def values(self, graph: Graph) -> Float[np.ndarray, "n c"]:
        plain = undirected(graph)
        pattern = Pattern(torch.from_numpy(plain.indptr), torch.from_numpy(plain.indices), plain.num_nodes)
        steps = ceil(self.times + 7 * sqrt(self.times) + 12)  # beyond it the weights come to less than 1e-9
        returns = return_probabilities(pattern, steps, is_symmetric=True).probabilities.numpy()
        times = np.arange(1, self.times + 1)
        weights = poisson.pmf(np.arange(1, steps + 1)[:, None], times)
        heat = np.exp(-times) + returns @ weights
        heat[plain.degree == 0] = 1
        return heat
