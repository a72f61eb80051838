"""What a network is made of, as plain values: a run's configuration holds it, and the same network can be built again.

Each name is one row of docs/one-equation.md, but for the MLP, which hears no neighbour: the others are to be measured
against it.
"""

from typing import Annotated, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.conv.sage import SageAggregation
from grapevine.typing import ActivationName

ModelName = Literal[
    "mlp", "gcn", "sage", "gat", "gatv2", "gin", "gine",
    "cheb", "arma", "sgc", "pna", "gatedgcn", "mlp-message", "interaction", "graphnet",
    "ggnn", "mpnn", "dmpnn", "attentivefp", "weave", "molgraph", "fingerprint",
    "h2gcn", "gprgnn", "fagcn", "gat-sep", "sage-sep", "linkx", "dirgnn",
    "gcnii", "appnp", "grand", "grand-diffusion",
]  # fmt: skip
ReadoutName = Literal[
    "sum", "mean", "max", "attention", "gated", "set2set", "sort", "deep-sets", "set-transformer",
    "attentive", "histogram", "fingerprint",
]  # fmt: skip
MODELS: tuple[ModelName, ...] = get_args(ModelName)
READOUTS: tuple[ReadoutName, ...] = get_args(ReadoutName)
NEEDS_EDGES: tuple[ModelName, ...] = ("gine", "mpnn", "dmpnn", "attentivefp", "weave", "molgraph")  # with features
NEEDS_BOTH_WAYS: tuple[ModelName, ...] = ("dmpnn", "weave")  # each edge with its other direction
HEADS_SIDE_BY_SIDE: tuple[ModelName, ...] = ("gat", "gatv2")  # each as wide as hidden_channels
_USUAL_DEGREE = 5  # of Duvenaud et al. 2015
NormName = Literal["none", "batch", "layer", "graph", "pair", "group"]
ResidualName = Literal["none", "add", "initial", "gated", "dense"]
JumpingName = Literal["none", "readout", "cat", "max", "lstm"]
_TRUTHS = {"residual": {False: "none", True: "add"}, "jumping": {False: "none", True: "readout"}}  # as once saved
Share = Annotated[float, Field(ge=0, lt=1)]


Wiring = Literal["virtual-node", "fully-adjacent"]


