"""What was measured, and the few figures that decide what is said of it and what is tried."""

from dataclasses import dataclass

import numpy as np

from grapevine.recipes.diagnose.power import EDGES
from grapevine.recipes.diagnose.subject import Subject
from grapevine.report.diagnosis.data import Depth, Likeness, Limit, Power, Reach

COLLAPSED_COSINE, COLLAPSED_ENERGY = 0.95, 0.05  # the mean cosine above, the relative energy below which states blur
NARROW = 0.02  # spectral gap: by Cheeger's inequality then some cut is narrower than a fifth


@dataclass(frozen=True, eq=False)
class Findings:
    """The measures of a subject; None is what was not measured."""

    subject: Subject
    power: Power | None
    depth: Depth | None
    reach: Reach | None
    likeness: Likeness | None

    def has_collapsed(self) -> bool:
        """Whether the states before the last ones point the same way; those of features alone do not count."""
        inner = self._inner()
        return bool(inner) and inner[-1].mean_cosine > COLLAPSED_COSINE

    def collapse_layer(self) -> int | None:
        """After how many layers the states first point the same way."""
        for k, layer in enumerate(self.depth.layers[1:] if self.depth is not None else ()):
            if layer.mean_cosine > COLLAPSED_COSINE:
                return k + 1
        return None

    def is_narrow(self) -> bool:
        """Whether the graph, or half of the graphs, can be cut at few edges although it is in one piece."""
        if self.reach is None:
            return False
        if self.reach.gaps is not None:
            return bool(len(self.reach.gaps)) and float(np.median(self.reach.gaps)) < NARROW
        return self.reach.gap is not None and 0 < self.reach.gap.largest < NARROW

    def share_beyond(self, layers: int) -> float:
        """The share of asked nodes that no teaching node is within so many steps of."""
        if self.reach is None or self.reach.steps is None or len(self.reach.steps) == 0:
            return 0.0
        return float((self.reach.steps > layers).mean())

    def share_that_teaches(self) -> float:
        """Of the items whose answer is known."""
        parts = self.subject.items.parts or {}
        total = sum(len(some) for some in parts.values())
        return len(parts.get("train", ())) / total if total else 0.0

    def train_beyond_val(self) -> float:
        """By how much a run is better on what it learnt from; 0 where its metric is no share, or there is no run."""
        subject = self.subject
        if subject.scores is None or subject.problem is None:
            return 0.0
        objective = subject.problem.task.objective
        train, val = (subject.scores.get(part, {}).get(objective.metric) for part in ("train", "val"))
        is_share = objective.is_higher_better and objective.metric != "r2"
        return train - val if is_share and train is not None and val is not None else 0.0

    def gains_of_encodings(self) -> list[tuple[str, float]]:
        """For each encoding by how much it lifts the bound: of an accuracy in shares, of an error as its share."""
        power = self.power
        if power is None or not power.measure:
            return []
        plain, found = power.bound.best.get("all"), []
        for limit in power.limits:
            told, _, spec = limit.told.partition(", ")
            best = limit.best.get("all")
            if spec and best is not None and plain is not None and told == power.bound.told:
                gain = best - plain if power.is_higher_better else (plain - best) / plain if plain else 0.0
                found.append((spec, gain))
        return found

    def of_edges_alone(self) -> Limit | None:
        """What 1-WL tells of the structure."""
        limits = () if self.power is None else self.power.limits
        return next((one for one in limits if one.told == EDGES and one.test == "1-WL"), None)

    def _inner(self):
        """The states of the hidden layers; of a single layer its own."""
        layers = () if self.depth is None else self.depth.layers[1:]
        return layers[:-1] if len(layers) > 1 else layers
