"""Gathers what a training came to into the page for people."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from grapevine.data.audit import audit, audit_links
from grapevine.data.split import LinkSplit
from grapevine.recipes.result import TrainResult
from grapevine.recipes.source import Loaded
from grapevine.report.data import (
    ClassAnswers,
    Embeddings,
    Finding,
    Headline,
    NumberAnswers,
    Problems,
    Reason,
    ReportData,
    Score,
    TrainingLogs,
)
from grapevine.report.environment import environment
from grapevine.report.graph_statistics import graph_statistics
from grapevine.report.page import render_report
from grapevine.task import Link, MultiLabel, Regression, SingleLabel
from grapevine.task.task import Answers, Part

_WORDS = {
    "node": "of each node",
    "graph": "of each graph",
    "link": "whether two nodes are joined",
    "edge": "of each edge",
}
_SEVERITIES = {"leak": "error", "warning": "warning", "note": "info"}
_BLIND = ("mlp", "boosted trees", "linear fit", "guess")  # they see no edges
_AUDITED_NODES = 200_000  # beyond, an audit would take longer than many a training


def make_report(result: TrainResult) -> str:
    """The page, one HTML file that loads nothing."""
    return render_report(report_data(result))


def report_data(result: TrainResult) -> ReportData:
    """All that the page says of a training."""
    problem, trained, config = result.problem, result.trained, result.config
    part = _judged_part(result)
    said = problem.task.answers(trained.networks, [part])[part]
    dataset = problem.dataset
    is_class = isinstance(trained.objective, SingleLabel) and problem.level != "link"
    y = dataset.graph.y if "y" in dataset.graph.levels and problem.level in ("node", "graph") else None
    return ReportData(
        title=f"{config.name}, {config.model.name.upper()}",
        question=_question(result),
        headline=_headline(result, part),
        scores={name: dict(values) for name, values in result.scores.items()},
        comparison=result.comparison,
        training=_training(result),
        answers=tuple(_answers(result, said, part)),
        embeddings=_embeddings(result),
        graph=graph_statistics(dataset.graph, y if is_class or y is None else None),
        class_names=trained.class_names if is_class else None,
        problems=_problems(result),
        configuration=config.model_dump(mode="json", exclude_none=True),
        environment=environment(),
    )


def _question(result: TrainResult) -> str:
    problem, graph = result.problem, result.problem.dataset.graph
    size = f"{graph.num_nodes:,} nodes and {graph.num_edges:,} edges"
    many = f"{graph.num_graphs:,} graphs of {size} in all" if graph.num_graphs > 1 else size
    what = _WORDS[problem.level]
    if problem.level == "link":
        return f"Predicted is {what}, in {many}."
    objective = result.trained.objective
    several = objective.num_targets if isinstance(objective, Regression) else 1
    kind = {SingleLabel: "the class", MultiLabel: "the labels", Regression: "a number"}[type(objective)]
    return f"Predicted {f'are {several} numbers' if several > 1 else f'is {kind}'} {what}, in {many}."


def _judged_part(result: TrainResult) -> Part:
    return next(part for part in ("test", "val", "train") if result.scores[part])


def _headline(result: TrainResult, part: Part) -> Headline:
    objective, config = result.trained.objective, result.config
    std = result.spread[part].get(objective.metric) if result.spread else None
    times = f"{config.seeds} seeds" if config.seeds > 1 else ""
    if config.members > 1:
        times = f"an ensemble of {config.members}"
    baselines = {}
    if result.comparison is not None and result.comparison.part == part:
        rows = result.comparison.rows
        baselines = {row.name: row.score for row in rows if row.name in _BLIND and row.name != result.comparison.chosen}
    score = Score(result.scores[part][objective.metric], std)
    return Headline(objective.metric, part, score, times, objective.is_higher_better, baselines)


def _training(result: TrainResult) -> TrainingLogs:
    logs = tuple(pl.DataFrame([row.row() for row in one.history], infer_schema_length=None) for one in result.fits)
    best = tuple(one.best_epoch or None for one in result.fits)
    return TrainingLogs(logs, best, result.trained.objective.metric, result.warnings)


def _answers(result: TrainResult, said: Answers, part: Part) -> list[ClassAnswers | NumberAnswers]:
    trained, objective = result.trained, result.trained.objective
    merged, ids, smiles = trained.merged(said.output), _ids(result, said.items), _smiles(result, said.items)
    target, unit = said.target.cpu(), str(result.problem.dataset.about.get("unit", ""))
    names = _target_names(result)
    if isinstance(objective, SingleLabel):
        classes = trained.class_names or tuple(str(c) for c in range(objective.num_classes))
        plain = trained.merged(said.output, is_calibrated=False).softmax(1).cpu().numpy()
        before = None if trained.temperature == 1 else plain
        shares = merged.softmax(1).cpu().numpy()
        return [ClassAnswers(names[0], part, classes, target.numpy(), shares, before, ids, smiles)]
    if isinstance(objective, Regression):
        columns = [column.cpu().double().numpy() for column in objective.columns(merged).values()]
        spread = trained.spread(said.output).cpu().double().numpy() if trained.num_members > 1 else None
        rows = target.double().reshape(len(target), -1).numpy()
        return [
            NumberAnswers(
                name, part, rows[:, t], columns[t], None if spread is None else spread[:, t], ids, unit, smiles
            )
            for t, name in enumerate(names)
        ]
    shares = merged.sigmoid().cpu().numpy()
    rows = torch.nan_to_num(target.double(), nan=-1).long().reshape(len(target), -1).numpy()
    both = np.stack([1 - shares, shares], 2)
    return [
        ClassAnswers(name, part, ("no", "yes"), rows[:, t], both[:, t], None, ids, smiles)
        for t, name in enumerate(names)
    ]


def _target_names(result: TrainResult) -> tuple[str, ...]:
    objective, target = result.trained.objective, result.loaded.target
    if isinstance(objective, Link):
        return ("link",)
    count = objective.num_targets if isinstance(objective, Regression) else 1
    count = objective.num_labels if isinstance(objective, MultiLabel) else count
    if target is not None and len(target.columns) == count:
        return target.columns
    return ("y",) if count == 1 else tuple(f"y {t}" for t in range(count))


def _ids(result: TrainResult, items: Tensor) -> np.ndarray:
    """What the user calls the items; pairs as "u - v"."""
    problem, numbers = result.problem, items.cpu().numpy()
    if problem.level == "edge":
        numbers = problem.dataset.graph.adj.edge_index.cpu().numpy()[:, numbers]
    named = numbers if problem.dataset.ids is None else np.asarray(problem.dataset.ids)[numbers]
    return named if named.ndim == 1 else np.array([f"{u} - {v}" for u, v in named.T], dtype=object)


def _smiles(result: TrainResult, items: Tensor) -> np.ndarray | None:
    """Of the molecules, where they are called otherwise."""
    dataset = result.problem.dataset
    if dataset.smiles is None or result.problem.level != "graph":
        return None
    smiles = np.array(dataset.smiles, dtype=object)
    is_named = dataset.ids is None or (np.asarray(dataset.ids, dtype=object) != smiles).any()
    return smiles[items.cpu().numpy()] if is_named else None


def _embeddings(result: TrainResult) -> Embeddings | None:
    """Where the first network puts the nodes, coloured by their classes or numbers."""
    problem, trained = result.problem, result.trained
    graph = problem.dataset.graph
    if problem.level != "node" or graph.y.ndim > 1:
        return None
    with torch.inference_mode():
        network: Any = trained.networks.models[0]
        points = network.states(problem.graph)
    y = graph.y.cpu().numpy()
    classes = trained.class_names
    wrong = None
    if isinstance(trained.objective, SingleLabel):
        classes = classes or tuple(str(c) for c in range(trained.objective.num_classes))
        wrong = (points.argmax(1).cpu().numpy() != y) & (y >= 0) if points.shape[1] == len(classes) else None
    points = torch.nn.functional.normalize(points)  # how far out a node lies says less than in which direction
    return Embeddings(points.cpu().numpy(), y, classes, wrong, method="pca")


def _problems(result: TrainResult) -> Problems | None:
    loaded = result.loaded
    findings = () if result.config.source.dataset is not None else _findings(result)
    if loaded.tables is None and loaded.molecules is None and loaded.blocks is None:
        return Problems(findings=findings) if findings else None
    return Problems(_reasons(loaded), _counts(loaded, "unknown"), _counts(loaded, "missing"), findings)


def _reasons(loaded: Loaded) -> tuple[Reason, ...]:
    frame = loaded.rejected
    if frame is None:
        return ()
    found = []
    for (reason,), rows in frame.group_by("reason", maintain_order=True):
        examples = tuple(map(_rejected, rows.head(3).to_dicts()))
        found.append(Reason(str(reason), rows.height, examples))
    return tuple(found)


def _rejected(row: Mapping[str, Any]) -> str:
    detail = f" ({row['detail']})" if row["detail"] else ""
    return f"{row['file']}, line {row['line']}: {row['row']}{detail}"


def _counts(loaded: Loaded, what: str) -> dict[str, int]:
    """How many cells were missing or unknown, by column: of both tables, or of the molecules' answers."""
    if loaded.tables is None:
        return _missing_answers(loaded) if what == "missing" else {}
    counts: dict[str, int] = {}
    for report in (loaded.tables.node_report, loaded.tables.edge_report):
        if report is not None:
            counts |= {name: count for name, count in getattr(report, what).items() if count}
    return counts


def _missing_answers(loaded: Loaded) -> dict[str, int]:
    if loaded.target is None:
        return {}
    y = loaded.dataset.graph.y
    missing = (y.isnan() if y.is_floating_point() else y < 0).reshape(len(y), -1).sum(0).tolist()
    return {name: int(count) for name, count in zip(loaded.target.columns, missing, strict=True) if count}


def _findings(result: TrainResult) -> tuple[Finding, ...]:
    problem = result.problem
    if problem.dataset.graph.num_nodes > _AUDITED_NODES:
        return ()
    if isinstance(problem.split, LinkSplit):
        found = audit_links(problem.split, ids=problem.dataset.ids, name=problem.dataset.name)
    else:
        found = audit(problem.dataset, split=problem.split)
    return tuple(
        Finding(_SEVERITIES[one.severity], one.sentence, tuple(str(example) for example in one.examples[:3]))  # pyright: ignore[reportArgumentType] the words of the two agree
        for one in found.findings
    )
