"""Turns what a report is made from into the sections of a page, in the order in which one asks."""

import numpy as np

from grapevine.report.answers import answer_sections
from grapevine.report.atoms import element_parities
from grapevine.report.blocks import (
    NOTHING,
    Bars,
    Block,
    Figure,
    Folded,
    Note,
    Section,
    Table,
    Text,
    Tiles,
    Track,
    figure_of,
    percent,
    shortened,
)
from grapevine.report.data import Comparison, Problems, ReportData, Score, TrainingLogs
from grapevine.report.figures import (
    curves,
    degrees,
    sizes,
)
from grapevine.report.graph_statistics import GraphStatistics
from grapevine.report.projection import projection
from grapevine.train.run_files import to_toml

_BARS = 40  # classes or columns shown at most


def sections_of(data: ReportData) -> list[Section]:
    """What there is to say, in order."""
    made = [
        Section("comparison", "Models compared", comparison_blocks(data.comparison) if data.comparison else []),
        *answer_sections(data.answers),
        Section("forces", "Forces by element", element_parities(data.forces)),
        Section("scores", "All scores", _scores(data)),
        Section("embeddings", "Embeddings", [projection(data.embeddings)] if data.embeddings else []),
        Section("training", "Training", training_blocks(data.training) if data.training else []),
        Section("health", "Health of the network", health_blocks(data.training) if data.training else []),
        Section("graph", "The graph", graph_blocks(data.graph, data.class_names) if data.graph else []),
        Section("problems", "Problems in the data", problem_blocks(data.problems) if data.problems else []),
        Section("configuration", "Configuration", _configuration(data)),
    ]
    return [section for section in made if section.blocks]


def spread_of(score: Score) -> str:
    """A score with its spread, both to the same place.

    >>> spread_of(Score(0.81523, 0.0041)), spread_of(Score(0.5)), spread_of(Score(12.25, 1.5))
    ('0.815 ± 0.004', '0.500', '12.2 ± 1.5')
    """
    if score.mean != score.mean:
        return NOTHING
    size = max(abs(score.mean), 1e-12)
    places = int(np.clip(2 - np.floor(np.log10(size)), 0, 8)) if size >= 1 or size < 0.1 else 3
    spread = "" if score.std is None else f" ± {score.std:,.{places}f}"
    return f"{score.mean:,.{places}f}{spread}"


def comparison_blocks(comparison: Comparison) -> list[Block]:
    """A row for each model, the best first; marked are those within one standard deviation of the best."""
    sign = -1 if comparison.is_higher_better else 1
    rows = sorted(comparison.rows, key=lambda row: (np.isnan(row.score.mean), sign * row.score.mean))
    known = [row for row in rows if not np.isnan(row.score.mean)]
    if not known:
        return [Text("No model has a score.")]
    best = known[0].score
    marked = frozenset(
        k for k, row in enumerate(rows) if abs(row.score.mean - best.mean) <= (best.std or 0.0)
    )  # a comparison with NaN is false
    low = min(row.score.mean - (row.score.std or 0) for row in known)
    high = max(row.score.mean + (row.score.std or 0) for row in known)

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 1) if high > low else 50.0

    def cells(row) -> tuple[str | Track, ...]:
        mean, std = row.score.mean, row.score.std or 0.0
        track = NOTHING if np.isnan(mean) else Track(place(mean - std), place(mean), place(mean + std))
        size = NOTHING if row.num_parameters is None else f"{row.num_parameters:,}"
        took = NOTHING if row.seconds is None else f"{figure_of(row.seconds, 3)} s"
        name = f"{row.name} (chosen)" if row.name == comparison.chosen else row.name
        return f"{name}, {row.note}" if row.note else name, track, spread_of(row.score), size, took

    once = all(row.score.std is None for row in rows)
    equal = f"{len(marked)} of {len(rows)} are within one standard deviation of the best: they can not be told apart."
    caption = (
        "Each was trained once: small differences may be chance." if once
        else equal if len(marked) > 1 else "The best one is more than one of its standard deviations ahead."
    )  # fmt: skip
    columns = ("model", "", f"{comparison.metric} ({comparison.part})", "parameters", "time")
    return [Table("", columns, tuple(cells(row) for row in rows), caption, marked, words=2)]


