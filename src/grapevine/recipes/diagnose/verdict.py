"""The verdict in words: what was measured, what is only an indication, and what it means."""

import numpy as np

from grapevine.recipes.diagnose.findings import NARROW, Findings
from grapevine.report.diagnosis.data import Likeness, Power, Remark

_ORDER = {"error": 0, "warning": 1, "good": 2, "info": 3}
_FEW = 10  # nodes of which no share is told
_ALIKE = 0.7  # the mean cosine of states from which they are called alike
_LOST = 0.02  # of the bound, from which expressive power is worth a word


def verdict_of(found: Findings) -> tuple[Remark, ...]:
    """The remarks, the weightiest first."""
    remarks = [*_likeness(found), *_power(found), *_depth(found), *_reach(found)]
    return tuple(sorted(remarks, key=lambda one: _ORDER[one.severity]))


def _power(found: Findings) -> list[Remark]:
    power = found.power
    if power is None or power.num_items == 0:
        return []
    limit, about = power.bound, "expressive power"
    count = limit.num_alike or 0
    several = (
        f"{count:,} of {power.num_items:,} {power.what}" if count else f"no two of {power.num_items:,} {power.what}"
    )
    alike = (
        f"{several} fall into classes that 1-WL can not split, given the {limit.told}"
        if count
        else (f"1-WL tells all {power.num_items:,} {power.what} apart, given the {limit.told}")
    )
    best = limit.best.get("all")
    if best is None:
        return [Remark("info" if count else "good", about, f"{_start(alike)}.")]
    said = _value(power.measure, best)
    is_lost = best < 1 - _LOST if power.is_higher_better else best > 0
    if not is_lost:
        text = (
            f"{_start(alike)}; a network that passes messages may reach {said}, so expressive power is not the limit."
        )
        return [Remark("good", about, text + _alone(found))]
    bound = "be right on more than" if power.is_higher_better else "have a smaller error than"
    text = f"{_start(alike)}. No network that passes messages can {bound} {said}, however it is trained"
    parts = [
        f"{part} {_value(power.measure, limit.best[part])}" for part in ("train", "val", "test") if part in limit.best
    ]
    text += f" ({', '.join(parts)})." if parts else "."
    more, lifts = _lifted(power)
    reached = power.reached.get("test")
    run = "" if reached is None else f" The run is at {_value(power.measure, reached)} on the test part."
    return [Remark("error" if lifts else "warning", about, f"{text} {more}{run}")]


def _lifted(power: Power) -> tuple[str, bool]:
    """What lifts the bound, in a sentence, and whether anything does."""
    limit, best = power.bound, power.bound.best["all"]
    better = [
        one
        for one in power.limits
        if one.note == "" and "all" in one.best and one.told.startswith(limit.told)
        and _is_better(one.best["all"], best, power.is_higher_better)
    ]  # fmt: skip
    if not better:
        return "No stronger test that was made lifts the bound: look at the answers of what is alike.", False
    first = (max if power.is_higher_better else min)(better, key=lambda one: one.best["all"])
    return f"With {first.name} the bound is {_value(power.measure, first.best['all'])}.", True


def _alone(found: Findings) -> str:
    """What the features take part in, where they decide."""
    edges, power = found.of_edges_alone(), found.power
    if power is None or edges is None or edges is power.bound or "all" not in edges.best:
        return ""
    best = edges.best["all"]
    if (best >= 1 - 1e-9) if power.is_higher_better else (best <= 1e-9):
        return ""
    return f" (By the edges alone it would be {_value(power.measure, best)}.)"


def _likeness(found: Findings) -> list[Remark]:
    likeness = found.likeness
    if likeness is None:
        return []
    if likeness.figures is None:
        value = likeness.assortativity
        if value is None or value != value:
            return []
        words = "alike" if value > 0.3 else "unlike" if value < -0.1 else "neither alike nor unlike"
        return [
            Remark("info", "neighbours", f"The numbers at the ends of an edge are {words} (correlation {value:.2f}).")
        ]
    why = "; ".join(likeness.reasons)
    who = {
        "gcn": ("good", "A GCN is expected to beat an MLP"),
        "mlp": ("error", "An MLP, which hears no neighbour, is expected to beat a GCN"),
        "either": ("warning", "It is open whether a GCN or an MLP does better"),
    }
    if likeness.leaning is None:
        return []
    severity, text = who[likeness.leaning]
    remarks = [Remark(severity, "neighbours", f"{text}: {why}.", is_measured=False)]  # pyright: ignore[reportArgumentType]
    return [*remarks, *_by_homophily(likeness)]


