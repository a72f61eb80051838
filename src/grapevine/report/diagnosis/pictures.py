"""The pictures of a diagnosis, each with what it shows and what to see in it."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from grapevine.report.blocks import Bars, Block, Figure, Heat, figure_of, percent, shortened
from grapevine.report.diagnosis.data import Depth, Diagnosis, Likeness, Power, Reach, Twins
from grapevine.report.diagnosis.graph_drawing import draw_graphs
from grapevine.report.svg import MUTED, SERIES, drawn, logarithmic, variable

_CLASSES = 20  # of a compatibility matrix
_LEGEND = 7  # classes that have a colour


def pictures_of(found: Diagnosis) -> list[Block]:
    """What there is to be seen, the most telling first."""
    blocks: list[Block] = []
    if found.power is not None:
        blocks += [twins(found.power.twins)] if found.power.twins is not None else []
        blocks += [bounds(found.power)] if found.power.measure else [classes(found.power)]
    if found.likeness is not None and found.likeness.figures is not None and found.likeness.figures.num_pairs:
        blocks.append(compatibility(found.likeness))
    if found.depth is not None:
        blocks.append(energies(found.depth))
    if found.reach is not None:
        blocks += [influence(found.reach)] if found.reach.heard is not None else []
        blocks += [narrow_places(found.reach, found.likeness)] if found.reach.drawing is not None else []
    if found.likeness is not None and found.likeness.by_homophily:
        blocks.append(by_homophily(found.likeness))
    return blocks


def twins(pair: Twins) -> Figure:
    """Two that are alike to every network that passes messages."""
    one, other = (drawing.title for drawing in pair.drawings)
    given = "by their edges alone" if pair.told == "edges alone" else f"told their {pair.told}"
    by = " by the edges alone" if pair.told == "edges alone" else ""
    title = f"Two {pair.what}s that no network that passes messages tells apart{by}"
    said = ""
    if pair.answers is not None:
        is_of_two = pair.is_of_two_answers
        said = f" Their answers are {'' if is_of_two else 'both '}{' and '.join(dict.fromkeys(pair.answers))}"
        said += ": one of them it must get wrong." if is_of_two else "."
    if pair.separated_by:
        why = f" They are not the same: {_listed(pair.separated_by)} tells them apart."
        if pair.not_separated_by:
            why += f" {_listed(pair.not_separated_by)} {'do' if len(pair.not_separated_by) > 1 else 'does'} not."
    elif pair.are_same:
        why = " They are one and the same graph, node for node, so nothing can tell them apart."
    elif pair.not_separated_by:
        why = f" No stronger test that was made tells them apart either: {_listed(pair.not_separated_by)}."
    else:
        why = ""
    whom = "Colours are those of 1-WL" + (", the ring is around the node." if pair.what == "node" else ".")
    caption = f"{given[0].upper()}{given[1:]}, {one} and {other} look the same: what one hears, the other hears."
    svg = draw_graphs("twins", pair.drawings, width=6.4, height=2.7)
    return Figure(title, svg, f"{one} and {other}, side by side.", f"{caption}{said}{why} {whom}", is_wide=True)


def bounds(power: Power) -> Bars:
    """The best that can be reached, by what a network is told and how strong it is."""
    made = [(name, limit) for name, limit in power.together if "all" in limit.best]
    values = [limit.best["all"] for _, limit in made]
    longest = 1.0 if power.is_higher_better else max([*values, *power.reached.values(), 1e-12])
    rows = [(name, 100 * value / longest, _value(power, value)) for (name, _), value in zip(made, values, strict=True)]
    if "test" in power.reached:
        value = power.reached["test"]
        rows.append(("the run, test part", 100 * value / longest, _value(power, value)))
    title = (
        f"The {'highest accuracy' if power.measure == 'accuracy' else f'lowest {power.measure}'} that can be reached"
    )
    caption = (
        f"Of all {power.num_items:,} {power.what}, by the test that bounds a network and by what it is told. A bound "
        "is what a network could do that knew all answers by heart, so a network learns less; 1-WL is that of all that "
        "pass messages."
    )
    return Bars(title, tuple(rows), caption)


def classes(power: Power) -> Bars:
    """How many are alike, where there are no answers."""
    made = [limit for limit in power.limits if limit.num_alike is not None]
    total = max(power.num_items, 1)
    rows = tuple(
        (limit.name, 100 * (limit.num_alike or 0) / total, f"{limit.num_alike:,} of {power.num_items:,}")
        for limit in made
    )
    return Bars(
        f"How many {power.what} share their class with another",
        rows,
        "By the test that bounds a network and by what it is told. There are no answers to count mistakes by.",
    )


def energies(depth: Depth) -> Figure:
    """How far apart the states of neighbours are and how alike all states, layer by layer."""
    layers = np.arange(len(depth.layers))
    energy, cosine, distance, rank = (
        np.array([getattr(layer, name) for layer in depth.layers])
        for name in ("relative_energy", "mean_cosine", "mean_distance", "effective_rank")
    )
    width = np.array([max(layer.num_channels, 1) for layer in depth.layers])

    def draw(axes: Axes) -> None:
        marks = {"marker": "o", "markersize": 4 if len(layers) < 20 else 2.5}
        for k, values in enumerate((energy, distance, cosine, rank / width)):
            axes.plot(layers, values, color=SERIES[k], linestyle="--" if k == 2 else "-", **marks)
        axes.set(xlabel="layer (0: the features)", ylabel="measure, 0 to 1")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        axes.set_ylim(min(-0.03, float(np.nanmin(cosine)) - 0.03), max(1.03, float(np.nanmax(energy)) + 0.03))

    legend = (
        ("Dirichlet energy, of the states' own size", variable(SERIES[0]), "line"),
        ("mean distance to neighbours", variable(SERIES[1]), "line"),
        ("mean cosine of all pairs", variable(SERIES[2]), "dashed"),
        ("effective rank, of the width", variable(SERIES[3]), "line"),
    )
    about = "" if depth.is_trained else " It has not learnt: this is what averaging does, and an indication."
    caption = (
        f"Of {depth.network}. Where the cosine comes to 1 and the rest to 0, all states are one and the same, and "
        f"nodes can not be told apart.{about}"
    )
    said = f"Mean cosine from {figure_of(cosine[0], 3)} to {figure_of(cosine[-1], 3)}"
    return Figure(
        "How alike states grow, layer by layer",
        drawn("energies", draw),
        f"{said} over {len(layers) - 1} layers.",
        caption,
        legend,
    )


def influence(reach: Reach) -> Figure:
    """How much a node hears of others, by their distance."""
    heard = reach.heard
    assert heard is not None
    finite = np.isfinite(heard.distance)
    shown = finite & (heard.distance <= reach.num_layers + 3)
    distance = heard.distance[shown]
    mean = heard.mean[shown] / max(float(heard.mean[0]), 1e-300)
    share = heard.share[shown]
    positive = mean > 0

    def draw(axes: Axes) -> None:
        axes.bar(distance, np.nan_to_num(share), width=0.6, color=SERIES[0], alpha=0.35)
        axes.plot(distance[positive], np.clip(mean[positive], 1e-6, None), color=SERIES[1], marker="o", markersize=4)
        if reach.num_layers <= distance.max(initial=0):
            axes.axvline(reach.num_layers + 0.5, color=MUTED, linestyle=":", linewidth=1.2)
        axes.set(xlabel="steps between two nodes", ylabel="influence")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        logarithmic(axes, y=True)
        axes.set_ylim(1e-5, 3)

    legend = (
        ("of one node at that distance, beside a node's own", variable(SERIES[1]), "line"),
        ("share of all that is heard", variable(SERIES[0]), "line"),
    )
    about = "" if reach.is_trained else " It has not learnt: an indication."
    beyond = (
        "" if reach.num_layers > distance.max(initial=0) else (f" Dotted: {reach.num_layers} layers hear no further.")
    )
    caption = (
        f"By the derivatives of {reach.network} at {len(heard.targets)} nodes; what it hears comes from "
        f"{figure_of(heard.reach, 2)} steps away on the mean.{beyond}{about}"
    )
    return Figure(
        "What arrives from how far", drawn("influence", draw), f"Influence by distance: {caption}", caption, legend
    )


def narrow_places(reach: Reach, likeness: Likeness | None) -> Figure:
    """The bottlenecks on the graph."""
    drawing, found = reach.drawing, reach.bottlenecks
    assert drawing is not None
    assert found is not None
    names = () if likeness is None else likeness.class_names
    groups = [int(group) for group in np.unique(drawing.group) if group >= 0]
    legend = tuple(
        (shortened(names[k], 24), variable(SERIES[k]), "dot") for k in groups if k < min(len(names), _LEGEND)
    )
    caption = (
        f"Strong: the edges of the most negative curvature ({figure_of(float(found.curvature[0]), 3)} and up), where "
        f"news of many nodes has to pass. {drawing.num_nodes:,} nodes are drawn"
        + ("." if reach.gaps is None else ", those of the graph with the smallest gap.")
    )
    return Figure(
        "Bottlenecks",
        draw_graphs("bottlenecks", [drawing], width=6.0, height=4.6),
        f"The graph with {found.pairs.shape[1]} bottleneck edges.",
        caption,
        legend,
    )


def compatibility(likeness: Likeness) -> Heat:
    """Which classes the neighbours of each class are of."""
    figures = likeness.figures
    assert figures is not None
    matrix = np.nan_to_num(figures.compatibility)
    order = np.arange(min(len(matrix), _CLASSES))
    names = tuple(shortened(likeness.class_names[k], 24) for k in order)
    shares = tuple(tuple(round(100 * float(matrix[i, j])) for j in order) for i in order)
    inside = float(np.nanmean(np.diagonal(figures.compatibility)))
    caption = (
        "Rows are a node's class, columns its neighbours', in percent of the row. "
        f"On the diagonal neighbours are of one class: {percent(figures.edge)} of the edges, and "
        f"{figure_of(figures.adjusted, 2)} when chance is taken off (adjusted homophily)."
    )
    return Heat(
        "Of which classes neighbours are",
        names,
        shares,
        shares,
        caption,
        f"Compatibility matrix of {len(names)} classes; {percent(inside)} on the diagonal.",
        has_counts=False,
    )


def by_homophily(likeness: Likeness) -> Bars:
    """How often the run is right, by how alike a node's neighbours are to it."""
    rows = tuple(
        (
            f"{100 * one.low:.0f} to {100 * one.high:.0f} %",
            100 * one.accuracy,
            f"{percent(one.accuracy)} of {one.count:,}",
        )
        for one in likeness.by_homophily
    )
    return Bars(
        "How often the run is right, by neighbours of the same class",
        rows,
        "Nodes that did not teach, by the share of their neighbours that are of their own class.",
    )


def _value(power: Power, value: float) -> str:
    return percent(value) if power.measure == "accuracy" else figure_of(value)


def _listed(names: Sequence[str]) -> str:
    words = [*names] if len(names) <= 5 else [*names[:4], f"{len(names) - 4} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
