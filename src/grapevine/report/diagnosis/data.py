"""What a page of diagnosis is made from: figures and arrays as the measures gave them; what is None is left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Int

from grapevine.diagnose import Bottlenecks, Homophily, Sensitivity, Smoothing, SpectralGap
from grapevine.report.data import Score

Severity = Literal["error", "warning", "info", "good"]
Leaning = Literal["gcn", "mlp", "either"]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A small graph to be drawn.

    Args:
        pairs: [2, m] neighbours, each pair once.
        group: [n] which colour each node gets; -1: none.
        root: the node that is looked at, if any.
        marked: [2, k] pairs that are drawn strongly.
        places: [n, 2] where the nodes lie; None: they are laid out.
    """

    title: str
    num_nodes: int
    pairs: Int[np.ndarray, "2 m"]
    group: Int[np.ndarray, " n"]
    root: int | None = None
    marked: Int[np.ndarray, "2 k"] | None = None
    places: Float[np.ndarray, "n 2"] | None = None


@dataclass(frozen=True)
class Limit:
    """What one test leaves undecided of the data, and so the best that what it bounds can reach.

    Args:
        told: what is known of the nodes and edges from the start.
        test: which test, as "1-WL".
        bounds: whom it bounds.
        num_classes: into how many classes of one colour the items fall; None: not made.
        num_alike: how many share their class with another one.
        best: the best value of the measure, by part; "all" is of all whose answer is known.
        note: why it was not made, or needed not be made.
    """

    told: str
    test: str
    bounds: str
    num_classes: int | None = None
    num_alike: int | None = None
    best: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def name(self) -> str:
        """For tables and bars."""
        return f"{self.test} · {self.told}"


@dataclass(frozen=True, eq=False)
class Twins:
    """Two graphs, or two nodes with their neighbourhoods, that no network that passes messages tells apart.

    Args:
        told: what such a network is told of them.
        answers: what is so of each, where it is known.
        separated_by: the tests that tell them apart, of those that were made.
        not_separated_by: those that do not.
        are_same: whether they are one graph, node for node; None: it was not found out.
    """

    what: Literal["graph", "node"]
    told: str
    drawings: tuple[Drawing, Drawing]
    answers: tuple[str, str] | None
    separated_by: tuple[str, ...]
    not_separated_by: tuple[str, ...]
    are_same: bool | None

    @property
    def is_of_two_answers(self) -> bool:
        return self.answers is not None and self.answers[0] != self.answers[1]


@dataclass(frozen=True)
class Power:
    """What can not be told apart.

    Args:
        what: of what there are so many: nodes, graphs, links or edges.
        measure: "accuracy", "RMSE" or "MAE"; empty without answers.
        limits: what is told nothing but features first, then 1-WL, encodings and stronger tests.
        plain: the place among them of 1-WL with all features: the bound of networks that pass messages.
        reached: the run's own values of the measure, by part.
    """

    what: str
    num_items: int
    measure: str
    limits: tuple[Limit, ...]
    plain: int
    twins: Twins | None = None
    reached: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_higher_better(self) -> bool:
        return self.measure == "accuracy"

    @property
    def together(self) -> list[tuple[str, Limit]]:
        """The limits with their names, stronger tests and encodings that come to the same as one."""
        groups: dict[tuple, list[Limit]] = {}
        for k, limit in enumerate(self.limits):
            told = limit.told.partition(", ")[0]
            same = (told, limit.num_alike, *limit.best.items()) if k > self.plain + 1 else (k,)
            groups.setdefault(same, []).append(limit)
        return [(_joint_name(limits), limits[0]) for limits in groups.values()]

    @property
    def bound(self) -> Limit:
        """Of networks that pass messages and are told all features."""
        return self.limits[self.plain]


def _joint_name(limits: Sequence[Limit]) -> str:
    """What tests that came to the same are called together."""
    if len(limits) == 1:
        return limits[0].name
    words = [one.told.partition(", ")[2] or one.test.partition(" (")[0] for one in limits]
    words = words if len(words) <= 4 else [*words[:3], f"{len(words) - 3} more"]
    return f"{', '.join(words)} · {limits[0].told.partition(', ')[0]}"


@dataclass(frozen=True)
class Depth:
    """How alike the states of nodes grow, layer by layer; the first are the features.

    Args:
        network: which one, in words.
        is_trained: else the figures are an indication.
    """

    network: str
    is_trained: bool
    layers: tuple[Smoothing, ...]


