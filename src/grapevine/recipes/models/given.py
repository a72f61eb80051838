"""What a network is given of a graph: its features, its edges' tensor, and what is known of whole graphs."""

from typing import NamedTuple

from torch import Tensor

from grapevine.graph import Graph
from grapevine.nn.head import EdgeName
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.models.config import NEEDS_EDGES, ModelConfig, ModelName

GRAPH_FEATURES = "features"  # the tensor of whole graphs that joins behind the readout

_WEIGHTED: tuple[ModelName, ...] = ("gcn", "cheb", "arma", "sgc", "gprgnn", "gcnii", "appnp", "grand")
_DEAF: tuple[ModelName, ...] = (  # to what their edges hold
    "mlp", "sage", "gin", "h2gcn", "fagcn", "gat-sep", "sage-sep", "linkx", "dirgnn",
    "grand-diffusion",
)  # fmt: skip


class Given(NamedTuple):
    """The widths of what the encoder is given, and the name of the edges' tensor, if any."""

    channels: int
    is_sparse: bool
    edge: EdgeName | None
    edge_channels: int | None

    @classmethod
    def of(cls, config: ModelConfig, graph: Graph) -> "Given":
        name = edge_of(config.name) if config.uses_edges or config.name in NEEDS_EDGES else None
        width = None if name is None else edge_channels_of(graph, name)
        return cls(graph.x.shape[1], isinstance(graph.x, SparseMatrix), None if width is None else name, width)


def edge_of(name: ModelName) -> EdgeName | None:
    """The tensor of the edges that a model can be given."""
    if name in _DEAF:
        return None
    return "edge_weight" if name in _WEIGHTED else "edge_attr"


def edge_channels_of(graph: Graph, name: str) -> int | None:
    """How wide the edges' tensor of that name is; None if there is none of floating-point numbers."""
    tensor = graph.edge.get(name)
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        return None
    return 1 if tensor.ndim == 1 else tensor.shape[1]


def graph_channels_of(graph: Graph) -> int:
    """How many features are known of each whole graph."""
    tensor = graph.graph.get(GRAPH_FEATURES)
    return tensor.shape[1] if isinstance(tensor, Tensor) and tensor.ndim == 2 else 0
