"""Gathers what the training of a potential came to into the page for people."""

import numpy as np

from grapevine.data.atoms.elements import symbol_of
from grapevine.recipes.atoms.baselines import NAMES
from grapevine.recipes.atoms.result import AtomsResult, epoch_rows
from grapevine.report.data import (
    Headline,
    NumberAnswers,
    Problems,
    Reason,
    ReportData,
    Score,
    TrainingLogs,
)
from grapevine.report.environment import environment
from grapevine.report.page import render_report
from grapevine.task.energy_forces import UNITS
from grapevine.task.task import Part

_EXAMPLES = 3


def make_report(result: AtomsResult) -> str:
    """The page, one HTML file that loads nothing."""
    return render_report(report_data(result))


def report_data(result: AtomsResult) -> ReportData:
    """All that the page says of a training."""
    config, part = result.config, _judged_part(result)
    return ReportData(
        title=f"{config.name}, {config.model.name.upper()}",
        question=_question(result),
        headline=_headline(result, part),
        scores={name: _with_units(values) for name, values in result.scores.items()},
        training=_training(result),
        answers=_energies(result, part),
        forces=_forces(result, part),
        problems=_problems(result),
        configuration=config.model_dump(mode="json", exclude_none=True),
        environment=environment(),
    )


def _question(result: AtomsResult) -> str:
    graph = result.data.graph
    what = "energies and forces" if result.trained.has_forces else "energies"
    elements = ", ".join(map(symbol_of, result.trained.elements))
    return f"Predicted are {what} of {graph.num_graphs:,} structures of {elements}, {graph.num_nodes:,} atoms in all."


def _judged_part(result: AtomsResult) -> Part:
    return next(part for part in ("test", "val", "train") if result.scores[part])


def _with_units(values: dict[str, float]) -> dict[str, float]:
    return {f"{name}, {UNITS[name]}": value for name, value in values.items()}


def _headline(result: AtomsResult, part: Part) -> Headline:
    metric = result.metric
    measured = {name: scores[part][metric] for name, scores in result.baselines.items() if metric in scores[part]}
    baselines = {NAMES[name]: Score(value) for name, value in measured.items()}
    if metric.startswith("forces"):  # both feel none
        baselines = {"no forces at all": Score(next(iter(measured.values())))} if measured else {}
    name = f"{metric.replace('_mae', ' MAE')}, {UNITS[metric]}"
    return Headline(name, part, Score(result.scores[part][metric]), "", False, baselines)


def _training(result: AtomsResult) -> TrainingLogs:
    log = epoch_rows(result.fits)
    return TrainingLogs(
        (log,), (result.best_epoch or None,), f"{result.metric}, {UNITS[result.metric]}", result.warnings
    )


def _energies(result: AtomsResult, part: Part) -> tuple[NumberAnswers, ...]:
    """Energies per atom, less the shifts of the elements: those of the whole hide what is learnt."""
    graph, items = result.data.graph, result.data.parts[part]
    if "energy" not in graph.graph:
        return ()
    sizes, shift = graph.ptr.diff().double(), result.trained.potential.shift_of(graph)
    both = [
        ((energy.double() - shift) / sizes)[items].detach().numpy() for energy in (graph.energy, result.said.energy)
    ]
    ids = np.array([str(one) for one in result.data.ids], dtype=object)[items.numpy()]
    return (NumberAnswers("energy per atom, less the shifts", part, *both, ids=ids, unit="eV"),)


def _forces(result: AtomsResult, part: Part) -> tuple[NumberAnswers, ...]:
    graph, said = result.data.graph, result.said
    if said.forces is None:
        return ()
    is_in = getattr(result.data.split, part)[graph.graph_id]
    found = []
    for number in graph.z.unique().tolist():
        atoms = is_in & (graph.z == number)
        target, prediction = (forces[atoms].double().reshape(-1).numpy() for forces in (graph.forces, said.forces))
        found.append(NumberAnswers(f"Forces on {symbol_of(number)}", part, target, prediction, unit="eV/Å"))
    return tuple(found)


def _problems(result: AtomsResult) -> Problems | None:
    frame = result.data.rejected
    if frame is None:
        return None
    reasons = []
    for (reason,), rows in frame.group_by("reason", maintain_order=True):
        shown = [f"{row['file']}, line {row['line']}: {row['row']}" for row in rows.head(_EXAMPLES).to_dicts()]
        reasons.append(Reason(str(reason), rows.height, tuple(shown)))
    return Problems(tuple(reasons))
