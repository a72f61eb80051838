"""The pictures of a report, from arrays; each comes with what it shows and what to see in it."""

from typing import Any

import numpy as np
import polars as pl
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from grapevine.report.blocks import Figure, figure_of, percent
from grapevine.report.data import ClassAnswers, NumberAnswers, TrainingLogs
from grapevine.report.graph_statistics import GraphStatistics
from grapevine.report.svg import MUTED, SERIES, dots, drawn, logarithmic, variable
from grapevine.train.calibration import coverage, reliability

SHOWN = 3000  # points of a scatter plot


def curves(
    training: TrainingLogs, name: str, title: str, columns: dict[str, str], *, caption: str, is_log: bool = False
) -> Figure | None:
    """Columns of the epoch tables by epoch, the chosen model's strong and the others' faint; None if none is there."""
    there = {label: column for label, column in columns.items() if _has(training.logs[0], column)}
    if not there:
        return None
    others = training.logs[1 : 1 + 20]

    def draw(axes: Axes) -> None:
        for k, column in enumerate(there.values()):
            style: Any = {"color": SERIES[k % len(SERIES)], "linestyle": "-" if k < len(SERIES) else "--"}
            for log in others:
                if _has(log, column):
                    axes.plot(*_line(log, column), alpha=0.25, linewidth=1, **style)
            points = _line(training.logs[0], column)
            axes.plot(*points, marker="o" if len(points[0]) == 1 else "", **style)  # one point is no line
        best = training.best_epochs[0]
        if best is not None:
            axes.axvline(best, color=MUTED, linestyle=":", linewidth=1.2)
        axes.set(xlabel="epoch", ylabel=title[0].lower() + title[1:])
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        if is_log:
            logarithmic(axes, y=True)

    first = {label: _line(training.logs[0], column)[1] for label, column in there.items()}
    ends = ", ".join(f"{label} from {figure_of(v[0])} to {figure_of(v[-1])}" for label, v in first.items() if len(v))
    faint = f" Faint: the {len(others)} other runs." if others else ""
    marked = " Dotted: the epoch whose weights were kept." if training.best_epochs[0] is not None else ""
    legend = tuple((label, variable(SERIES[k % len(SERIES)]), "line") for k, label in enumerate(there))
    svg = drawn(name, draw)
    return Figure(title, svg, f"{title} by epoch: {ends}.", caption + marked + faint, legend if len(there) > 1 else ())


def roc(answers: ClassAnswers, key: str) -> tuple[Figure, Figure]:
    """The ROC and the precision-recall curve of a question with two classes; the second class is the one looked for."""
    known = answers.target >= 0
    target, score = answers.target[known], answers.probability[known, 1]
    auc, average = roc_auc_score(target, score), average_precision_score(target, score)
    false, true, _ = roc_curve(target, score)
    precision, recall, _ = precision_recall_curve(target, score)
    base = target.mean()

    def draw_roc(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":")
        axes.plot(*_thinned(false, true), color=SERIES[0])
        axes.set(xlabel="false positives, of all negatives", ylabel="found, of all positives", aspect="equal")

    def draw_precision(axes: Axes) -> None:
        axes.axhline(base, color=MUTED, linestyle=":")
        axes.plot(*_thinned(recall, precision), color=SERIES[0])
        axes.set(xlabel="found, of all positives", ylabel="right, of those found", ylim=(-0.03, 1.03), aspect="equal")

    name = answers.class_names[1]
    return (
        Figure(
            "ROC curve", drawn(f"roc-{key}", draw_roc, height=4), f"The area under it is {figure_of(auc)}.",
            f"The further it bows to the upper left, the better “{name}” is told apart; area {figure_of(auc)}, and 0.5 "
            "(dotted) by chance.",
        ),
        Figure(
            "Precision and recall", drawn(f"pr-{key}", draw_precision, height=4),
            f"The average precision is {figure_of(average)}.",
            f"What is right among those called “{name}”, as more of them are found; on average {figure_of(average)}, "
            f"and {figure_of(base)} (dotted) by chance.",
        ),
    )  # fmt: skip


