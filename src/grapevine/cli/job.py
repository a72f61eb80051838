"""What `grapevine train`, `audit` and `diagnose` do: put the recipes behind one another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grapevine.cli.build import make_config, make_preparation, make_source, make_task, run_or_source
from grapevine.cli.given import Given, Kept, Question, Way
from grapevine.data.audit import AuditReport
from grapevine.data.download import Progress
from grapevine.errors import check
from grapevine.recipes.audit import audit
from grapevine.recipes.config import TaskConfig, TrainConfig
from grapevine.recipes.models import MODELS
from grapevine.recipes.plan import usual_model
from grapevine.recipes.problem import posed
from grapevine.recipes.result import TrainResult
from grapevine.recipes.source import Loaded, Source, load
from grapevine.recipes.train import keep, read_config, resume, train
from grapevine.train.run import make_runs_folder
from grapevine.train.run_files import read_toml

if TYPE_CHECKING:
    from grapevine.report.diagnosis.data import Diagnosis

_TOUR = "digits"


@dataclass(frozen=True)
class Outcome:
    """What the command came to.

    Args:
        result: the training that was kept.
        beside: of the tour, an MLP's training on the same nodes.
        notes: what was found on the way to it.
        trials: of a search, the settings that were tried.
    """

    result: TrainResult
    beside: TrainResult | None = None
    notes: tuple[str, ...] = ()
    trials: tuple[dict[str, Any], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        found = _told(self.result)
        found["notes"] = [*found["notes"], *self.notes]
        found["trials"] = list(self.trials)
        found["without_graph"] = None if self.beside is None else _told(self.beside)
        return found


def train_new(told: Given, way: Way, kept: Kept, on_progress: Progress | None) -> Outcome:
    """Load the data, make the question, choose and tune if that was asked for, and train."""
    names = None if way.model is None else _names(way.model)  # wrong ones are said before anything is read
    make_preparation(way)
    is_tour = told == Given(question=told.question)
    source = Source(dataset=_TOUR) if is_tour else make_source(told)
    loaded = load(source, on_progress=on_progress)
    task = make_task(told.question, loaded)
    names = names or [usual_model(loaded)]
    if is_tour and names == [usual_model(loaded)]:
        return _tour(source, loaded, task, way, kept, on_progress)
    if len(names) == 1:
        config = make_config(names[0], way, loaded, source, task, run_name=kept.name)
        config, trials = _tuned(config, way, loaded, on_progress)
        result = train(config, out=kept.out, loaded=loaded, has_report=kept.has_report, on_progress=on_progress)
        return Outcome(result, trials=trials)
    make_runs_folder(kept.out)
    configs = {name: make_config(name, way, loaded, source, task, run_name=kept.name) for name in names}
    result, notes = _chosen(configs, loaded, on_progress)
    config, trials = _tuned(configs[result.config.model.name], way, loaded, on_progress)
    if config.members > 1 or trials:  # than what was compared
        comparison = result.comparison
        result = replace(train(config, loaded=loaded, on_progress=on_progress), comparison=comparison)
    return Outcome(keep(result, kept.out, has_report=kept.has_report), notes=notes, trials=trials)


def train_again(config: Path, seed: int | None, kept: Kept, on_progress: Progress | None) -> Outcome:
    """What a config.toml says, under another name or from another seed if that was told."""
    path = config / "config.toml" if config.is_dir() else config
    check(path.is_file(), f"there is no file {path}")
    told = read_config(read_toml(path))
    if seed is not None:
        told = told.model_copy(update={"training": told.training.model_copy(update={"seed": seed})})
    told = told.model_copy(update={"name": kept.name or told.name})
    return Outcome(train(told, out=kept.out, has_report=kept.has_report, on_progress=on_progress))


def take_up(path: Path, on_progress: Progress | None) -> Outcome:
    """Go on with an interrupted run."""
    return Outcome(resume(path, on_progress=on_progress))


def audited(told: Given, on_progress: Progress | None) -> AuditReport:
    """Of a run, or of data with the split that was told."""
    what = run_or_source(told)
    if isinstance(what, Path):
        return audit(what, on_progress=on_progress)
    loaded = load(what, on_progress=on_progress)
    return audit(what, task=make_task(told.question, loaded), loaded=loaded)


def diagnosed(told: Given, minutes: float | None, on_progress: Progress | None) -> "tuple[Diagnosis, Path | None]":
    """A run, or data with the question that was told; and the run's folder."""
    from grapevine.recipes.diagnose import diagnose

    what = run_or_source(told)
    if isinstance(what, Path):
        return diagnose(what, minutes=minutes, on_progress=on_progress), what
    loaded = load(what, on_progress=on_progress)
    task = make_task(told.question, loaded) if _is_asked(told, loaded) else None
    return diagnose(what, task=task, loaded=loaded, minutes=minutes, on_progress=on_progress), None


def _is_asked(told: Given, loaded: Loaded) -> bool:
    """Whether there is a question: data without answers are looked at as they are."""
    is_there = "y" in loaded.dataset.graph.levels or "link" in (told.question.level, loaded.dataset.level)
    check(
        is_there or told.question == Question(), f"{loaded.dataset.name} holds no answers, so no question can be told"
    )
    return is_there


def _told(result: TrainResult) -> dict[str, Any]:
    return {**result.to_dict(), "folder": None if result.folder is None else str(result.folder)}


def _chosen(
    configs: Mapping[str, TrainConfig], loaded: Loaded, on_progress: Progress | None
) -> tuple[TrainResult, tuple[str, ...]]:
    """The training that did best of those that fit the data, each a single model, and why others were left out."""
    from grapevine.recipes.choose import choose, fitting_models

    first = next(iter(configs.values()))
    problem = posed(first.task, loaded, first.prepare)
    fitting, notes = fitting_models(loaded, problem, list(configs))
    choice = choose(
        {name: configs[name].model_copy(update={"members": 1}) for name in fitting},
        loaded=loaded, on_progress=on_progress,
    )  # fmt: skip
    return choice.result, (*notes, *choice.notes)


def _tuned(
    config: TrainConfig, way: Way, loaded: Loaded, on_progress: Progress | None
) -> tuple[TrainConfig, tuple[dict[str, Any], ...]]:
    """The settings that do best on the validation part, if a search was asked for, and all that were tried."""
    if way.tune is None:
        return config, ()
    from grapevine.recipes.tune import tune

    found = tune(config, way.tune, loaded=loaded, on_progress=on_progress)
    return found.config, found.trials


def _tour(
    source: Source, loaded: Loaded, task: TaskConfig, way: Way, kept: Kept, on_progress: Progress | None
) -> Outcome:
    """The model, and beside it an MLP, which sees no edges."""
    check(way.tune is None, "--tune is for data of your own: name a data set or give tables")
    both = [
        make_config(name, way, loaded, source, task, run_name=None if kept.name is None else f"{kept.name}-{name}")
        for name in (usual_model(loaded), "mlp")
    ]
    results = [
        train(config, out=kept.out, loaded=loaded, has_report=kept.has_report, on_progress=on_progress)
        for config in both
    ]
    return Outcome(results[0], beside=results[1])


def _names(models: str) -> Sequence[str]:
    if models == "auto":
        from grapevine.recipes.choose import AUTO

        return AUTO
    names = [name.strip() for name in models.split(",") if name.strip()]
    check(len(names) > 0, "--model names no model")
    check("auto" not in names, "--model auto tries all that fit: name no other beside it")
    for name in names:
        check(name in MODELS, f"there is no model {name!r}; there are {', '.join(MODELS)}, and auto")
    return list(dict.fromkeys(names))
