"""How alike neighbours are, and what an MLP is expected to do against a GCN, before either is trained.

Homophily says whether a node's class says something of its neighbours'; what a GCN makes of the features is rehearsed:

    alone  a linear fit on x                    heard  the same on (D + I)^-1/2 (A + I) (D + I)^-1/2, twice, times x

Wu et al. 2019 (SGC) find that the second does nearly what a GCN does. Both learn from the training part and are judged
by the validation part, so the test part is not looked at.
"""

import numpy as np
import torch

from grapevine.diagnose import homophily, node_homophily
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.nn.conv.matrix import gcn_matrix
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.baselines import fit_linear
from grapevine.recipes.diagnose.subject import Subject
from grapevine.report.diagnosis.data import Bin, Leaning, Likeness, Rehearsal
from grapevine.report.graph_statistics import graph_statistics
from grapevine.task import NodeTask, SingleLabel
from grapevine.task.task import PARTS, Part

_HOPS = 2
_MOST = 4e8  # numbers of edges times features
_BINS = 5
_STRONG, _WEAK = 0.3, 0.1  # adjusted homophily from which neighbours help, and below which they say little
_TOLD = 0.1  # label informativeness below which neighbours' classes say little in any pattern
_SURE, _SURER = 1.0, 2.0  # standard errors by which the rehearsal must differ to decide, and to decide otherwise


def measure_likeness(subject: Subject) -> Likeness | str:
    """The figures of classes or numbers of nodes, or why there are none."""
    answers = subject.items.answers
    if subject.level != "node":
        return "homophily was not measured: it is of answers of nodes"
    if answers is None:
        return "homophily was not measured: there are no answers"
    if answers.is_floating_point():
        if answers.shape[1] > 1:
            return "homophily was not measured: a node has several answers"
        found = graph_statistics(subject.graph, answers[:, 0], num_sampled=0).assortativity
        return Likeness((), assortativity=found)
    figures = homophily(subject.graph, answers)
    rehearsal = _rehearsal(subject)
    leaning, reasons = _leaning(figures.adjusted, figures.label_informativeness, rehearsal)
    return Likeness(subject.class_names, figures, None, _by_homophily(subject), rehearsal, leaning, reasons)


def _rehearsal(subject: Subject) -> Rehearsal | None:
    problem = subject.problem
    if problem is None or not isinstance(problem.task, NodeTask):
        return None
    task, graph = problem.task, problem.task.graph
    if len(task.items["val"]) == 0 or "x" not in graph.node or graph.num_edges * graph.x.shape[1] > _MOST:
        return None
    try:
        averaged = NodeTask(_averaged(graph), task.split, _objective(task))
        alone, heard = fit_linear(task), fit_linear(averaged)
    except InputError:
        return None
    metric = task.objective.metric
    values, count = [one.scores["val"][metric] for one in (alone, heard)], len(task.items["val"])
    error = float(np.sqrt(sum(max(value * (1 - value), 0.0) for value in values) / count))
    return Rehearsal(metric, count, values[0], values[1], error) if task.objective.is_higher_better else None


def _objective(task: NodeTask) -> SingleLabel:
    assert isinstance(task.objective, SingleLabel)
    return task.objective


def _averaged(graph: Graph) -> Graph:
    """The features as two layers of a GCN without weights make them."""
    x = graph.x
    x = torch.from_numpy(x.to_scipy().toarray()).float() if isinstance(x, SparseMatrix) else x.float()
    matrix = gcn_matrix(graph.adj.with_self_loops(), None, x.dtype)
    for _ in range(_HOPS):
        x = matrix.times(x)
    return graph.replace(x=x)


def _leaning(adjusted: float, told: float, rehearsal: Rehearsal | None) -> tuple[Leaning | None, tuple[str, ...]]:
    """Who is expected to do better, and why."""
    by_classes: Leaning = "either"
    if adjusted >= _STRONG:
        by_classes = "gcn"
        why = f"neighbours are of one class far oftener than by chance (adjusted homophily {adjusted:.2f})"
    elif adjusted < _WEAK:
        by_classes = "mlp"
        words = (
            "neighbours are of other classes oftener than by chance"
            if adjusted < -_WEAK
            else ("neighbours are hardly oftener of one class than by chance")
        )
        why = f"{words} (adjusted homophily {adjusted:.2f}), so averaging over them blurs what the features say"
        if told >= _TOLD:
            why += (
                f"; but which classes they are of does say something (label informativeness {told:.2f}), which "
                "networks that keep a node's own state apart can use"
            )
    elif np.isnan(adjusted):
        return None, ()
    else:
        why = (
            f"neighbours' classes say something of a node's own, but not by being the same (adjusted homophily "
            f"{adjusted:.2f}, label informativeness {told:.2f})"
        )
    if rehearsal is None:
        return by_classes, (why,)
    gap = rehearsal.heard - rehearsal.alone
    needed = (_SURE if by_classes == "either" else _SURER) * rehearsal.error
    tried: Leaning = "either" if abs(gap) < needed else "gcn" if gap > 0 else "mlp"
    said = (
        f"a linear fit comes to {_share(rehearsal.alone)} on the validation part from the features alone and to "
        f"{_share(rehearsal.heard)} from their averages over two steps ({rehearsal.count} items, so "
        f"{_share(rehearsal.error)} may be chance)"
    )
    if tried == "either" or tried == by_classes:
        return by_classes, (why, said)
    if by_classes == "either":
        return tried, (why, said)
    return tried, (said, f"the classes alone would let expect otherwise: {why}")


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


def _by_homophily(subject: Subject) -> tuple[Bin, ...]:
    """How often a run is right, by the share of a node's neighbours that are of its class."""
    answers = subject.items.answers
    if subject.trained is None or subject.prepared is None or answers is None:
        return ()
    task, parts = subject.prepared.task, subject.items.parts or {}
    judged: list[Part] = [part for part in PARTS[1:] if part in parts]
    said = task.answers(subject.trained.networks, judged)
    nodes = torch.cat([said[part].items for part in judged]).cpu().numpy()
    target = torch.cat([said[part].target for part in judged]).cpu().numpy()
    guess = torch.cat([subject.trained.merged(said[part].output).argmax(1) for part in judged]).cpu().numpy()
    share = node_homophily(subject.graph, answers)[nodes]
    right, found = guess == target, []
    for k in range(_BINS):
        low, high = k / _BINS, (k + 1) / _BINS
        here = (share >= low) & ((share < high) | ((k == _BINS - 1) & (share == 1)))
        if here.any():
            found.append(Bin(low, high, int(here.sum()), float(right[here].mean())))
    return tuple(found)
