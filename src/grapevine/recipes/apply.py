"""A trained model and the data it is used on: reads the data as the model's own were read, and runs the model.

output = networks(graph, items), [k, members, c], in one pass over the graph, without gradients
"""

from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.molecules.encoders import MoleculeEncoders
from grapevine.data.tables import TableEncoders
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.recipes.config import TrainConfig
from grapevine.recipes.problem import with_features
from grapevine.recipes.source import Loaded, Source, load
from grapevine.recipes.train import read_config
from grapevine.recipes.trained import Trained, from_pretrained
from grapevine.train.run import load_run

_GRAPHS = 2048  # at a time


def model_of(run: Path | str | Trained) -> Trained:
    """The model itself, or that of a run folder.

    Raises:
        InputError: if the folder holds none.
    """
    return run if isinstance(run, Trained) else from_pretrained(run)


def config_of(run: Path | str) -> TrainConfig:
    """What a run was trained from.

    Raises:
        InputError: if it is no run folder.
    """
    return read_config(load_run(Path(run)).recipe)


def data_for(
    run: Path | str | Trained, source: Source | None, *, on_progress: Progress | None = None
) -> tuple[Trained, Loaded]:
    """The model, and the data: tables read by the model's encoders, features checked to be what it takes.

    Args:
        source: None: the data that the run was trained on.

    Raises:
        InputError: if there is no such run or data, or they do not fit together.
    """
    trained = model_of(run)
    if source is None:
        check(not isinstance(run, Trained), "a model that comes without its run folder must be told its data")
        source = config_of(run).source  # pyright: ignore[reportArgumentType] it is a path
    is_table = source.edges is not None or source.sql is not None
    kind = "tables" if is_table else "molecules"
    needed = TableEncoders if is_table else None if source.molecules is None else MoleculeEncoders
    is_fit = needed is None or isinstance(trained.encoders, needed)
    check(is_fit, f"the model was not trained on {kind}, so none can be read for it: give what it was trained on")
    loaded = load(source, encoders=None if needed is None else trained.encoders, on_progress=on_progress)
    return trained, loaded


def graph_for(trained: Trained, loaded: Loaded) -> Graph:
    """The graph as the model takes it; nodes without features get one that is 1 if that is what it was trained on.

    Raises:
        InputError: if the graph has not what the model was made for.
    """
    return ready(trained, with_features(loaded.dataset.graph))


def ready(trained: Trained, graph: Graph, *, is_kept: bool = True) -> Graph:
    """A graph as the networks take it: rewired and encoded as those they were trained on.

    Args:
        is_kept: whether encodings that take long are kept on disk.

    Raises:
        InputError: if it has not what the model was made for.
    """
    graph = trained.prepare(graph, trained.level, is_kept=is_kept)
    trained.inputs.check(graph)
    return graph


def outputs(trained: Trained, graph: Graph, items: Tensor | None = None) -> Float[Tensor, "k m c"]:
    """What each member says of those items, None: of all; graphs are taken some at a time.

    >>> from grapevine.recipes.models import build_network, model_config
    >>> from grapevine.recipes.trained import Inputs
    >>> from grapevine.task import SingleLabel
    >>> from grapevine.train.ensemble import Members
    >>> graph, objective = Graph([[0], [1]], x=torch.ones(2, 3)), SingleLabel(num_classes=2)
    >>> config = model_config("gcn", level="node")
    >>> networks = Members([build_network(config, graph, objective, level="node")])
    >>> outputs(Trained(networks, config, objective, "node", Inputs.of(graph)), graph).shape
    torch.Size([2, 1, 2])
    """
    networks: Any = trained.networks.eval()
    device = next(networks.parameters()).device
    graph = graph.to(device)
    with torch.inference_mode():
        if trained.level != "graph":
            return networks(graph, None if items is None else items.to(device))
        if items is None and graph.num_graphs <= _GRAPHS:
            return networks(graph, None)
        ids = torch.arange(graph.num_graphs, device=device) if items is None else items.to(device)
        return torch.cat([networks(take(graph, some), None) for some in ids.split(_GRAPHS)])


def edge_items(loaded: Loaded) -> Tensor:
    """[k] the places of the edges to be asked for, each once, in the order of the user's table or file.

    An edge that goes both ways is asked for in the direction in which it was given.
    """
    adj = loaded.dataset.graph.adj
    if loaded.tables is None:
        chosen = torch.arange(adj.num_edges)
        if adj.is_symmetric():
            chosen = chosen[adj.src <= adj.dst]
        return chosen[adj.edge_id[chosen].argsort()]
    by_input = adj.edge_id.argsort()  # the direction that was given comes before the one back
    rows = loaded.tables.edge_rows[by_input]
    order = rows.argsort(stable=True)
    is_first = torch.ones_like(rows, dtype=torch.bool)
    is_first[1:] = rows[order][1:] != rows[order][:-1]
    return by_input[order[is_first]]