class Eigenvectors(BaseModel):
    """The columns of x that are eigenvectors, first .. first + count - 1, and whether SignNet reads them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: NonNegativeInt
    count: PositiveInt
    signnet: bool = False


class ModelConfig(BaseModel):
    """A network: layers of one kind, what stands between them, and what is made of the states in the end.

    Each model reads what it needs of the rest.

    Args:
        name: the kind of the layers.
        hidden_channels: width of the states between the layers, of attention that of one head.
        num_layers: how often neighbours are heard; of an MLP, its linear layers; of Weave, its modules; of APPNP and
            GRAND, their steps; of graph diffusion, the time that states flow.
        heads, last_heads: of attention, side by side in all layers but the last, whose heads are averaged; those of
            gat-sep share hidden_channels.
        activation: between the layers.
        dropout: after each activation, and of attention on its weights.
        input_dropout: on the features.
        head_dropout: in the networks that answer for graphs, pairs and edges.
        norm: between the layers; graph norm and pair norm are those of each graph on its own.
        residual: what is kept of a layer's input where it is as wide as its output: it is added, a share (alpha) of
            the first states is mixed in, or a learnt gate says how much; dense: a layer hears the states of all before.
        has_blocks: each layer is a residual block with a second linear map after it, its norm in front; with a linear
            map of the features before the first block and one to the answers behind the last (Platonov et al. 2023).
        aggregation: of SAGE.
        train_eps: learn the weight of a node's own state, of GIN and GINE; otherwise it is that of a neighbour.
        readout: how the states of a graph's nodes are brought together; None: as in the model's paper, or the sum.
        jumping: bring the states of every layer together, node by node ("cat", "max" or "lstm", Xu et al. 2018), or
            read graphs out of every layer ("readout", Xu et al. 2019; of dense features alone).
        decoder: what says whether a pair of nodes is joined.
        state_channels: width of the states that links, edges and graphs are judged by; None: hidden_channels.
        symmetric: whether an edge or a pair says the same in both directions; None: if every edge has its edge back.
        decays_first_layer_only: weight decay leaves all parameters but the first layer's alone (Kipf & Welling 2017).
        uses_edges: use the weights (GCN, ChebNet, ARMA, SGC) or the features (all other models that take them, and
            what is said of edges) that the graph's edges have.
        order: of ChebNet's polynomial, the number of its terms; of SGC the hops of a layer.
        tied: MPNN's steps share one message and one GRU.
        mode: of D-MPNN: as in its paper, or as in the program chemprop.
        distance: of Weave: up to how many bonds apart a pair is.
        max_degree: of neural fingerprints: how many neighbours a node can have; None: 5, or as many as there are.
        eigenvectors: which columns of the features are eigenvectors, whose signs mean nothing: flipped in training, or
            read by SignNet. A training fills it in from the encodings.
        wiring: how news passes beside the edges, filled in from the rewirings: by a virtual node (Hu et al. 2021), or
            by a last layer in which every node hears all of its graph (Alon & Yahav 2021).
        eps: of FAGCN: the share of the first states that each layer adds.
        direction_base: of Dir-GNN: what hears along the edges and against them.
        direction_share: of Dir-GNN: how much of what it hears goes against the edges.
        num_nodes: of LINKX, which is of one graph: how many nodes it has; None: as many as there are.
        alpha: of GCNII and initial residuals, the share of the first states; of APPNP, that of a node's own answer;
            of GPR-GNN, that of the PageRank that the weights of its hops begin as.
        strength: of GCNII, lambda.
        is_linear: of graph diffusion: attention stays that of the first states.
        drop_edge, drop_node, drop_message: shares of the edges, of the nodes' features and of the messages' numbers
            that are left out in training; messages are those of gcn, sage and gin.

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
    residual: ResidualName = "none"
    has_blocks: bool = False
    aggregation: SageAggregation = "mean"
    train_eps: bool = False
    readout: ReadoutName | None = None
    jumping: JumpingName = "none"
    decoder: Literal["dot", "bilinear", "mlp"] = "dot"
    state_channels: PositiveInt | None = None
    symmetric: bool | None = None
    decays_first_layer_only: bool = False
    uses_edges: bool = True
    order: PositiveInt = 3
    tied: bool = True
    mode: Literal["paper", "chemprop"] = "paper"
    distance: PositiveInt = 2
    max_degree: NonNegativeInt | None = None
    eigenvectors: Eigenvectors | None = None
    wiring: Wiring | None = None
    eps: float = 0.3
    direction_base: Literal["gcn", "sage", "gat"] = "sage"
    direction_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    num_nodes: PositiveInt | None = None
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.1
    strength: NonNegativeFloat = 0.5
    is_linear: bool = True
    drop_edge: Share = 0.0
    drop_node: Share = 0.0
    drop_message: Share = 0.0

    @field_validator("residual", "jumping", mode="before")
    @classmethod
    def _read_truth(cls, value: object, info: ValidationInfo) -> object:
        return _TRUTHS[info.field_name or ""][value] if isinstance(value, bool) else value

    @model_validator(mode="after")
    def _check_blocks(self) -> "ModelConfig":
        is_of_graph = self.norm in ("graph", "pair")
        check(not (self.has_blocks and is_of_graph), f"blocks take batch, layer, group or no norm, not {self.norm}")
        check(not (self.has_blocks and self.jumping != "none"), "blocks and jumping do not go together")
        is_other = self.residual in ("initial", "gated", "dense")
        check(not (self.has_blocks and is_other), f"blocks add what was there, and take no {self.residual} residual")
        return self


def settled(config: ModelConfig, graph: Graph) -> ModelConfig:
    """The configuration with what is left to the graph filled in, so that it says the same of any other graph.

    >>> settled(ModelConfig(name="gcn"), Graph([[0], [1]])).symmetric
    False
    """
    found: dict[str, object] = {}
    if config.symmetric is None:
        found["symmetric"] = graph.adj.is_symmetric()
    if config.max_degree is None and config.name == "fingerprint":
        most = int(graph.adj.in_degree.max()) if graph.num_nodes else 0
        found["max_degree"] = max(_USUAL_DEGREE, most)
    if config.num_nodes is None and config.name == "linkx" and graph.num_nodes:
        found["num_nodes"] = graph.num_nodes
    return config.model_copy(update=found)
