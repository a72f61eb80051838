"""Turns a diagnosis into the sections of a page: pictures, the verdict, what to try, and the figures."""

import numpy as np

from grapevine.report.blocks import NOTHING, Block, Note, Section, Step, Steps, Table, Text, Tiles, figure_of, percent
from grapevine.report.diagnosis.data import Attempt, Diagnosis, Power, Reach
from grapevine.report.diagnosis.pictures import pictures_of
from grapevine.report.sections import spread_of

_ROWS = 14  # of a table


def sections_of(found: Diagnosis) -> list[Section]:
    """What there is to say, in order."""
    made = [
        Section("pictures", "What was found", pictures_of(found)),
        Section("verdict", "Verdict", verdict_blocks(found)),
        Section("remedies", "What to try", remedy_blocks(found)),
        Section("power", "What can not be told apart", _power(found)),
        Section("neighbours", "Neighbours", _likeness(found)),
        Section("depth", "Depth", _depth(found)),
        Section("reach", "Reach", _reach(found)),
        Section("skipped", "What was not measured", [Note("info", one) for one in found.skipped]),
    ]
    return [section for section in made if section.blocks]


def verdict_blocks(found: Diagnosis) -> list[Block]:
    """Each remark, and whether it was measured."""
    return [
        Note(
            one.severity,
            one.text + ("" if one.is_measured else " (An indication, not a measure of a trained network.)"),
        )
        for one in found.verdict
    ]


def remedy_blocks(found: Diagnosis) -> list[Block]:
    """The ranked list, with what trying came to."""
    if not found.remedies:
        return []
    tried = found.attempts
    rows = {} if tried is None else {row.command: row for row in tried.rows}
    steps = tuple(Step(one.title, one.why, one.command, *_outcome(rows.get(one.command))) for one in found.remedies)
    blocks: list[Block] = [Steps(steps)]
    if tried is None:
        text = (
            "The order is by what was measured; it is an order in which to try things, and no promise. --try runs them."
        )
        return [*blocks, Text(text)]
    severity = "good" if tried.winner is not None else "info"
    return [Note(severity, tried.verdict), _tried(found), *blocks]


def _outcome(row: Attempt | None) -> tuple[str, str]:
    """In words, and its kind."""
    if row is None:
        return "", ""
    if row.score is None:
        return row.note, "info"
    gain = 0.0 if row.gain is None else row.gain
    kind = "good" if row.helps else "info"
    words = "helped" if row.helps else "no help" if row.helps is False else "open"
    return f"{words}: {spread_of(row.score)} ({gain:+.3g})" + (f", {row.note}" if row.note else ""), kind


def _tried(found: Diagnosis) -> Table:
    tried = found.attempts
    assert tried is not None
    rows = [tried.baseline, *tried.rows]
    cells = tuple(
        (
            row.title,
            spread_of(row.score) if row.score else NOTHING,
            NOTHING if row.gain is None else f"{row.gain:+.3g}",
            str(row.num_seeds or NOTHING),
            f"{figure_of(row.seconds, 3)} s",
            row.note,
        )
        for row in rows
    )
    caption = (
        f"On the validation part, within {tried.minutes:g} minutes. Marked: better than the baseline by more than the "
        "spread of both over their seeds."
    )
    marked = frozenset(k for k, row in enumerate(rows) if row.helps)
    return Table("What was tried", ("tried", tried.metric, "gain", "seeds", "time", "note"), cells, caption, marked)


def _power(found: Diagnosis) -> list[Block]:
    power = found.power
    if power is None:
        return []
    parts = [part for part in ("all", "train", "val", "test") if any(part in limit.best for limit in power.limits)]
    columns = ("test", "what is told", "bounds", "classes", "alike", *(_part(part) for part in parts))
    rows = tuple(
        (
            limit.test,
            limit.told,
            limit.bounds,
            _count(limit.num_classes),
            _count(limit.num_alike),
            *(_value(power, limit.best.get(part)) for part in parts),
        )
        for limit in power.limits
    )
    measure = f"The best {power.measure} that can be reached, by part. " if power.measure else ""
    caption = (
        f"{measure}Classes: into how many the {power.num_items:,} {power.what} fall; alike: how many share theirs. "
        "(k + 1)-WL in its oblivious form equals k-FWL, the folklore form; oblivious 2-WL equals 1-WL."
    )
    table = Table("", columns, rows, caption, frozenset({power.plain}), words=3)
    notes = [f"{limit.test}, {limit.told}: {limit.note}" for limit in power.limits if limit.note]
    return [
        table,
        *([Note("info", "Of these tests some were not made, or needed not be.", tuple(notes))] if notes else []),
    ]


def _likeness(found: Diagnosis) -> list[Block]:
    likeness = found.likeness
    if likeness is None or likeness.figures is None:
        return []
    figures, blocks = likeness.figures, []
    blocks.append(
        Tiles(
            (
                ("edge homophily", figure_of(figures.edge, 3)),
                ("node homophily", figure_of(figures.node, 3)),
                ("class-insensitive", figure_of(figures.class_insensitive, 3)),
                ("adjusted", figure_of(figures.adjusted, 3)),
                ("label informativeness", figure_of(figures.label_informativeness, 3)),
                ("pairs of known classes", f"{figures.num_pairs:,}"),
            )
        )
    )
    if likeness.rehearsal is not None:
        trial = likeness.rehearsal
        rows = (
            ("the features alone", figure_of(trial.alone, 3)),
            ("their averages over two steps", figure_of(trial.heard, 3)),
        )
        caption = (
            f"Logistic regression learnt on the training part, judged by {trial.count:,} validation items; a "
            f"difference of {figure_of(trial.error, 2)} may be chance."
        )
        blocks.append(Table("A rehearsal: a linear fit", ("of", trial.metric), rows, caption, is_wide=False))
    return blocks


