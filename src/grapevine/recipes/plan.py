"""The configuration of a training by a few words: data, model, and what shall differ from the published settings."""

from pathlib import Path

from grapevine.data.datasets import DATASETS
from grapevine.data.datasets.molecules import NAME as MOLECULES
from grapevine.errors import check
from grapevine.recipes.config import TaskConfig, TrainConfig
from grapevine.recipes.models import MODELS, ModelName, model_config, training_settings, training_steps
from grapevine.recipes.source import Loaded, Source, source_of
from grapevine.task.task import Level


def usual_model(loaded: Loaded) -> ModelName:
    """The model that data are trained and diagnosed with where none is named."""
    return "dmpnn" if loaded.dataset.smiles is not None else "gcn"


def plan(
    data: str | Path | Source,
    model: str = "gcn",
    *,
    level: Level | None = None,
    task: TaskConfig | None = None,
    max_epochs: int | None = None,
    name: str | None = None,
) -> TrainConfig:
    """What a model is trained on the data with: the published settings where there are some, else sensible ones.

    Args:
        data: the name of a data set, a path, or a `Source`.
        level: of what something is predicted, where the data is no data set of a known name; nodes by default.
        task: what is asked, where it is not what the data suggests.
        max_epochs: at most so many epochs.
        name: of the run folder.

    Raises:
        InputError: if there is no such model.

    >>> config = plan("karate", "sage", max_epochs=20)
    >>> config.name, config.model.name, config.training.max_epochs
    ('karate-sage', 'sage', 20)
    """
    check(model in MODELS, f"there is no model {model!r}; there are {', '.join(MODELS)}")
    check(max_epochs is None or max_epochs >= 1, f"there must be at least one epoch, got {max_epochs}")
    source = data if isinstance(data, Source) else source_of(str(data))
    task = task or TaskConfig()
    known = DATASETS[source.dataset].level if source.dataset is not None and source.dataset in DATASETS else None
    asked = task.level or level or known or "node"
    dataset = MOLECULES if source.is_of_molecules else source.dataset
    settings = training_settings(model, level=asked, dataset=dataset)
    if asked == "graph":
        steps = training_steps(model, level=asked, dataset=dataset)
        task = task.model_copy(update={name: n for name, n in steps.items() if getattr(task, name) is None})
    if max_epochs is not None:
        settings = settings.model_copy(update={"max_epochs": max_epochs})
    return TrainConfig(
        name=name or f"{source.name}-{model}",
        source=source,
        task=task,
        model=model_config(model, level=asked, dataset=dataset),
        training=settings,
    )
