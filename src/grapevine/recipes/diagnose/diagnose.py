"""Diagnoses data or a run: measures the limits of a network that passes messages, says them in words, and what to try.

Powers and bounds are exact; of a run the states and influences are its own network's; of data they are those of a
network that has not learnt, and an indication.
"""

from dataclasses import replace
from pathlib import Path

from grapevine.data.download import Progress
from grapevine.recipes.config import TaskConfig, TrainConfig
from grapevine.recipes.diagnose.attempts import try_changes
from grapevine.recipes.diagnose.command import command_of
from grapevine.recipes.diagnose.depth import measure_depth
from grapevine.recipes.diagnose.findings import Findings
from grapevine.recipes.diagnose.likeness import measure_likeness
from grapevine.recipes.diagnose.power import measure_power
from grapevine.recipes.diagnose.reach import measure_reach
from grapevine.recipes.diagnose.remedies import ranked
from grapevine.recipes.diagnose.subject import WORDS, Subject, subject_of
from grapevine.recipes.diagnose.twins import find_twins
from grapevine.recipes.diagnose.verdict import verdict_of
from grapevine.recipes.plan import plan, usual_model
from grapevine.recipes.source import Loaded, Source
from grapevine.report.diagnosis.data import Diagnosis, Remedy

BUDGET = 5.0  # minutes


def diagnose(
    what: Path | str | Source,
    *,
    task: TaskConfig | None = None,
    loaded: Loaded | None = None,
    minutes: float | None = None,
    on_progress: Progress | None = None,
) -> Diagnosis:
    """Say why a network fails, or would fail.

    Args:
        what: a run folder, or a source of data.
        task: the question, for a source; by default the one that a training would have.
        loaded: the data, where they are loaded already.
        minutes: try what is advised, for so long; None: do not.

    Raises:
        InputError: if there is no such run or data, or the question can not be asked of them.

    >>> found = diagnose(Source(dataset="karate"))
    >>> found.likeness.leaning, found.remedies[0].command.split()[:3]
    ('gcn', ['grapevine', 'train', 'karate'])
    """
    subject = subject_of(what, task=task, loaded=loaded, on_progress=on_progress)
    found, skipped = _measured(subject, on_progress)
    base = _base(subject)
    changes = [] if base is None else ranked(found, base)
    attempts = None
    if minutes is not None and base is not None:
        attempts = try_changes(subject, base, changes, minutes=minutes, on_progress=on_progress)
    elif minutes is not None:
        skipped.append("nothing was tried: there are no answers to learn from; name the column with --target")
    remedies = [Remedy(one.title, one.why, command_of(one.of(base))) for one in changes if base is not None]
    return replace(_told(found), remedies=tuple(remedies), attempts=attempts, skipped=tuple(skipped))


def _told(found: Findings) -> Diagnosis:
    """What was measured, without remedies."""
    subject = found.subject
    metric = None if subject.problem is None else subject.problem.task.objective.metric
    parts = subject.scores or {}
    return Diagnosis(
        name=subject.name,
        is_of_run=subject.trained is not None,
        question=_question(subject),
        level=subject.level,
        model=None if subject.config is None else subject.config.model.name,
        metric=metric,
        scores={part: values[metric] for part, values in parts.items() if metric is not None and metric in values},
        power=found.power,
        depth=found.depth,
        reach=found.reach,
        likeness=found.likeness,
        verdict=verdict_of(found),
        remedies=(),
    )


def _measured(subject: Subject, on_progress: Progress | None) -> tuple[Findings, list[str]]:
    skipped: list[str] = []
    if subject.graph.num_nodes == 0:
        return Findings(subject, None, None, None, None), ["nothing was measured: the graph has no nodes"]

    def say(what: str) -> None:
        if on_progress is not None:
            on_progress(what, 0, 0)

    power, seen = measure_power(subject, on_progress=on_progress)
    say("two that are alike")
    power = replace(power, twins=find_twins(subject, seen, power.plain))
    say("how alike states grow")
    depth = measure_depth(subject)
    say("how far news comes")
    reach, left_out = measure_reach(subject)
    say("how alike neighbours are")
    likeness = measure_likeness(subject)
    for one in (depth, likeness):
        skipped += [one] if isinstance(one, str) else []
    skipped += left_out
    return Findings(
        subject,
        power,
        None if isinstance(depth, str) else depth,
        reach,
        None if isinstance(likeness, str) else likeness,
    ), skipped


def _base(subject: Subject) -> TrainConfig | None:
    """What is compared with: the run's own configuration, or the usual model with its published settings."""
    if subject.config is not None:
        return subject.config
    if subject.problem is None:
        return None
    return plan(subject.source, usual_model(subject.loaded), level=subject.level, task=subject.problem.config)


def _question(subject: Subject) -> str:
    graph = subject.loaded.dataset.graph
    several = f"{graph.num_graphs:,} graphs of " if graph.num_graphs > 1 else ""
    size = f"{several}{graph.num_nodes:,} nodes and {graph.num_edges:,} edges{' in all' if several else ''}"
    if subject.problem is None:
        return f"{size}, without answers"
    asked = {"link": "whether two nodes are joined"}.get(subject.level, f"an answer for {WORDS[subject.level]}")
    model = (
        ""
        if subject.config is None
        else f", by {subject.config.model.name.upper()} of {subject.config.model.num_layers} layers"
    )
    return f"Asked is {asked}{model}, in {size}."
