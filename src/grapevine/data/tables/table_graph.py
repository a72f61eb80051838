"""What comes of two tables: a graph, its nodes' names, and all that the next tables must be read by."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jaxtyping import Int
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from grapevine.data.dataset import Dataset
from grapevine.data.split import Split
from grapevine.data.tables.encoder import Encoder, EncodingReport
from grapevine.data.tables.identifiers import Identifiers
from grapevine.data.tables.rejects import Rejects
from grapevine.data.tables.spec import TableSpec
from grapevine.data.tables.target import Target
from grapevine.errors import InputError
from grapevine.graph import Graph


class TableEncoders(BaseModel):
    """All that new tables must be read by to fit a trained model: which column is what, and the fitted encoders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    spec: TableSpec
    has_nodes: bool  # whether there was a table of nodes
    node: Encoder | None = None
    edge: Encoder | None = None
    target: Target | None = None

    @property
    def uses_degree(self) -> bool:
        """Whether the nodes have no features of their own, and so log(1 + degree)."""
        return self.node is None or self.node.width == 0

    @property
    def node_names(self) -> list[str]:
        """What each number of x is called."""
        if self.uses_degree:
            return ["log in-degree", "log out-degree"] if self.spec.directed else ["log degree"]
        return self.node.names if self.node is not None else []

    @property
    def edge_names(self) -> list[str]:
        """What each number of edge_attr is called."""
        return [] if self.edge is None else self.edge.names

    def to_dict(self) -> dict[str, Any]:
        """As dictionaries, lists, strings and numbers: ready for JSON."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "TableEncoders":
        """What `to_dict` gave.

        Raises:
            InputError: if it is something else.
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputError(f"these are no saved encoders: {error.errors()[0]['msg']}") from error


@dataclass(frozen=True)
class TableGraph:
    """A graph and where it came from.

    Args:
        graph: x, y (-1 or NaN where it is not known), and edge_weight, edge_attr and time where there are such columns.
        level: what is to be predicted: nodes, edges, or links.
        ids: the users' names of the nodes.
        encoders: what the tables were read by, for the next ones.
        rejects: the rows left out, of both tables.
        notes: what was found and inferred, a sentence each.
        counts: how many edges were repeated, turned round or loops, and how many answers are known.
        split: from a column that says train, val and test.
        node_report, edge_report: what was missing or unknown in the features.
        edge_rows: [e] which row of the edge table each edge is from, counted from 0, in the adjacency's order.
    """

    graph: Graph
    level: Literal["node", "edge", "link"]
    ids: Identifiers
    encoders: TableEncoders
    rejects: Rejects
    notes: tuple[str, ...]
    counts: dict[str, int]
    split: Split | None
    node_report: EncodingReport | None
    edge_report: EncodingReport | None
    edge_rows: Int[Tensor, " e"]

    @property
    def target(self) -> Target | None:
        return self.encoders.target

    def dataset(self, name: str) -> Dataset:
        """As the recipes take it."""
        splits = () if self.split is None else (self.split,)
        class_names = None if self.target is None else self.target.class_names
        return Dataset(name, self.graph, self.level, splits, self.ids.to_numpy(), class_names)
