"""The common face of encodings: what a node, or an edge, can be told of its place, from the edges alone.

x_i' = [x_i, encoding_i],   e_ij' = [e_ij, encoding_ij]
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.errors import InputError, check
from grapevine.graph import Graph

EncodingLevel: TypeAlias = Literal["node", "edge"]

_MOST = 1000  # columns, or what a number may be


@dataclass(frozen=True)
class Encoding(ABC):
    """Numbers for every node or edge of a graph, or of each graph of a batch on its own.

    A subclass is a frozen dataclass whose first field, if it has one, is the number in its spec, as in rwpe:16; the
    others are words behind it, as in lappe:8:signnet.

    >>> from grapevine.encoding import RandomWalk
    >>> triangle = Graph([[0, 1, 1, 2, 2, 0], [1, 0, 2, 1, 0, 2]])
    >>> RandomWalk(3)(triangle)[0], str(RandomWalk(3))
    (tensor([0.0000, 0.5000, 0.2500]), 'rwpe:3')
    """

    name: ClassVar[str]  # in a spec
    level: ClassVar[EncodingLevel] = "node"

    @property
    @abstractmethod
    def channels(self) -> int:
        """How many numbers."""

    @abstractmethod
    def values(self, graph: Graph) -> Float[np.ndarray, "rows c"]:
        """[n, channels] of the nodes, or [e, channels] of the edges in the adjacency's order, in float64."""

    def __call__(self, graph: Graph) -> Float[Tensor, "rows c"]:
        """The same as a tensor on the graph's device, in the default precision."""
        check(isinstance(graph, Graph), f"an encoding is of a Graph, got {type(graph).__name__}")
        found = self.values(graph.to("cpu"))
        return torch.from_numpy(found).to(graph.device, torch.get_default_dtype())

    def __str__(self) -> str:
        """Its spec, from which `parse` makes it again."""
        words = [self.name]
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool):
                words += [field.name] if value else []
            elif value is not None:
                words.append(str(value))
        return ":".join(words)


def check_number(name: str, what: str, number: int, *, least: int = 1) -> None:
    """Raise an InputError unless the number of a spec is a whole one from `least` to 1,000."""
    is_whole = isinstance(number, int) and not isinstance(number, bool)
    if not is_whole or not least <= number <= _MOST:
        raise InputError(f"{name} takes a number of {what}, {least} to {_MOST}, as in {name}:8; got {number!r}")
