"""What was given on the command line, by group, as plain values."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where data are."""

    data: str | None = None
    nodes: str | None = None
    edges: str | None = None
    sql: str | None = None
    nodes_query: str | None = None
    edges_query: str | None = None
    root: str | None = None
    format: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return self == Place()


@dataclass(frozen=True)
class Columns:
    """What the columns of tables are."""

    target: list[str] | None = None
    id: str | None = None
    src: str | None = None
    dst: str | None = None
    weight: str | None = None
    time: str | None = None
    directed: bool = False
    use: list[str] | None = None
    drop: list[str] | None = None


@dataclass(frozen=True)
class Molecules:
    """What the molecules are, and what is made of them."""

    smiles: str | None = None
    inchi: str | None = None
    atoms: str | None = None
    standardise: bool = False
    hydrogens: bool = False


@dataclass(frozen=True)
class Question:
    """What is asked, and how the items are split."""

    level: str | None = None
    kind: str | None = None
    metric: str | None = None
    balanced: bool = False
    negatives: str | None = None
    batch_size: int | None = None
    num_batches: int | None = None
    split: str | None = None
    split_seed: int | None = None
    fold: int | None = None
    by: str | None = None
    train_share: float | None = None
    val_share: float | None = None


@dataclass(frozen=True)
class Given:
    """The data and the question."""

    place: Place = Place()
    columns: Columns = Columns()
    molecules: Molecules = Molecules()
    question: Question = Question()


@dataclass(frozen=True)
class Depth:
    """What stands between the layers and around the network, by the names of a ModelConfig."""

    norm: str | None = None
    residual: str | None = None
    jumping: str | None = None
    drop_edge: float | None = None
    drop_node: float | None = None
    drop_message: float | None = None


@dataclass(frozen=True)
class Way:
    """Which model, and how it is trained."""

    model: str | None = None
    hidden: int | None = None
    layers: int | None = None
    dropout: float | None = None
    ensemble: int | None = None
    tune: int | None = None
    epochs: int | None = None
    learning_rate: float | None = None
    weight_decay: float | None = None
    patience: int | None = None
    seeds: int | None = None
    seed: int | None = None
    device: str | None = None
    precision: str | None = None
    depth: Depth = Depth()
    encode: str | None = None
    rewire: str | None = None


@dataclass(frozen=True)
class Kept:
    """What is kept, and under which name."""

    name: str | None
    out: Path
    has_report: bool
