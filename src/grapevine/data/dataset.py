"""What readers and data sets give to the recipes: a graph or many, what is asked of it, and under which names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from grapevine.data.split import Split
from grapevine.graph import Graph

Level = Literal["node", "graph", "link", "edge"]


@dataclass(frozen=True)
class Dataset:
    """A graph, or a batch of graphs, and what is known of it beside its tensors.

    Args:
        name: what it is called in messages and run folders.
        graph: one graph, or the union of the graphs of a collection; `graph.y` holds the answers, -1 or NaN if unknown.
        level: what is to be predicted; where `y` is.
        splits: the published splits over the items of the level, the first one the default; none: one is drawn.
        ids: the user's own names of the nodes (or graphs), in order; None: their numbers.
        class_names: the names of the classes, in order; None: their numbers, or the answers are numbers.
        metric: the published metric; None: the task's default.
        smiles: of the graphs, where they are molecules; splits by scaffold and by cluster go by them.
        about: where it comes from (citation, licence, address, ...), for people.
    """

    name: str
    graph: Graph
    level: Level = "node"
    splits: tuple[Split, ...] = ()
    ids: np.ndarray | None = None
    class_names: tuple[str, ...] | None = None
    metric: str | None = None
    smiles: tuple[str, ...] | None = None
    about: Mapping[str, Any] = field(default_factory=dict)
