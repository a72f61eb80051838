"""All that a training is made of, as plain values: what `config.toml` of a run folder holds."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from grapevine.data.split import SplitRule
from grapevine.recipes.models import ModelConfig
from grapevine.recipes.prepare import NOTHING, Preparation
from grapevine.recipes.source import Source
from grapevine.task.negatives import Negatives
from grapevine.task.task import Level
from grapevine.train.settings import Settings

Share = Annotated[float, Field(ge=0, lt=1)]


class LinkRule(BaseModel):
    """How links are split and judged: see `grapevine.data.split.link_split` and `grapevine.task.LinkTask`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    val: Share = 0.05
    test: Share = 0.10
    seed: int = 0
    disjoint_train: Share = 0.0
    val_edges_in_test: bool = False
    time: str | None = None
    negatives: Negatives = Negatives()


class TaskConfig(BaseModel):
    """What is asked. What is left out is inferred from the data, and said.

    Args:
        level: of what something is predicted: nodes, graphs, links or edges.
        kind: what the answers are: classes, labels (several yes-or-no answers an item) or numbers.
        metric: what chooses among models.
        balanced: let every class teach as much, however few its items are.
        batch_size: graphs a step; None: as published, or 32.
        num_batches: steps an epoch, each drawn from all training graphs; None: as published, or each graph once.
        split: which items teach, choose and judge; None: the data's own split if it has one, else one drawn at random.
        links: the same for links.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: Level | None = None
    kind: Literal["classes", "labels", "numbers"] | None = None
    metric: str | None = None
    balanced: bool = False
    batch_size: PositiveInt | None = None
    num_batches: PositiveInt | None = None
    split: SplitRule | None = None
    links: LinkRule = LinkRule()


class TrainConfig(BaseModel):
    """A training: data, question, model, how it is trained, from how many seeds and as how many members.

    `prepare` is what is done to the graph before a network sees it: rewiring and encodings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: Source
    task: TaskConfig = TaskConfig()
    model: ModelConfig
    training: Settings
    seeds: PositiveInt = 1
    members: PositiveInt = 1
    prepare: Preparation = NOTHING