def reliability_diagram(answers: ClassAnswers, key: str) -> Figure:
    """How often the model is right where it is this sure, before and after temperature scaling."""
    target = torch.from_numpy(answers.target)
    now = reliability(torch.from_numpy(answers.probability), target)
    before = None if answers.before is None else reliability(torch.from_numpy(answers.before), target)
    share, sure, right = (np.array(row) for row in (now.count, now.confidence, now.accuracy))
    share = share / share.sum()

    def draw(axes: Axes) -> None:
        axes.bar(now.confidence, share, width=0.03, color=MUTED, alpha=0.3)
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":")
        if before is not None:
            axes.plot(before.confidence, before.accuracy, color=SERIES[1], marker="o", markersize=4, linestyle="--")
        axes.plot(now.confidence, now.accuracy, color=SERIES[0], marker="o", markersize=5)
        axes.set(xlabel="how sure the model is", ylabel="how often it is right", xlim=(0, 1.02), ylim=(0, 1.02))
        axes.set_aspect("equal")

    said = f"calibration error {figure_of(now.ece, 3)}"
    legend = [(said, variable(SERIES[0]), "line"), ("share of the items", variable(MUTED), "line")]
    if before is not None:
        was = f"before temperature scaling: {figure_of(before.ece, 3)}"
        legend.insert(1, (was, variable(SERIES[1]), "dashed"))
    lean = float((share * (sure - right)).sum())
    words = "about as sure as it is right" if abs(lean) < 0.02 else "surer than right" if lean > 0 else "too modest"
    return Figure(
        "Calibration",
        drawn(f"reliability-{key}", draw, height=4),
        f"Reliability diagram: {said}.",
        f"On the dotted line, 80 % sure means right in 80 % of the cases; this model is {words} "
        f"({percent(float((share * sure).sum()))} sure on average, right in "
        f"{percent(float((share * right).sum()))}).",
        tuple(legend),
    )


def parity(answers: NumberAnswers, key: str) -> tuple[Figure, Figure]:
    """Predictions against targets, and what is left over against predictions; of a sample of 3,000 at most."""
    known = np.isfinite(answers.target) & np.isfinite(answers.prediction)
    target, prediction = answers.target[known], answers.prediction[known]
    left = prediction - target
    rows = sampled(len(target))
    unit = f" ({answers.unit})" if answers.unit else ""

    def draw_parity(axes: Axes) -> None:
        ends = [min(target.min(), prediction.min()), max(target.max(), prediction.max())]
        axes.plot(ends, ends, color=MUTED, linestyle=":")
        dots(axes, target[rows], prediction[rows], SERIES[0])
        axes.set(xlabel=f"target{unit}", ylabel=f"prediction{unit}", aspect="equal")

    def draw_left(axes: Axes) -> None:
        axes.axhline(0, color=MUTED, linestyle=":")
        dots(axes, prediction[rows], left[rows], SERIES[1])
        axes.set(xlabel=f"prediction{unit}", ylabel=f"prediction \N{MINUS SIGN} target{unit}")

    of = f" {answers.unit}" if answers.unit else ""
    error, bias = float(np.abs(left).mean()), float(left.mean())
    correlation = (
        float(np.corrcoef(target, prediction)[0, 1]) if min(np.ptp(target), np.ptp(prediction)) > 0 else np.nan
    )
    words = f"mean absolute error {figure_of(error)}{of}, correlation {figure_of(correlation, 3)}"
    lean = f"On average {figure_of(abs(bias))}{of} too {'high' if bias > 0 else 'low'}"
    return (
        Figure(
            "Predictions and targets", drawn(f"parity-{key}", draw_parity, height=4),
            f"Predictions against targets: {words}.", f"The nearer to the dotted line the better; {words}.",
        ),
        Figure(
            "What is left over", drawn(f"residuals-{key}", draw_left, height=4),
            f"Errors against predictions: {lean}.",
            f"{lean}; a slope or a funnel would show errors that depend on the value.",
        ),
    )  # fmt: skip