def _by_homophily(likeness: Likeness) -> list[Remark]:
    """Whether the run is wrong where neighbours are of other classes."""
    bins = [one for one in likeness.by_homophily if one.count >= _FEW]
    if len(bins) < 2:
        return []
    low, high = bins[0], bins[-1]
    text = (
        f"The run is right on {_percent(low.accuracy)} of the {low.count:,} nodes with at most {100 * low.high:.0f} % "
        f"neighbours of their own class, and on {_percent(high.accuracy)} of the {high.count:,} with at least "
        f"{100 * high.low:.0f} %."
    )
    return [Remark("warning" if high.accuracy - low.accuracy > 0.2 else "info", "neighbours", text)]


def _depth(found: Findings) -> list[Remark]:
    depth = found.depth
    if depth is None:
        return []
    first, last = depth.layers[0], depth.layers[-1]
    where = found.collapse_layer()
    if not depth.is_trained:
        if where is None:
            return [
                Remark(
                    "info",
                    "depth",
                    f"The states of {depth.network} stay apart: after {len(depth.layers) - 1} "
                    f"layers their mean cosine is {last.mean_cosine:.2f}.",
                    is_measured=False,
                )
            ]
        text = (
            f"The states of {depth.network} all point the same way after {where} layers (mean cosine above 0.95): of a "
            "plain deep GCN take few layers, or one that is made for depth. Training may hold against it."
        )
        return [Remark("info", "depth", text, is_measured=False)]
    if found.has_collapsed():
        inner = depth.layers[-2] if len(depth.layers) > 2 else last
        text = (
            f"Over-smoothing: before the last layer the states of {depth.network} have a mean cosine of "
            f"{inner.mean_cosine:.3f} and an effective rank of {inner.effective_rank:.1f} of {inner.num_channels}; "
            f"from layer {where} on they are nearly one and the same."
        )
        return [Remark("error", "depth", text)]
    is_apart = last.mean_cosine < _ALIKE
    how = "stay apart" if is_apart else "grow alike"
    text = (
        f"The states of {depth.network} {how}: mean cosine {last.mean_cosine:.2f} after the last layer "
        f"({first.mean_cosine:.2f} of the features), effective rank {last.effective_rank:.1f} of {last.num_channels}."
    )
    return [Remark("good" if is_apart else "info", "depth", text)]


def _reach(found: Findings) -> list[Remark]:
    reach, remarks = found.reach, []
    if reach is None:
        return []
    if reach.steps is not None and len(reach.steps):
        beyond = found.share_beyond(reach.num_layers if reach.is_trained else 2)
        layers = reach.num_layers if reach.is_trained else 2
        middle = float(np.median(reach.steps))
        near = np.ceil(middle) if np.isfinite(middle) else None
        words = "no path to one that teaches" if near is None else f"one that teaches within {_steps(near)}"
        text = (
            f"Half of the asked nodes have {words}; {_percent(beyond)} have none within {_steps(layers)}, which is as "
            f"far as {layers} layers hear."
        )
        remarks.append(Remark("warning" if beyond > 0.3 else "good" if beyond < 0.05 else "info", "reach", text))
    if reach.heard is not None and reach.heard.reach == reach.heard.reach:
        text = (
            f"What a node hears comes from {reach.heard.reach:.1f} steps away on the mean, by the derivatives of "
            f"{reach.network}."
        )
        remarks.append(Remark("info", "reach", text, is_measured=reach.is_trained))
    if reach.gaps is not None and len(reach.gaps):
        middle = float(np.median(reach.gaps))
        text = f"The spectral gap of the graphs is {middle:.3g} in the middle, {reach.gaps.min():.3g} in the narrowest"
        remarks.append(Remark("warning" if middle < NARROW else "info", "reach", f"{text}."))
    elif reach.gap is not None:
        remarks.append(_gap(found))
    return remarks


def _gap(found: Findings) -> Remark:
    reach = found.reach
    assert reach is not None
    assert reach.gap is not None
    gap = reach.gap
    pieces = (
        f"The graph is in {gap.num_components:,} pieces, between which no news passes; the largest"
        if (gap.num_components > 1)
        else "The graph"
    )
    cut = (
        ""
        if np.isnan(gap.conductance)
        else (
            f"; its narrowest cut that was found is crossed by {gap.num_cut:,} "
            f"edge{'s' if gap.num_cut != 1 else ''} (conductance {gap.conductance:.3g})"
        )
    )
    text = f"{pieces} has a spectral gap of {gap.largest:.3g}{cut}."
    if found.is_narrow():
        text += " News from one side to the other is squashed; that matters only where answers depend on far nodes."
    return Remark("warning" if found.is_narrow() else "info", "reach", text)


def _is_better(value: float, than: float, is_higher_better: bool) -> bool:
    return value > than + 1e-9 if is_higher_better else value < than - 1e-9


def _value(measure: str, value: float) -> str:
    return _percent(value) if measure == "accuracy" else f"{measure} {value:.4g}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _steps(count: float) -> str:
    return "1 step" if count == 1 else f"{count:.0f} steps"


def _start(text: str) -> str:
    return text[0].upper() + text[1:]