def training_blocks(training: TrainingLogs) -> list[Block]:
    """Loss, metric, step and gradient by epoch."""
    learns = "Where the validation loss rises while the other falls, the model learns its examples by heart."
    found = [
        curves(training, "loss", "Loss", {"training": "loss", "validation": "val_loss"}, caption=learns),
        curves(
            training, "metric", training.metric.capitalize(), {"validation": "val_metric"},
            caption="On the validation part; a curve that still climbs at its end asks for more epochs.",
        ),
        curves(
            training, "gradient", "Gradient norm", {"gradient": "grad_norm"},
            caption="The longest of each epoch, before clipping; it should neither explode nor vanish at once.",
            is_log=_spans_decades(training, "grad_norm"),
        ),
    ]  # fmt: skip
    rates = training.logs[0]["learning_rate"].drop_nulls() if "learning_rate" in training.logs[0].columns else []
    if len(set(rates)) > 1:
        is_log = _spans_decades(training, "learning_rate")
        caption = "The step of each epoch, as the schedule set it."
        columns = {"learning rate": "learning_rate"}
        found.append(curves(training, "rate", "Learning rate", columns, caption=caption, is_log=is_log))
    return [figure for figure in found if figure is not None]


def health_blocks(training: TrainingLogs) -> list[Block]:
    """What tripped, how alike the layers' states grew and how many units died."""
    layers = [column for column in training.logs[0].columns if column.startswith("similarity.")]
    found: list[Figure | None] = [
        curves(
            training, "similarity", "Similarity", {name.removeprefix("similarity."): name for name in layers},
            caption="The mean cosine between the states of sampled nodes, layer by layer: near 1 the network "
            "over-smooths, and nodes can not be told apart.",
        ),
        curves(
            training, "dead", "Dead units", {"dead": "dead_units"},
            caption="The share of ReLU units that are zero for every node: they learn nothing any more.",
        ),
    ]  # fmt: skip
    notes: list[Block] = [Note("warning", warning) for warning in training.warnings]
    figures = [figure for figure in found if figure is not None]
    if figures and not notes:
        notes = [Note("good", "No monitor tripped.")]
    return [*notes, *figures]


def graph_blocks(graph: GraphStatistics, class_names: tuple[str, ...] | None) -> list[Block]:
    """Its figures, whether neighbours are alike, its degrees or sizes and its classes."""
    several = graph.num_graphs > 1
    tiles = [("graphs", f"{graph.num_graphs:,}")] if several else []
    tiles += [
        ("nodes", f"{graph.num_nodes:,}"),
        ("edges" if graph.is_undirected else "directed edges", f"{graph.num_edges:,}"),
        ("edges of a node", figure_of(float(graph.in_degree.mean()) if graph.num_nodes else 0.0, 3)),
        ("isolated nodes", f"{graph.num_isolated:,}"),
        ("loops", f"{graph.num_loops:,}"),
        ("density", figure_of(graph.density, 3)),
        ("clustering", figure_of(graph.clustering, 3)),
    ]
    if not several:
        tiles += [("components", f"{graph.num_components:,}"), ("in the largest", percent(graph.largest_component))]
    blocks: list[Block] = [Tiles(tuple(tiles)), *_likeness(graph)]
    if graph.num_edges:
        blocks.append(degrees(graph))
    if several:
        blocks.append(sizes(graph))
    if graph.class_counts is not None and graph.class_counts.sum() > 0:
        blocks.append(_class_bars(graph.class_counts, class_names))
    return blocks


def problem_blocks(problems: Problems) -> list[Block]:
    """Findings of the audit, then rows left out, then cells."""
    blocks: list[Block] = [Note(found.severity, found.message, found.examples[:5]) for found in problems.findings]
    total = sum(reason.count for reason in problems.rejected)
    if total:
        blocks.append(Text(f"{total:,} rows could not be used; all of them are in rejected.csv."))
    for reason in problems.rejected:
        blocks.append(Note("warning", f"{reason.count:,} rows: {reason.reason}", reason.examples[:5]))
    for title, counts, caption in (
        ("Missing values", problems.missing_values, "Cells without a value, by column."),
        (
            "Unknown categories",
            problems.unknown_categories,
            "Cells with a category that training never saw, by column.",
        ),
    ):
        found = sorted(((name, count) for name, count in counts.items() if count), key=lambda pair: -pair[1])[:_BARS]
        if found:
            rows = tuple((shortened(name), 100 * count / found[0][1], f"{count:,}") for name, count in found)
            blocks.append(Bars(title, rows, caption))
    return blocks


