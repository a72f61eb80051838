"""What a network is made of, as plain values: a run's configuration holds it, and the same network can be built again.

GCN: Kipf & Welling 2017. SAGE: Hamilton et al. 2017. GAT: Velickovic et al. 2018. GATv2: Brody et al. 2022.
GIN: Xu et al. 2019. GINE: Hu et al. 2020. The MLP hears no neighbour: the others are to be measured against it.
"""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.conv.sage import SageAggregation
from grapevine.typing import ActivationName

ModelName = Literal["mlp", "gcn", "sage", "gat", "gatv2", "gin", "gine"]
MODELS: tuple[ModelName, ...] = get_args(ModelName)
NormName = Literal["none", "batch", "layer", "graph"]
Share = Annotated[float, Field(ge=0, lt=1)]


class ModelConfig(BaseModel):
    """A network: layers of one kind, what stands between them, and what is made of the states in the end.

    Each model reads what it needs of the rest.

    Args:
        name: the kind of the layers.
        hidden_channels: width of the states between the layers, of attention that of one head.
        num_layers: how often neighbours are heard; of an MLP, its linear layers.
        heads, last_heads: of attention, side by side in all layers but the last, whose heads are averaged.
        activation: between the layers.
        dropout: after each activation, and of attention on its weights.
        input_dropout: on the features.
        head_dropout: in the networks that answer for graphs, pairs and edges.
        norm: between the layers; graph norm is that of each graph on its own.
        residual: add a layer's input to its output where they are equally wide.
        has_blocks: each layer is a residual block with a second linear map after it, its norm in front; with a linear
            map of the features before the first block and one to the answers behind the last (Platonov et al. 2023).
        aggregation: of SAGE.
        train_eps: learn the weight of a node's own state, of GIN and GINE; otherwise it is that of a neighbour.
        readout: how the states of a graph's nodes are brought together.
        jumping: read out the states of every layer, as in Xu et al. 2019; of dense features alone.
        decoder: what says whether a pair of nodes is joined.
        state_channels: width of the states that links, edges and graphs are judged by; None: hidden_channels.
        symmetric: whether an edge or a pair says the same in both directions; None: if every edge has its edge back.
        decays_first_layer_only: weight decay leaves all parameters but the first layer's alone (Kipf & Welling 2017).
        uses_edges: use the weights (GCN) or the features (GAT, GATv2, GINE, and what is said of edges) that the
            graph's edges have.

    >>> ModelConfig(name="gcn", hidden_channels=16).num_layers
    2
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: ModelName
    hidden_channels: PositiveInt = 64
    num_layers: PositiveInt = 2
    heads: PositiveInt = 1
    last_heads: PositiveInt = 1
    activation: ActivationName = "relu"
    dropout: Share = 0.5
    input_dropout: Share = 0.0
    head_dropout: Share = 0.0
    norm: NormName = "none"
    residual: bool = False
    has_blocks: bool = False
    aggregation: SageAggregation = "mean"
    train_eps: bool = False
    readout: Literal["sum", "mean", "max"] = "sum"
    jumping: bool = False
    decoder: Literal["dot", "bilinear", "mlp"] = "dot"
    state_channels: PositiveInt | None = None
    symmetric: bool | None = None
    decays_first_layer_only: bool = False
    uses_edges: bool = True

    @model_validator(mode="after")
    def _check_blocks(self) -> "ModelConfig":
        check(not (self.has_blocks and self.norm == "graph"), "blocks take batch, layer or no norm, not graph")
        check(not (self.has_blocks and self.jumping), "blocks and jumping do not go together")
        return self


def settled(config: ModelConfig, graph: Graph) -> ModelConfig:
    """The configuration with what is left to the graph filled in, so that it says the same of any other graph.

    >>> settled(ModelConfig(name="gcn"), Graph([[0], [1]])).symmetric
    False
    """
    if config.symmetric is not None:
        return config
    return config.model_copy(update={"symmetric": graph.adj.is_symmetric()})
