"""What to try, the likeliest to help first: each a change of the configuration that was diagnosed, or of a usual one.

The order is by what was measured: a limit that was found weighs more the further it is passed, and what is only an
indication weighs less. It is an order in which to try things, no promise; `attempts.py` tries them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from grapevine.recipes.config import TrainConfig
from grapevine.recipes.diagnose.findings import Findings
from grapevine.recipes.models import ModelName, obstacle
from grapevine.recipes.plan import plan
from grapevine.recipes.prepare import Preparation

_MOST = 8
_WORTH = 0.002  # of an accuracy, or the share of an error
_BELOW_1_WL = ("gcn", "gat", "gatv2", "sage", "sgc", "cheb", "arma", "attentivefp")  # as their equations say


@dataclass(frozen=True)
class Change:
    """One thing to try.

    Args:
        weight: the larger the earlier.
        name: of the model, where it is another one.
        model, prepare: fields of the model's and the preparation's configuration.
    """

    weight: float
    title: str
    why: str
    name: ModelName | None = None
    model: Mapping[str, Any] = field(default_factory=dict)
    prepare: Mapping[str, Any] = field(default_factory=dict)

    def of(self, config: TrainConfig) -> TrainConfig:
        """The configuration with it made: another model gets its own published settings."""
        if self.name is not None and self.name != config.model.name:
            changed = plan(config.source, self.name, level=config.task.level, task=config.task)
            training = changed.training.model_copy(update={"seed": config.training.seed})
            config = config.model_copy(update={"model": changed.model, "training": training})
        model = type(config.model).model_validate({**config.model.model_dump(), **self.model})
        config = config.model_copy(update={"model": model, "seeds": 1, "members": 1})
        told = Preparation.model_validate({**config.prepare.model_dump(), **self.prepare})
        return config.model_copy(update={"prepare": told})


def ranked(found: Findings, base: TrainConfig) -> list[Change]:
    """The changes that fit the data and differ from what there is, the weightiest first."""
    everything = [
        *_of_power(found, base),
        *_of_likeness(found, base),
        *_of_depth(found, base),
        *_of_reach(found, base),
        *_of_habit(found, base),
    ]
    kept: list[Change] = []
    made: list[TrainConfig] = [base.model_copy(update={"seeds": 1, "members": 1})]
    for change in sorted(everything, key=lambda one: -one.weight):
        if not _is_fit(change, found):
            continue
        try:
            config = change.of(base)
        except ValueError:  # the model or the data do not take it
            continue
        if config not in made:
            made.append(config)
            kept.append(change)
    return kept[:_MOST]


def _is_fit(change: Change, found: Findings) -> bool:
    problem = found.subject.problem
    return change.name is None or (problem is not None and obstacle(change.name, problem.graph, problem.level) is None)


def _of_power(found: Findings, base: TrainConfig) -> Iterator[Change]:
    level, gains = found.subject.level, found.gains_of_encodings()
    most = max((gain for _, gain in gains), default=0.0)
    if most > _WORTH and found.power is not None:
        what = (
            "the bound rises by {:.1f} points" if found.power.is_higher_better else "the least error falls by {:.0f} %"
        )
        weight = min(0.97, 0.6 + 2 * most)
        for k, (spec, gain) in enumerate([one for one in gains if one[1] > 0.9 * most][:3]):
            why = f"told it, {what.format(100 * gain)}"
            yield Change(weight - 0.03 * k, f"encode {spec}", why, prepare={"encode": spec})
        why = "eigenvectors tell nodes their place; their signs are flipped in training, so no bound follows from them"
        yield Change(weight - 0.1, "encode lappe:8", why, prepare={"encode": "lappe:8"})
    if level == "graph":
        why = "a GNN told where nodes are often does better, even where the bound does not ask for it"
        yield Change(0.3, "tell nodes how random walks return", why, prepare={"encode": "rwpe:16"})
        if base.model.name in _BELOW_1_WL:
            why = f"{base.model.name.upper()} tells less apart than 1-WL does; GIN as much"
            yield Change(0.5, "a network as strong as 1-WL", why, name="gin")
            yield Change(
                0.52, "the same, which hears what edges hold", why + ", and GINE hears edge features", name="gine"
            )


def _of_likeness(found: Findings, base: TrainConfig) -> Iterator[Change]:
    if found.likeness is None or found.likeness.leaning is None:
        return
    leaning = found.likeness.leaning
    if leaning == "mlp":
        yield Change(
            0.95, "hear no neighbours", "the features alone are expected to do better than their averages", name="mlp"
        )
    if leaning != "gcn":
        weight = 0.9 if leaning == "mlp" else 0.6
        apart = "it keeps a node's own state apart from its neighbours', so that these can not blur it"
        yield Change(weight, "SAGE with own state apart", apart, name="sage-sep")
        yield Change(weight - 0.05, "H2GCN", apart + ", and hears of two steps apart", name="h2gcn")
        why = "it learns how much each step counts, and may subtract what neighbours say"
        yield Change(weight - 0.15, "GPR-GNN", why, name="gprgnn")
        yield Change(weight - 0.2, "FAGCN", "it may subtract what a neighbour says, edge by edge", name="fagcn")
        yield Change(weight - 0.25, "LINKX", "it reads features and neighbourhoods apart, and then both", name="linkx")
        yield Change(weight - 0.3, "attention with own state apart", apart, name="gat-sep")
        if leaning == "either":
            yield Change(0.4, "hear no neighbours", "to see what the graph adds", name="mlp")
        return
    far = found.share_beyond(base.model.num_layers)
    few = found.share_that_teaches() < 0.2
    more = 0.2 * far
    yield Change(
        0.6 + more, "APPNP", "it hears of ten steps while each node keeps a share of its own answer", name="appnp"
    )
    why = "it may be deep: a share of the first states is mixed in at every layer"
    yield Change(0.56 + more, "GCNII, 16 layers", why, name="gcnii", model={"num_layers": 16})
    if few:
        why = (
            f"{100 * found.share_that_teaches():.0f} % of the nodes teach: it learns to say the same of the others "
            "whatever is dropped"
        )
        yield Change(0.54, "GRAND (random propagation)", why, name="grand")
        yield Change(
            0.5, "diffuse the edges (GDC)", "labels travel further over diffused edges", prepare={"rewire": "gdc"}
        )
    yield Change(0.3, "attention", "it weighs neighbours, which may leave out those of other classes", name="gat")
    yield Change(0.05, "hear no neighbours", "a check: what the graph adds", name="mlp")


def _of_depth(found: Findings, base: TrainConfig) -> Iterator[Change]:
    if not found.has_collapsed() or found.subject.trained is None:
        return
    layers = base.model.num_layers
    why = f"after {layers} layers the states are nearly one and the same"
    yield Change(0.93, "fewer layers", why, model={"num_layers": 2})
    kept = "a share of the first states is mixed in, so that they can not all become the same"
    yield Change(0.91, f"GCNII, {layers} layers", kept, name="gcnii", model={"num_layers": layers})
    yield Change(0.88, "initial residuals", kept, model={"residual": "initial"})
    yield Change(0.8, "PairNorm", "it keeps the mean distance between states", model={"norm": "pair"})
    yield Change(
        0.75, "jumping knowledge", "the last states are those of all layers together", model={"jumping": "max"}
    )
    yield Change(0.7, "DropEdge", "fewer edges in training, so states mix more slowly", model={"drop_edge": 0.5})


def _of_reach(found: Findings, base: TrainConfig) -> Iterator[Change]:
    reach, level = found.reach, found.subject.level
    if reach is None or level in ("link", "edge"):
        return
    if level == "graph" and reach.spans is not None and len(reach.spans):
        beyond = float((reach.spans[np.isfinite(reach.spans)] > base.model.num_layers).mean())
        why = f"{100 * beyond:.0f} % of the pairs of nodes are more than {base.model.num_layers} steps apart"
        yield Change(
            0.35 + 0.3 * beyond, "a virtual node", why + "; by it all are two", prepare={"rewire": "virtual-node"}
        )
    if found.is_narrow():
        why = "news has to pass a few edges: the spectral gap is small"
        yield Change(0.45, "edges that widen the gap (FoSR)", why, prepare={"rewire": "fosr:50"})
        yield Change(0.35, "edges beside bottlenecks (SDRF)", why, prepare={"rewire": "sdrf"})


def _of_habit(found: Findings, base: TrainConfig) -> Iterator[Change]:
    """What is worth a try anywhere."""
    gap = found.train_beyond_val()
    if gap > 0.1:
        why = f"the run is better by {100 * gap:.0f} points on what it learnt from: it learns by heart"
        yield Change(0.4, "drop edges in training", why, model={"drop_edge": 0.3})
    yield Change(0.2, "GraphSAGE", "it keeps a node's own state in a weight of its own", name="sage")
    yield Change(0.15, "GATv2", "attention that depends on both ends", name="gatv2")