def verdict(data: ReportData) -> Note | None:
    """What the headline says beside its baselines, in a sentence."""
    head = data.headline
    baselines = {n: s for n, s in head.baselines.items() if not np.isnan(s.mean)} if head else {}
    if head is None or not baselines or np.isnan(head.score.mean):
        return None
    sign = 1 if head.is_higher_better else -1
    name, best = max(baselines.items(), key=lambda pair: sign * pair[1].mean)
    gain = sign * (head.score.mean - best.mean)
    noise = float(np.hypot(head.score.std or 0.0, best.std or 0.0))
    by = figure_of(abs(gain), 3)
    if gain == 0:
        return Note("info", f"As good as the best baseline, {name}.")
    said = f"{'Better' if gain > 0 else 'Worse'} than the best baseline, {name}, by {by}"
    if head.score.std is None:
        return Note("info", f"{said}. Trained once: a small difference may be chance.")
    if abs(gain) <= noise:
        return Note("warning", f"Not to be told from the best baseline, {name}: {by} apart, within the spread.")
    if gain < 0:
        return Note("warning", f"{said}: take that one, or look for what is wrong.")
    return Note("good", f"{said}: more than the spread of both.")


def _scores(data: ReportData) -> list[Block]:
    if not data.scores:
        return []
    metrics = list(dict.fromkeys(metric for scores in data.scores.values() for metric in scores))
    parts = list(data.scores)
    rows = tuple((metric, *(figure_of(data.scores[part].get(metric)) for part in parts)) for metric in metrics)
    return [Table("", ("metric", *parts), rows, "Of the chosen model; a dash where a metric is not defined.")]


def _likeness(graph: GraphStatistics) -> list[Block]:
    """What the homophily says, in words that promise no more than it does."""
    if graph.homophily is not None and not np.isnan(graph.homophily.edge):
        alike, kind = graph.homophily, "classes"
        tiles = [
            ("edge homophily", figure_of(alike.edge, 3)),
            ("node homophily", figure_of(alike.node, 3)),
            ("adjusted homophily", figure_of(alike.adjusted, 3)),
        ]
        value = alike.adjusted
        first = f"{percent(alike.edge)} of the edges join nodes of one class. "
    elif graph.assortativity is not None and not np.isnan(graph.assortativity):
        tiles, kind = [("assortativity", figure_of(graph.assortativity, 3))], "targets"
        value, first = graph.assortativity, ""
    else:
        return []
    if np.isnan(value):
        return [Tiles(tuple(tiles)), Text(f"{first}All nodes on edges are of one class.")]
    name = tiles[-1][0].capitalize()
    scale = f"{name} is {figure_of(value, 3)} (1: neighbours always agree, 0: no more than by chance): "
    if value > 0.5:
        says = f"neighbours have much the same {kind}, and averaging over them is a good guess."
    elif value > 0.1:
        says = f"neighbours tell something of each other's {kind}, but a node's own features should be kept apart."
    elif value > -0.1:
        says = f"who is whose neighbour says little of the {kind} directly; compare with an MLP that sees no edges."
    else:
        says = f"neighbours tend to differ in their {kind}: what averages a node with them (GCN) may lose it."
    return [Tiles(tuple(tiles)), Text(first + scale + says)]


def _class_bars(counts: np.ndarray, class_names: tuple[str, ...] | None) -> Bars:
    names = class_names if class_names and len(class_names) >= len(counts) else [str(c) for c in range(len(counts))]
    order = np.argsort(-counts, kind="stable")[:_BARS]
    total = counts.sum()
    rows = tuple(
        (shortened(names[c]), float(100 * counts[c] / counts.max()), f"{counts[c]:,} ({percent(counts[c] / total)})")
        for c in order
    )
    caption = (
        f"Always saying {shortened(names[order[0]])} would be right in {percent(counts.max() / total)} of the cases."
    )
    return Bars("Classes", rows, caption)


def _configuration(data: ReportData) -> list[Block]:
    blocks: list[Block] = []
    if data.configuration:
        blocks.append(Folded("config.toml: running it again gives the same result", to_toml(data.configuration)))
    if data.environment:
        rows = "\n".join(f"{name:<20} {value}" for name, value in data.environment.items())
        blocks.append(Folded("Versions", rows))
    return blocks


def _spans_decades(training: TrainingLogs, column: str) -> bool:
    """Whether all of it has a place on a logarithmic scale, and needs one."""
    found = [log[column].drop_nulls() for log in training.logs if column in log.columns]
    values = np.concatenate([np.asarray(column, float) for column in found]) if found else np.zeros(1)
    values = values[np.isfinite(values)]
    return len(values) > 0 and values.min() > 0 and values.max() > 50 * values.min()