@dataclass(frozen=True, eq=False)
class Reach:
    """How far news comes, and what is in its way.

    Args:
        network: the one whose influence was measured, in words.
        num_layers: of that network.
        heard: its influence by distance; None where it was not measured.
        gap: of the graph, of a collection that of the graph that is drawn.
        gaps: [g] of the graphs of a collection that are in one piece.
        resistance: the mean between pairs of nodes that some path joins.
        bottlenecks: the edges that news has to pass.
        drawing: where they are.
        steps: [k] how many steps each asked node is from the nearest that teaches; infinity where no path leads there.
        spans: [k] how many steps pairs of nodes are apart, of a sample; infinity where there is no path.
    """

    network: str
    is_trained: bool
    num_layers: int
    heard: Sensitivity | None = None
    gap: SpectralGap | None = None
    gaps: Float[np.ndarray, " g"] | None = None
    resistance: float | None = None
    bottlenecks: Bottlenecks | None = None
    drawing: Drawing | None = None
    steps: Float[np.ndarray, " k"] | None = None
    spans: Float[np.ndarray, " k"] | None = None


@dataclass(frozen=True)
class Bin:
    """The nodes whose share of neighbours of their own class is from low to high, and how often a model is right."""

    low: float
    high: float
    count: int
    accuracy: float


@dataclass(frozen=True)
class Rehearsal:
    """A linear fit on the training part, judged on the validation part: a small trial of what features carry.

    Args:
        alone: of the features of each node.
        heard: of the features averaged as two layers of a GCN average them.
        error: the standard error of the difference, as that of two shares of so many items.
    """

    metric: str
    count: int
    alone: float
    heard: float
    error: float


@dataclass(frozen=True, eq=False)
class Likeness:
    """How alike neighbours are, and what follows for a network that averages over them.

    Args:
        figures: None where the answers are no classes.
        assortativity: of numbers: the correlation between the ends of an edge.
        by_homophily: how often the run is right on nodes that did not teach, by their own homophily.
        rehearsal: None where there is no validation part or no features.
        leaning: which of the two is expected to do better.
        reasons: why, in sentences.
    """

    class_names: tuple[str, ...]
    figures: Homophily | None = None
    assortativity: float | None = None
    by_homophily: tuple[Bin, ...] = ()
    rehearsal: Rehearsal | None = None
    leaning: Leaning | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """A sentence of the verdict.

    Args:
        is_measured: else it is an indication.
    """

    severity: Severity
    about: str
    text: str
    is_measured: bool = True


@dataclass(frozen=True)
class Remedy:
    """Something to try, and the command that tries it."""

    title: str
    why: str
    command: str


@dataclass(frozen=True)
class Attempt:
    """What trying one came to, on the validation part.

    Args:
        score: the mean over the seeds, and their spread where there are several.
        seconds: that all of them took.
        gain: by how much it is better than the baseline, in units of the metric; negative: worse.
        helps: whether that is more than the two spreads; None: from one seed it can not be said.
        note: why there is no score, or what is to be minded of it.
    """

    title: str
    command: str
    score: Score | None
    num_seeds: int = 0
    seconds: float = 0.0
    gain: float | None = None
    helps: bool | None = None
    note: str = ""


@dataclass(frozen=True)
class Attempts:
    """What helped.

    Args:
        metric: on the validation part.
        rows: the remedies in the order in which they were tried; what the budget left no time for has no score.
        winner: the place of the best one that helped; None: nothing did.
        test: of the winner, and of the baseline beside it.
        verdict: in words.
    """

    metric: str
    is_higher_better: bool
    minutes: float
    baseline: Attempt
    rows: tuple[Attempt, ...]
    winner: int | None
    test: tuple[Score, Score] | None
    verdict: str


@dataclass(frozen=True)
class Diagnosis:
    """Why a network fails, or would fail, on given data.

    Args:
        name: of the run or the data.
        is_of_run: else it is of data.
        question: what was asked of what, in a sentence.
        scores: of a run, its metric by part.
        verdict: the remarks, the weightiest first.
        remedies: what to try, the likeliest to help first.
        attempts: what trying them came to, if that was asked for.
        skipped: what was not measured, and why.
    """

    name: str
    is_of_run: bool
    question: str
    level: str
    model: str | None
    metric: str | None
    scores: Mapping[str, float]
    power: Power | None
    depth: Depth | None
    reach: Reach | None
    likeness: Likeness | None
    verdict: tuple[Remark, ...]
    remedies: tuple[Remedy, ...]
    attempts: Attempts | None = None
    skipped: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        found = _plain(self)
        for name in ("verdict", "remedies", "skipped"):
            found[name] = list(found[name])
        return found


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value
