"""The common face of the layers that give the edges new states too."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from grapevine.nn.conv.inputs import Edges
from grapevine.nn.equation import Equation


class NodeEdgeLayer(nn.Module, ABC):
    """A layer (h, e) -> (h', e'), whose edge states are in the order of the adjacency, before and after."""

    equation: ClassVar[Equation]

    @abstractmethod
    def forward(
        self, x: Float[Tensor, "n c"], adj: Edges, edge: Float[Tensor, "e d"]
    ) -> tuple[Float[Tensor, "n c2"], Float[Tensor, "e d2"]]: ...