def _depth(found: Diagnosis) -> list[Block]:
    depth = found.depth
    if depth is None:
        return []
    step = max(1, (len(depth.layers) - 1) // 16)
    chosen = [k for k in range(len(depth.layers)) if k % step == 0 or k == len(depth.layers) - 1]
    rows = tuple(
        (
            f"layer {k}" if k else "features",
            f"{layer.num_channels:,}",
            *(
                figure_of(value, 3)
                for value in (
                    layer.energy,
                    layer.relative_energy,
                    layer.mean_distance,
                    layer.mean_cosine,
                    layer.effective_rank,
                    layer.stable_rank,
                )
            ),
            f"{layer.rank:,}",
        )
        for k, layer in ((k, depth.layers[k]) for k in chosen)
    )
    columns = (
        "states",
        "width",
        "energy",
        "relative energy",
        "mean distance",
        "mean cosine",
        "effective rank",
        "stable rank",
        "rank",
    )
    return [Table("", columns, rows, f"Of {depth.network}.")]


def _reach(found: Diagnosis) -> list[Block]:
    reach = found.reach
    if reach is None:
        return []
    tiles = _gap_tiles(reach)
    blocks: list[Block] = [Tiles(tuple(tiles))] if tiles else []
    for title, steps, who in (
        ("From asked nodes to the nearest that teaches", reach.steps, "asked nodes"),
        ("How far two nodes are apart", reach.spans, "pairs of a sample"),
    ):
        if steps is not None and len(steps):
            blocks.append(_steps(title, steps, who))
    heard, worst = reach.heard, reach.bottlenecks
    if heard is not None:
        columns = zip(heard.distance, heard.num_pairs, heard.mean, heard.median, heard.share, strict=True)
        rows = tuple(
            ("no path" if np.isinf(distance) else f"{distance:.0f}", f"{pairs:,}", figure_of(mean, 3),
             figure_of(median, 3), percent(share))
            for distance, pairs, mean, median, share in columns
        )  # fmt: skip
        title, names = "Influence by distance", ("steps", "pairs", "mean", "median", "share")
        blocks.append(Table(title, names, rows[:_ROWS], f"Derivatives of {reach.network}.", is_wide=False))
    if worst is not None and worst.pairs.shape[1]:
        edges = zip(worst.pairs.T, worst.resistance, worst.curvature, strict=True)
        rows = tuple((f"{u} - {v}", figure_of(one, 3), figure_of(other, 3)) for (u, v), one, other in edges)
        caption = "Resistance 1 is a bridge; balanced Forman curvature is above -2, and the lower the narrower."
        columns = ("edge", "resistance", "curvature")
        blocks.append(Table("The narrowest edges", columns, rows[:_ROWS], caption, is_wide=False))
    return blocks


def _gap_tiles(reach: Reach) -> list[tuple[str, str]]:
    tiles = []
    if reach.gap is not None and reach.gaps is None:
        low, high = reach.gap.largest / 2, (2 * reach.gap.largest) ** 0.5
        tiles += [
            ("pieces", f"{reach.gap.num_components:,}"),
            ("spectral gap, largest piece", figure_of(reach.gap.largest, 3)),
            ("narrowest cut, by Cheeger", f"{figure_of(low, 2)} to {figure_of(high, 2)}"),
            ("a cut that was found", figure_of(reach.gap.conductance, 3)),
        ]
    if reach.gaps is not None and len(reach.gaps):
        tiles += [
            ("graphs in one piece", f"{len(reach.gaps):,}"),
            ("smallest gap", figure_of(float(reach.gaps.min()), 3)),
            ("largest gap", figure_of(float(reach.gaps.max()), 3)),
        ]
    if reach.resistance is not None:
        tiles.append(("mean resistance of two nodes", figure_of(reach.resistance, 3)))
    return tiles


def _steps(title: str, steps: np.ndarray, who: str) -> Table:
    finite = steps[np.isfinite(steps)]
    rows, total, most = [], len(steps), 8
    for k in range(int(min(finite.max(initial=0), most)) + 1):
        here = float((steps == k).sum() / total)
        if here or k:
            rows.append((str(k), percent(here), percent(float((steps <= k).mean()))))
    if len(finite) and finite.max() > most:
        rows.append((f"more than {most}", percent(float(((steps > most) & np.isfinite(steps)).mean())), NOTHING))
    if len(finite) < total:
        rows.append(("no path", percent(1 - len(finite) / total), NOTHING))
    return Table(title, ("steps", f"of {total:,} {who}", "within"), tuple(rows), "", is_wide=False)


def _part(part: str) -> str:
    return {"all": "all", "val": "validation"}.get(part, part)


def _count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def _value(power: Power, value: float | None) -> str:
    if value is None:
        return NOTHING
    return percent(value) if power.measure == "accuracy" else figure_of(value)
