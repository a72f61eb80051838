"""Where a trained model puts the nodes or the graphs: the states that its last part makes its answer of."""

from pathlib import Path
from typing import Any

import polars as pl
import torch
from jaxtyping import Float
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.tables import write_table
from grapevine.graph import Graph
from grapevine.graph.take import take
from grapevine.recipes.apply import data_for, graph_for
from grapevine.recipes.predict import names_of, writable
from grapevine.recipes.predict_molecules import in_all_rows
from grapevine.recipes.source import Source
from grapevine.recipes.trained import Trained

_GRAPHS = 256  # at a time


def embed(
    run: Path | str | Trained,
    source: Source | None = None,
    *,
    out: Path | str | None = None,
    on_progress: Progress | None = None,
) -> pl.DataFrame:
    """A row for each node, or for each graph of a model of graphs: its id, and its state as h_0, h_1, ...

    The states are those that the network's head is given, of a graph what its readout makes of them. Of an ensemble
    they are those of the first member: the members' states have no axes in common, so their mean would mean nothing.
    Of a file of molecules each row has one, beside its SMILES; one that is no molecule has none, and the `problem`.

    Args:
        source: the data; None: those that the run was trained on.
        out: a file to write to: .csv, .tsv, .parquet, .jsonl or .arrow.

    Raises:
        InputError: if the data can not be read, or are not what the model was made for.
    """
    path = None if out is None else writable(Path(out))
    trained, loaded = data_for(run, source, on_progress=on_progress)
    found = states(trained, graph_for(trained, loaded)).cpu().numpy()
    said = pl.DataFrame([pl.Series(f"h_{k}", column) for k, column in enumerate(found.T)])
    if loaded.molecules is not None:
        frame = in_all_rows(loaded.molecules, said)
    else:
        frame = names_of("graph" if trained.level == "graph" else "node", loaded).hstack(said)
    if path is not None:
        write_table(frame, path)
    return frame


def states(trained: Trained, graph: Graph) -> Float[Tensor, "rows c"]:
    """The states of the nodes, or of a model of graphs those of the graphs, by the first member."""
    network: Any = trained.networks.eval().models[0]
    graph = graph.to(next(network.parameters()).device)
    with torch.inference_mode():
        if trained.level != "graph":
            return network.states(graph)
        parts = (take(graph, some) for some in torch.arange(graph.num_graphs, device=graph.device).split(_GRAPHS))
        return torch.cat([network.graph_states(part) for part in parts])