def coverage_curve(answers: NumberAnswers, key: str) -> Figure | None:
    """Whether as many targets lie within the claimed intervals as should; None without a spread."""
    if answers.spread is None:
        return None
    known = np.isfinite(answers.target) & np.isfinite(answers.prediction) & (answers.spread > 0)
    if not known.any():
        return None
    error = torch.from_numpy(answers.prediction[known] - answers.target[known])
    found = coverage(error, torch.from_numpy(answers.spread[known]))
    levels, seen = np.array(found.expected), np.array(found.observed)

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linestyle=":")
        axes.plot(levels, seen, color=SERIES[0], marker="o", markersize=4)
        axes.set(xlabel="interval that should hold this share", ylabel="share that it holds", aspect="equal")
        axes.set(xlim=(0, 1.02), ylim=(0, 1.02))

    at_90 = float(seen[np.argmin(np.abs(levels - 0.9))])
    lean = "too narrow" if at_90 < 0.87 else "too wide" if at_90 > 0.93 else "about right"
    said = f"The 90 % intervals hold {percent(at_90)} of the targets"
    return Figure(
        "Calibration of the spread", drawn(f"coverage-{key}", draw, height=4),
        f"Coverage curve. {said}.", f"{said}: they are {lean}; on the dotted line they would be right at every level.",
    )  # fmt: skip


def degrees(graph: GraphStatistics) -> Figure:
    """How many nodes have at least so many neighbours, both on logarithmic scales."""
    kinds = {"edges": graph.in_degree} if graph.is_undirected else {"in": graph.in_degree, "out": graph.out_degree}

    def draw(axes: Axes) -> None:
        for k, degree in enumerate(kinds.values()):
            values, count = np.unique(degree[degree > 0], return_counts=True)
            share = count[::-1].cumsum()[::-1] / max(len(degree), 1)
            rows = np.unique(np.linspace(0, len(values) - 1, 300).astype(int)) if len(values) else []
            axes.plot(values[rows], share[rows], color=SERIES[k], marker="o", markersize=3.5, linestyle="none")
        axes.set(xlabel="edges of a node, at least", ylabel="share of the nodes")
        logarithmic(axes, x=True, y=True)

    mean, median = figure_of(float(graph.in_degree.mean()), 3), np.median(graph.in_degree)
    said = f"A node has {mean} edges on average, {median:g} in the middle, {graph.in_degree.max():,} at most"
    legend = tuple((f"{kind} edges", variable(SERIES[k]), "dot") for k, kind in enumerate(kinds))
    caption = f"{said}; a straight line would be a heavy tail: few nodes with very many edges."
    return Figure(
        "Degrees", drawn("degrees", draw), f"Degree distribution. {said}.", caption, legend * (len(kinds) > 1)
    )


def sizes(graph: GraphStatistics) -> Figure:
    """How large the graphs of a collection are."""
    nodes = graph.nodes_per_graph

    def draw(axes: Axes) -> None:
        axes.hist(nodes, bins=min(40, max(len(np.unique(nodes)), 1)), color=SERIES[0], alpha=0.85)
        axes.set(xlabel="nodes of a graph", ylabel="graphs")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))

    said = f"A graph has {nodes.min()} to {nodes.max()} nodes, {np.median(nodes):g} in the middle"
    return Figure("Sizes", drawn("sizes", draw), f"Sizes of the graphs. {said}.", f"{said}.")


def sampled(k: int, at_most: int = SHOWN) -> np.ndarray:
    """The places of a sample without repetition, the same every time; all of them where there are few."""
    return np.arange(k) if k <= at_most else np.sort(np.random.default_rng(0).permutation(k)[:at_most])


def _has(log: pl.DataFrame, column: str) -> bool:
    return column in log.columns and log[column].dtype.is_numeric() and log[column].count() > 0


def _line(log: pl.DataFrame, column: str) -> tuple[np.ndarray, np.ndarray]:
    told = log.select("epoch", column).drop_nulls()
    return told["epoch"].to_numpy(), told[column].to_numpy().astype(float)


def _thinned(x: np.ndarray, y: np.ndarray, at_most: int = 400) -> tuple[np.ndarray, np.ndarray]:
    rows = np.unique(np.linspace(0, len(x) - 1, at_most).astype(int))
    return x[rows], y[rows]
