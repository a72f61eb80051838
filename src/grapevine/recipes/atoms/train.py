"""Trains a potential as a configuration says, and keeps what it came to as a run folder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from grapevine.data.download import Progress
from grapevine.errors import InputError, check
from grapevine.recipes.atoms.apply import judge, say
from grapevine.recipes.atoms.baselines import baselines
from grapevine.recipes.atoms.build import Start, build, check_same, filled, refitted, start_of
from grapevine.recipes.atoms.config import AtomsConfig
from grapevine.recipes.atoms.data import AtomsData, load_atoms
from grapevine.recipes.atoms.models import DTYPES
from grapevine.recipes.atoms.result import AtomsResult, epoch_rows, structure_table
from grapevine.recipes.atoms.trained import TrainedPotential, load_potential
from grapevine.task.any_objective import in_words
from grapevine.task.energy_forces import EnergyForces
from grapevine.task.structure import PotentialRows, StructureTask
from grapevine.task.task import PARTS
from grapevine.train.loop import fit
from grapevine.train.record import Epoch, Fit
from grapevine.train.run import Run, RunFolder
from grapevine.train.settings import Settings

_LOWEST = 0.1  # where the first part of training leaves the step, as a share of where it began; there the last begins


def train_potential(
    config: AtomsConfig, *, out: Path | None = None, has_report: bool = True, on_progress: Progress | None = None
) -> AtomsResult:
    """Train what the configuration says.

    Args:
        out: where to make the run folder; None keeps nothing on disk.
        has_report: whether the run folder gets a report.html.
        on_progress: is told what is trained, the epoch, and how many there can be.

    Raises:
        InputError: if the data lack something, or `out` can not be written to.
        DivergedError: if the loss is no number any more.
    """
    begun = None if config.finetune is None else load_potential(config.finetune)
    if begun is not None:
        check_same(config.model, begun.config, config.finetune or "")
    cutoff = config.model.cutoff if begun is None else begun.config.cutoff
    data = load_atoms(config.source, config.split, cutoff)
    source = config.source.absolute()
    finetune = None if config.finetune is None else str(Path(config.finetune).expanduser().absolute())
    config = config.model_copy(
        update={"model": filled(config.model, data, begun), "source": source, "finetune": finetune}
    )
    if out is None:
        return _train(config, data, begun, None, on_progress)
    folder = RunFolder.begin(Path(out), config.name, recipe_of(config))
    return _kept(folder, config, data, begun, has_report, on_progress)


def resume_potential(path: Path, *, on_progress: Progress | None = None) -> AtomsResult:
    """Take up a training that was interrupted, to the end that it would have come to.

    Raises:
        InputError: if there is no unfinished run at this path.
    """
    folder = RunFolder.resume(Path(path))
    config = read_atoms_config(folder.recipe)
    begun = None if config.finetune is None else load_potential(config.finetune)
    return _kept(folder, config, load_atoms(config.source, config.split, config.model.cutoff), begun, True, on_progress)


def recipe_of(config: AtomsConfig) -> dict[str, Any]:
    """The configuration as config.toml holds it."""
    return config.model_dump(mode="json", exclude_none=True)


def read_atoms_config(recipe: Mapping[str, Any]) -> AtomsConfig:
    """The configuration that a config.toml holds.

    Raises:
        InputError: if it holds something else.
    """
    try:
        return AtomsConfig.model_validate(recipe)
    except ValidationError as error:
        raise InputError(f"this is no configuration of a potential: {in_words(error)}") from None


@dataclass(frozen=True)
class _Stage:
    """A part of training: its name, its loss and its settings."""

    name: str
    objective: EnergyForces
    settings: Settings


def _kept(
    folder: RunFolder, config: AtomsConfig, data: AtomsData, begun: TrainedPotential | None, has_report: bool,
    on_progress: Progress | None,
) -> AtomsResult:  # fmt: skip
    """Train into a run folder; one that failed is not left behind, one that was stopped is."""
    try:
        result = _train(config, data, begun, folder.checkpoints, on_progress)
        return replace(result, folder=folder.finish(_run_of(result, has_report)))
    except Exception:
        folder.discard()
        raise


def _run_of(result: AtomsResult, has_report: bool) -> Run:
    report = None
    if has_report:
        from grapevine.recipes.atoms.report import make_report  # imports what draws, a second

        report = make_report(result)
    return Run(
        result.trained.weights(), result.trained.to_dict(), result.to_dict(), recipe_of(result.config),
        epochs=epoch_rows(result.fits), predictions=structure_table(result.data, result.said),
        rejected=result.data.rejected, report=report,
    )  # fmt: skip


def _train(
    config: AtomsConfig, data: AtomsData, begun: TrainedPotential | None, checkpoints: Path | None,
    on_progress: Progress | None,
) -> AtomsResult:  # fmt: skip
    start = start_of(data)
    potential = build(config, start, begun)
    stages, notes = _stages(config, data, start)
    fits: list[Fit] = []
    for stage in stages:
        potential = refitted(potential, data, start)
        task = StructureTask(
            data.graph, data.split, stage.objective, offset=potential.shift_of(data.graph),
            batch_size=config.batch_size, dtype=DTYPES[config.model.dtype],
        )  # fmt: skip
        model = PotentialRows(potential, has_forces=task.has_forces, has_stress=task.has_stress)
        folder = None if checkpoints is None else checkpoints / stage.name
        report = None if on_progress is None else _reporter(on_progress, config, stage, fits)
        fits.append(fit(model, task, stage.settings, checkpoints=folder, on_epoch=report))
    potential = refitted(potential, data, start)
    objective = stages[0].objective
    trained = TrainedPotential(potential, config.model, objective.forces_weight > 0, objective.stress_weight > 0)
    return _judged(config, data, trained, start, tuple(fits), notes)


def _judged(
    config: AtomsConfig, data: AtomsData, trained: TrainedPotential, start: Start, fits: tuple[Fit, ...],
    notes: tuple[str, ...],
) -> AtomsResult:  # fmt: skip
    """The potential measured on every part, and the baselines beside it."""
    graph, parts = data.graph, data.parts
    has_forces = "forces" in graph.node
    said = say(trained.potential, graph, forces=has_forces, stress="stress" in graph.graph)
    return AtomsResult(
        config=config,
        notes=(*data.notes, *start.notes, *notes),
        data=data,
        trained=trained,
        metric="forces_mae" if trained.has_forces else "energy_mae",
        fits=fits,
        said=said,
        scores={part: judge(said, graph, parts[part]) for part in PARTS},
        baselines=baselines(graph, start.fit, parts),
    )


def _stages(config: AtomsConfig, data: AtomsData, start: Start) -> tuple[list[_Stage], tuple[str, ...]]:
    """One part of training, or two where the weight of energies rises."""
    loss, settings, graph = config.loss, config.training, data.graph
    has_forces, has_stress = "forces" in graph.node, "stress" in graph.graph
    forces_weight = loss.forces_weight if has_forces else 0.0
    objective = EnergyForces(
        metric="forces_mae" if forces_weight else "energy_mae",
        energy_weight=loss.energy_weight if start.fit is not None else 0.0,
        forces_weight=forces_weight,
        stress_weight=loss.stress_weight if has_stress else 0.0,
        scale=start.scale,
        loss_name=loss.kind,
    )
    check(objective.energy_weight + objective.forces_weight + objective.stress_weight > 0,
          "nothing teaches: every weight of what the data hold is 0")  # fmt: skip
    last = loss.last_energy_weight
    last_epochs = round(loss.last_share * settings.max_epochs)
    is_split = last is not None and objective.energy_weight > 0 and forces_weight > 0
    if not is_split or last is None or not 0 < last_epochs < settings.max_epochs:
        return [_Stage("only", objective, settings)], (_weights_in_words(objective),)
    minutes = settings.max_minutes
    first = {
        "max_epochs": settings.max_epochs - last_epochs,
        "min_learning_rate": max(settings.min_learning_rate, _LOWEST * settings.learning_rate),
        "max_minutes": None if minutes is None else minutes * (1 - loss.last_share),
    }
    then = {
        "max_epochs": last_epochs,
        "learning_rate": _LOWEST * settings.learning_rate,
        "warmup_epochs": 0,
        "max_minutes": None if minutes is None else minutes * loss.last_share,
    }
    later = objective.model_copy(update={"energy_weight": last})
    note = f"{_weights_in_words(objective)}; in the last {loss.last_share:.0%} of training {last:g} for energies"
    return [
        _Stage("first", objective, settings.model_copy(update=first)),
        _Stage("last", later, settings.model_copy(update=then)),
    ], (note,)


def _weights_in_words(objective: EnergyForces) -> str:
    weights = {
        "energies": objective.energy_weight, "forces": objective.forces_weight, "stress": objective.stress_weight,
    }  # fmt: skip
    return f"weights: {', '.join(f'{weight:g} for {name}' for name, weight in weights.items() if weight)}"


def _reporter(
    on_progress: Progress, config: AtomsConfig, stage: _Stage, fits: Sequence[Fit]
) -> Callable[[Epoch], None]:
    done, before = sum(one.epochs for one in fits), sum(one.seconds for one in fits)
    name, minutes, spent, metric = config.model.name, config.training.max_minutes, before, ""

    def report(epoch: Epoch) -> None:
        nonlocal spent, metric
        spent += epoch.seconds
        if epoch.val_metric is not None:
            metric = f", {stage.objective.metric} {epoch.val_metric:.1f}"
        if minutes is None:
            on_progress(f"{name}{metric}", done + epoch.number, config.training.max_epochs)
        else:
            on_progress(f"{name}, epoch {done + epoch.number}{metric}, seconds", round(spent), round(60 * minutes))

    return report
