"""Looks for leaks in data, with the split that a training on it has."""

from pathlib import Path

from grapevine.data.audit import AuditReport, audit_links
from grapevine.data.audit import audit as audit_dataset
from grapevine.data.download import Progress
from grapevine.data.split import LinkSplit
from grapevine.data.tables import TableEncoders
from grapevine.recipes.apply import config_of
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.problem import posed
from grapevine.recipes.source import Loaded, Source, load


def audit(
    what: Path | str | Source,
    *,
    task: TaskConfig | None = None,
    loaded: Loaded | None = None,
    on_progress: Progress | None = None,
) -> AuditReport:
    """What a model could know of the test before it is judged by it: see `grapevine.data.audit`.

    Args:
        what: a run folder, whose data and split are looked at, or a source.
        task: the question and the split, for a source; by default those that a training would have.
        loaded: the data, where they are loaded already.

    Raises:
        InputError: if there is no such run or data.

    >>> audit(Source(dataset="karate")).leaks
    ()
    """
    if not isinstance(what, Source):
        config = config_of(what)
        what, task = config.source, config.task
    loaded = load(what, on_progress=on_progress) if loaded is None else loaded
    dataset, task = loaded.dataset, task or TaskConfig()
    level = task.level or dataset.level
    if level != "link" and "y" not in dataset.graph.levels:
        return audit_dataset(dataset)  # nothing is asked: the features and the published split alone
    problem = posed(task, loaded)
    if isinstance(problem.split, LinkSplit):
        return audit_links(problem.split, ids=dataset.ids, name=dataset.name)
    rule = problem.config.split
    time = rule.time if rule is not None and rule.kind == "time" else None
    names = _feature_names(loaded, problem.level)
    return audit_dataset(problem.dataset, split=problem.split, time=time, feature_names=names)


def _feature_names(loaded: Loaded, level: str) -> list[str] | None:
    """What the user calls the features that are looked at; None where they have no names."""
    encoders = loaded.encoders
    if not isinstance(encoders, TableEncoders):
        return None
    if level == "node":
        return encoders.node_names
    weight = [encoders.spec.weight] if encoders.spec.weight is not None else []
    return [*encoders.edge_names, *weight]
