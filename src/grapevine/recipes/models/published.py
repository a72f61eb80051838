"""Which sizes and which training a model gets: those of its paper on the data sets it was tried on, else sensible ones.

What a table leaves out is as the table before it says: every model, the level, the model, the model at that level, the
data set.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from grapevine.data.datasets.molecules import NAME as MOLECULES
from grapevine.errors import check
from grapevine.recipes.models.config import MODELS, ModelConfig, ModelName
from grapevine.task.task import Level
from grapevine.train.settings import Settings, default_clip_norm


class _Values(NamedTuple):
    """Fields of a ModelConfig, of Settings, and of what a step and an epoch are."""

    model: Mapping[str, Any] = {}
    training: Mapping[str, Any] = {}
    steps: Mapping[str, int] = {}


_LEVELS: dict[Level, _Values] = {
    "node": _Values({"input_dropout": 0.2}),
    # Batch norm and a step that falls, as in the graph networks of Xu et al. 2019.
    "graph": _Values(
        {"num_layers": 4, "norm": "batch", "dropout": 0.0},
        {"learning_rate": 0.005, "weight_decay": 0.0, "max_epochs": 350, "schedule": "step"},
    ),
    # Kipf & Welling 2016, "Variational graph auto-encoders": two layers, dot products, no weight decay. The widths and
    # the dropout by the validation part of Cora.
    "link": _Values(
        {"hidden_channels": 128, "input_dropout": 0.5, "dropout": 0.5, "state_channels": 64},
        {"weight_decay": 0.0, "max_epochs": 500, "patience": 50, "stop_on": "metric"},
    ),
    "edge": _Values({"dropout": 0.2, "head_dropout": 0.2}, {"learning_rate": 0.005, "max_epochs": 500, "patience": 50}),
}

# Chen et al. 2020, table 4 of the appendix: 0.01 is the decay of the layers, 5e-4 that of the two linear maps.
_CHEN = _Values(
    {
        "hidden_channels": 64, "num_layers": 64, "alpha": 0.1, "strength": 0.5, "dropout": 0.6, "input_dropout": 0.6,
        "norm": "none",
    },
    {
        "learning_rate": 0.01, "weight_decay": 0.01, "other_weight_decay": 5e-4, "max_epochs": 1500, "patience": 100,
    },
)  # fmt: skip
_CHEN_CITESEER = _CHEN._replace(
    model={
        **_CHEN.model, "hidden_channels": 256, "num_layers": 32, "strength": 0.6, "dropout": 0.7, "input_dropout": 0.7,
    }
)  # fmt: skip
_CHEN_PUBMED = _Values(
    {**_CHEN.model, "hidden_channels": 256, "num_layers": 16, "strength": 0.4, "dropout": 0.5, "input_dropout": 0.5},
    {**_CHEN.training, "weight_decay": 5e-4},
)
# Gasteiger et al. 2019, section 5: the decay is of the first layer's weights.
_GASTEIGER = _Values(
    {
        "hidden_channels": 64, "num_layers": 10, "alpha": 0.1, "dropout": 0.5, "input_dropout": 0.5,
        "decays_first_layer_only": True, "norm": "none",
    },
    {"learning_rate": 0.01, "weight_decay": 5e-3, "max_epochs": 10_000, "patience": 100},
)  # fmt: skip
# Feng et al. 2020, table 6 of the appendix: Cora, CiteSeer, PubMed.
_FENG = _Values(
    {
        "hidden_channels": 32, "num_layers": 8, "drop_node": 0.5, "dropout": 0.5, "input_dropout": 0.5, "norm": "none",
    },
    {"learning_rate": 0.01, "weight_decay": 5e-4, "max_epochs": 5000, "patience": 200},
)  # fmt: skip
_FENG_CITESEER = _FENG._replace(model={**_FENG.model, "num_layers": 2, "dropout": 0.2, "input_dropout": 0.0})
_FENG_PUBMED = _Values(
    {**_FENG.model, "num_layers": 5, "dropout": 0.8, "input_dropout": 0.6, "norm": "batch"},
    {**_FENG.training, "learning_rate": 0.2, "patience": 100},
)


def _agreeing(values: _Values, samples: int, temperature: float, weight: float) -> _Values:
    """With several passes a step that are to agree."""
    how = {"samples": samples, "temperature": temperature, "weight": weight}
    return values._replace(training={**values.training, "consistency": how})


# Of the program of Chamberlain et al. 2021, for Cora; its Adamax is Adam here, and its time a whole number.
_CHAMBERLAIN = _Values(
    {
        "hidden_channels": 80, "num_layers": 18, "heads": 8, "dropout": 0.05, "input_dropout": 0.5, "norm": "none",
    },
    {"learning_rate": 0.02, "weight_decay": 5e-3, "max_epochs": 1000, "patience": 100},
)  # fmt: skip

_HEADS = {"hidden_channels": 8, "heads": 8, "activation": "elu"}
# For graphs whose neighbours are unlike, from the programs of the papers. Zhu et al. 2020: H2GCN-2.
_ZHU = _Values(
    {"hidden_channels": 64, "num_layers": 2, "dropout": 0.5, "input_dropout": 0.0, "norm": "none"},
    {"learning_rate": 0.01, "weight_decay": 5e-4, "max_epochs": 2000, "stop_on": "metric"},
)
_CHIEN = _Values(
    {"hidden_channels": 64, "num_layers": 10, "alpha": 0.1, "dropout": 0.5, "input_dropout": 0.5, "norm": "none"},
    {"learning_rate": 0.01, "weight_decay": 5e-4, "max_epochs": 1000, "patience": 200},
)
_BO = _Values(
    {"hidden_channels": 32, "num_layers": 2, "eps": 0.3, "dropout": 0.5, "input_dropout": 0.5, "norm": "none"},
    {"learning_rate": 0.01, "weight_decay": 5e-5, "max_epochs": 500, "patience": 200, "stop_on": "metric"},
)
# Lim et al. 2021, out of the ranges that were tried there.
_LIM = _Values(
    {"hidden_channels": 64, "num_layers": 1, "dropout": 0.5, "input_dropout": 0.0, "norm": "batch"},
    {"learning_rate": 0.01, "weight_decay": 1e-3, "optimizer": "adamw", "max_epochs": 500, "stop_on": "metric"},
)
# Residual blocks of Platonov et al. 2023, where these are always in them; narrower, and with a longer step.
_SEPARATED = {"activation": "gelu", "dropout": 0.2, "input_dropout": 0.0, "norm": "layer", "has_blocks": True}
_STEADY = {"learning_rate": 3e-3, "weight_decay": 0.0, "stop_on": "metric"}
_MODELS: dict[str, _Values] = {
    "gat": _Values(_HEADS, {"learning_rate": 0.005}),
    "gatv2": _Values(_HEADS, {"learning_rate": 0.005}),
    "gin": _Values({}, {"learning_rate": 0.005}),
    "gine": _Values({}, {"learning_rate": 0.005}),
    "h2gcn": _ZHU,
    "gprgnn": _CHIEN,
    "fagcn": _BO,
    "gat-sep": _Values({**_SEPARATED, "heads": 8}, _STEADY),
    "sage-sep": _Values(_SEPARATED, _STEADY),
    "linkx": _LIM,
    "dirgnn": _Values({}, {"learning_rate": 0.005, "weight_decay": 0.0}),
    "gcnii": _CHEN._replace(model={**_CHEN.model, "num_layers": 16}),
    "appnp": _GASTEIGER,
    "grand": _FENG,
    "grand-diffusion": _CHAMBERLAIN,
}

# Of molecules, 500 to 10,000 of them. Sums over atoms, as energies are, and no norm between the layers: batch norm made
# the errors of energies several times larger, as did readouts that average. Of D-MPNN width and depth of Yang et al.
# 2019, epochs and warm-up of chemprop 2. The rest by the validation parts of five random splits of ESOL and FreeSolv,
# while a ninth of the training part chose the epoch: the average of the weights and the cosine helped on both; dropout,
# a longer step and more features of atoms did not.
_MOLECULAR = {"learning_rate": 1e-3, "schedule": "cosine", "warmup_epochs": 2, "max_epochs": 50, "ema": 0.99}
_YANG = _Values({"hidden_channels": 300, "num_layers": 3, "head_dropout": 0.0, "readout": "sum"}, _MOLECULAR)
_SUMMED = _Values({"norm": "none", "readout": "sum"}, {**_MOLECULAR, "learning_rate": 5e-3})
_OWN_SUMS = _Values({"norm": "none"}, _SUMMED.training)  # the readouts of their papers are weighted sums
# Width, depth and dropout in the range of Xiong et al. 2020.
_XIONG = _Values({"hidden_channels": 200, "num_layers": 2, "dropout": 0.1}, _MOLECULAR)
_MODELS_AT: dict[tuple[Level, str], _Values] = {
    ("graph", "dmpnn"): _YANG,
    ("node", "grand"): _agreeing(_FENG, 4, 0.5, 1.0),
}

# Kipf & Welling 2017, table 1 and section 5.2, and Velickovic et al. 2018, section 3.3, with their own patience.
_KIPF = _Values(
    {"hidden_channels": 16, "input_dropout": 0.5, "dropout": 0.5, "decays_first_layer_only": True},
    {"learning_rate": 0.01, "weight_decay": 5e-4, "max_epochs": 200, "patience": 10},
)
_VELICKOVIC = _Values(
    {"input_dropout": 0.6, "dropout": 0.6},
    {"learning_rate": 0.005, "weight_decay": 5e-4, "max_epochs": 1000, "patience": 100},
)
_VELICKOVIC_PUBMED = _Values(
    {**_VELICKOVIC.model, "last_heads": 8}, {**_VELICKOVIC.training, "learning_rate": 0.01, "weight_decay": 1e-3}
)
_CITED = _Values({"input_dropout": 0.5})
# By the validation accuracy on Cora.
_CITED_GIN = _Values({"input_dropout": 0.8, "dropout": 0.6}, {"weight_decay": 5e-3})
# Shchur et al. 2018, "Pitfalls of graph neural network evaluation": 64 hidden units.
_BOUGHT = _Values({"input_dropout": 0.5, "dropout": 0.5}, {"max_epochs": 500, "patience": 50})
# Blocks, layer norm, GELU and dropout of Platonov et al. 2023; narrower, and with a longer step to make up for it.
_HETEROPHILOUS = _Values(
    {
        "hidden_channels": 64, "num_layers": 5, "activation": "gelu", "dropout": 0.2, "input_dropout": 0.0,
        "norm": "layer", "has_blocks": True,
    },
    {"learning_rate": 3e-3, "weight_decay": 0.0, "max_epochs": 1000, "patience": 100, "stop_on": "metric"},
)  # fmt: skip
# Xu et al. 2019, section 7: five layers with the input, dropout after the readout, half the step every 50 epochs,
# each of 50 batches drawn from all training graphs.
_XU = _Values(
    {
        "hidden_channels": 32, "num_layers": 4, "norm": "batch", "dropout": 0.0, "head_dropout": 0.5,
        "jumping": "readout",
    },
    {
        "learning_rate": 0.01, "weight_decay": 0.0, "max_epochs": 350, "patience": 100, "schedule": "step",
        "clip_norm": None,
    },
    {"batch_size": 32, "num_batches": 50},
)  # fmt: skip
_DIGITS = _Values({"input_dropout": 0.2}, {"max_epochs": 400, "patience": 50})  # by the validation accuracy

_CITATIONS = ("cora", "citeseer", "pubmed")
_SHOPS = ("amazon-photo", "amazon-computers", "coauthor-cs", "coauthor-physics")
_PLATONOV = ("roman-empire", "amazon-ratings", "minesweeper", "tolokers", "questions")
# Pages of universities (Pei et al. 2020), 183 to 251 of them. Widths, dropout and decay are those that the baselines of
# Zhu et al. 2020 had, who chose the epoch by the accuracy; of GPR-GNN the published alpha and step. That one block is
# enough, and eps and the decay of FAGCN, by the validation parts of Texas.
_PAGES = _Values(
    {"hidden_channels": 64, "dropout": 0.5, "input_dropout": 0.0},
    {"learning_rate": 0.01, "weight_decay": 5e-4, "stop_on": "metric"},
)
_BLOCK_PAGES = _Values({**_PAGES.model, "num_layers": 1}, _PAGES.training)
_BO_PAGES = _Values({"eps": 0.9}, {"weight_decay": 5e-4})
_CHIEN_PAGES = _Values({"alpha": 1.0}, {"learning_rate": 0.05})
_WEBKB = ("texas", "cornell", "wisconsin")
_TU = ("tu:MUTAG", "tu:PROTEINS", "tu:NCI1", "tu:PTC_MR")
_ATTENTION: tuple[ModelName, ...] = ("gat", "gatv2")
_OWN_DEPTH: tuple[ModelName, ...] = (  # their layers are no blocks
    "h2gcn", "gprgnn", "fagcn", "linkx", "gcnii", "appnp", "grand", "grand-diffusion",
)  # fmt: skip
_DATASETS: dict[tuple[str, str], _Values] = {
    **{(dataset, model): _CITED for dataset in _CITATIONS for model in MODELS},
    **{(dataset, model): _CITED_GIN for dataset in _CITATIONS for model in ("gin", "gine")},
    **{(dataset, "gcn"): _KIPF for dataset in _CITATIONS},
    ("cora", "gcnii"): _CHEN,
    ("citeseer", "gcnii"): _CHEN_CITESEER,
    ("pubmed", "gcnii"): _CHEN_PUBMED,
    **{(dataset, "appnp"): _GASTEIGER for dataset in _CITATIONS},
    ("cora", "grand"): _agreeing(_FENG, 4, 0.5, 1.0),
    ("citeseer", "grand"): _agreeing(_FENG_CITESEER, 2, 0.3, 0.7),
    ("pubmed", "grand"): _agreeing(_FENG_PUBMED, 4, 0.2, 1.0),
    **{(dataset, "grand-diffusion"): _CHAMBERLAIN for dataset in _CITATIONS},
    **{(dataset, model): _VELICKOVIC for dataset in _CITATIONS for model in _ATTENTION},
    **{("pubmed", model): _VELICKOVIC_PUBMED for model in _ATTENTION},
    **{(dataset, model): _BOUGHT for dataset in _SHOPS for model in MODELS},
    **{(dataset, model): _HETEROPHILOUS for dataset in _PLATONOV for model in MODELS if model not in _OWN_DEPTH},
    **{(dataset, model): _PAGES for dataset in _WEBKB for model in ("mlp", "gcn", "sage", "gin", "dirgnn")},
    **{(dataset, model): _BLOCK_PAGES for dataset in _WEBKB for model in ("sage-sep", "gat-sep")},
    **{(dataset, "fagcn"): _BO_PAGES for dataset in _WEBKB},
    **{(dataset, "gprgnn"): _CHIEN_PAGES for dataset in _WEBKB},
    **{(dataset, model): _XU for dataset in _TU for model in ("gin", "gine")},
    **{("digits", model): _DIGITS for model in MODELS},
    **{(MOLECULES, model): _SUMMED for model in MODELS},
    **{(MOLECULES, model): _OWN_SUMS for model in ("ggnn", "fingerprint")},
    (MOLECULES, "attentivefp"): _XIONG,
    (MOLECULES, "dmpnn"): _YANG,
}


def model_config(name: str, *, level: Level, dataset: str | None = None) -> ModelConfig:
    """The network of a model: as published for that data set and its level, or a sensible one.

    Args:
        dataset: its name; "molecules" stands for all files of molecules.

    Raises:
        InputError: if there is no such model.

    >>> model_config("gcn", level="node", dataset="cora").hidden_channels
    16
    """
    fields = {"name": name}
    for values in _values(name, level, dataset):
        fields |= values.model
    return ModelConfig.model_validate(fields)


def training_settings(name: str, *, level: Level, dataset: str | None = None) -> Settings:
    """How a model is trained: as published for that data set and its level, or sensibly.

    Raises:
        InputError: if there is no such model.

    >>> training_settings("gat", level="node", dataset="cora").learning_rate
    0.005
    """
    fields: dict[str, Any] = {"clip_norm": default_clip_norm(level)}
    for values in _values(name, level, dataset):
        fields |= values.training
    return Settings.model_validate(fields)


def training_steps(name: str, *, level: Level, dataset: str | None = None) -> dict[str, int]:
    """What a step and an epoch of the published training are, where it says so: `batch_size` and `num_batches`.

    >>> training_steps("gin", level="graph", dataset="tu:MUTAG")
    {'batch_size': 32, 'num_batches': 50}
    """
    found: dict[str, int] = {}
    for values in _values(name, level, dataset):
        found |= values.steps
    return found


def _values(name: str, level: Level, dataset: str | None) -> list[_Values]:
    """What is told of a model on a data set, the more special the later."""
    check(name in MODELS, f"there is no model {name!r}; there are {', '.join(MODELS)}")
    found = [_LEVELS[level], _MODELS.get(name, _Values()), _MODELS_AT.get((level, name), _Values())]
    own: Level = "graph" if dataset in (*_TU, MOLECULES) else "node"
    if level == own and dataset is not None:
        found.append(_DATASETS.get((dataset, name), _Values()))
    return found
