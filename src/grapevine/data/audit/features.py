"""Columns that give the answer away: one that tells a class from the rest, or is a number in other units.

A class c is given away by a column if a shallow tree on that column alone is right on 99% of c and of the rest (mean
of the two, cross-validated); a number, if its correlation with the column, or that of the ranks, is above 0.999.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import scipy.sparse
import torch
from scipy.stats import rankdata
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier
from torch import Tensor

from grapevine.data.audit.report import MAX_EXAMPLES, Finding, counted
from grapevine.data.audit.subject import Subject
from grapevine.data.split import is_known
from grapevine.ops.sparse import SparseMatrix

_RIGHT, _CORRELATED = 0.99, 0.999
_LIKELY = 0.95  # as good on the sample as a column must be to be looked at closely
_MOST_ITEMS, _MOST_SAMPLED, _MOST_TREES, _MOST_TARGETS = 20_000, 2_000, 64, 32
_BINS, _FEWEST = 32, 10  # steps of a column; members of a class, fewer of which a column can tell by chance
_WIDE = 64  # columns that are made dense at once

Columns = Any  # [n, c] an array, or a sparse one of compressed columns: SciPy's types do not know their shape
Names = Sequence[str] | None


def check_features(subject: Subject, names: Names) -> list[Finding | None]:
    """The columns of the items' features, one at a time, against the answers; `names` calls the columns."""
    columns, y = _columns(subject), subject.y
    if columns is None or y is None:
        return []
    items = is_known(y).nonzero().squeeze(1).cpu().numpy()
    generator = np.random.default_rng(0)
    if len(items) > _MOST_ITEMS:
        items = np.sort(generator.choice(items, _MOST_ITEMS, replace=False))
    if len(items) < 2 * _FEWEST:
        return []
    chosen: Any = columns[items]
    targets = y[torch.from_numpy(items)].cpu().reshape(len(items), -1)[:, :_MOST_TARGETS].T
    findings = []
    for k, target in enumerate(targets):
        known = is_known(target).numpy()
        values, own = target.numpy()[known], chosen if known.all() else chosen[known]
        answer = "the answer" if len(targets) == 1 else f"answer {k}"
        own = scipy.sparse.csc_array(own) if scipy.sparse.issparse(own) else own
        if y.is_floating_point() and len(np.unique(values)) > 2:
            findings.append(_of_numbers(own, values, answer, names))
        else:
            findings.append(_of_classes(own, values, subject, answer, names))
    return findings


def _columns(subject: Subject) -> Columns | None:
    """[n, c] what a model is told of each item: features of nodes or edges, or the means of those in each graph."""
    graph, parts = subject.graph, []
    if subject.items == "node" and "x" in graph.node:
        if isinstance(graph.x, SparseMatrix):
            return graph.x.to_scipy()
        parts = [graph.x]
    elif subject.items == "edge":
        parts = [graph.edge[name] for name in ("edge_attr", "edge_weight") if name in graph.edge]
    elif subject.items == "graph":
        sizes = graph.ptr.diff()
        parts = [
            sizes,
            torch.zeros(len(sizes)).index_add_(0, graph.graph_id[graph.adj.dst], torch.ones(graph.num_edges)),
        ]
        if isinstance(x := graph.node.get("x"), Tensor):
            rows = x.double().reshape(len(x), -1)
            sums = rows.new_zeros(len(sizes), rows.shape[1]).index_add_(0, graph.graph_id, rows)
            parts = [sums / sizes.clamp(min=1).unsqueeze(1), *parts]
        parts += [tensor for name, tensor in graph.graph.items() if name != "y"]
    parts = [part.detach().double().reshape(part.shape[0], -1).cpu() for part in parts if isinstance(part, Tensor)]
    parts = [part for part in parts if part.shape[1] > 0]
    return torch.cat(parts, 1).numpy() if parts else None


def _of_classes(columns: Columns, target: np.ndarray, subject: Subject, answer: str, names: Names) -> Finding | None:
    """Which classes a column tells from all others."""
    classes, counts = np.unique(target, return_counts=True)
    is_asked = (counts >= _FEWEST) & (len(target) - counts >= _FEWEST)
    if not is_asked.any():
        return None
    likely = _likely(columns, np.searchsorted(classes, target), is_asked)
    found: dict[int, list] = {}  # by class, the columns
    for _, column, c in sorted(likely, reverse=True)[:_MOST_TREES]:
        right = _right(_dense(columns, column, column + 1), target == classes[c])
        if right >= _RIGHT:
            found.setdefault(c, []).append((_name(names, column), _class_name(subject, classes[c]), round(right, 4)))
    if not found:
        return None
    examples = [example for of_class in found.values() for example in of_class]
    is_all = len(found) >= len(classes) - 1
    sentence = (
        f"{counted(len({example[0] for example in examples}), 'feature column')} that alone can tell "
        f"{'every class' if is_all else f'{len(found)} of {len(classes)} classes'} of {answer} from the rest: made "
        "from the answer? (column, class, balanced accuracy)"
    )
    severity = "leak" if is_all else "warning"
    return Finding("telling_feature", severity, sentence, len(examples), tuple(examples[:MAX_EXAMPLES]))


def _of_numbers(columns: Columns, target: np.ndarray, answer: str, names: Names) -> Finding | None:
    """Which columns rise or fall with the answer."""
    ranks = rankdata(target)
    found = []
    for start, block in _blocks(columns):
        block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        r = np.maximum(_correlation(block, target), _correlation(rankdata(block, axis=0), ranks))
        found += [(start + int(k), round(float(r[k]), 5)) for k in (r > _CORRELATED).nonzero()[0]]
    if not found:
        return None
    sentence = (
        f"{counted(len(found), 'feature column')} as good as proportional to {answer}, by value or rank: made from it? "
        "(column, correlation)"
    )
    examples = tuple((_name(names, column), r) for column, r in found[:MAX_EXAMPLES])
    return Finding("telling_feature", "leak", sentence, len(found), examples)


def _likely(columns: Columns, target: np.ndarray, is_asked: np.ndarray) -> list[tuple[float, int, int]]:
    """(score, column, class) of those that steps of the column tell on a sample: the fine search is for these."""
    chosen = np.random.default_rng(0).permutation(len(target))[:_MOST_SAMPLED]
    y = target[chosen]
    num_classes = len(is_asked)
    own = np.maximum(np.bincount(y, minlength=num_classes), 1)
    rest = np.maximum(len(y) - own, 1)
    likely = []
    for start, block in _blocks(columns):
        for k, values in enumerate(block[chosen].T):
            step = _steps(values)
            counts = np.bincount(step * num_classes + y, minlength=(step.max() + 1) * num_classes)
            counts = counts.reshape(-1, num_classes)
            others = counts.sum(1, keepdims=True) - counts
            score = np.maximum(counts / own, others / rest).sum(0) / 2  # balanced accuracy of the best guess a step
            likely += [(float(score[c]), start + k, int(c)) for c in (is_asked & (score > _LIKELY)).nonzero()[0]]
    return likely


def _steps(values: np.ndarray) -> np.ndarray:
    """[n] the place of each value among the different ones; of many, that of its quantile."""
    different, place = np.unique(values, return_inverse=True)
    if len(different) <= _BINS:
        return place
    return np.searchsorted(np.quantile(values[np.isfinite(values)], np.linspace(0, 1, _BINS + 1)[1:-1]), values)


def _right(column: np.ndarray, is_class: np.ndarray) -> float:
    """The cross-validated balanced accuracy of a tree of depth 3."""
    tree = DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    finite = np.nan_to_num(column, nan=0.0, posinf=3e38, neginf=-3e38).clip(-3e38, 3e38)  # trees use float32
    return float(balanced_accuracy_score(is_class, cross_val_predict(tree, finite, is_class, cv=folds)))


def _blocks(columns: Columns) -> Iterator[tuple[int, np.ndarray]]:
    """Dense blocks of columns, and the number of each one's first."""
    for start in range(0, columns.shape[1], _WIDE):
        yield start, _dense(columns, start, start + _WIDE)


def _dense(columns: Columns, start: int, stop: int) -> np.ndarray:
    block = columns[:, start:stop]
    return block.toarray() if scipy.sparse.issparse(block) else block


def _correlation(block: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[c] the absolute correlation of each column with the target; 0 of a constant one."""
    centred, aim = block - block.mean(0), target - target.mean()
    norm = np.linalg.norm(centred, axis=0) * np.linalg.norm(aim)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(norm > 1e-12, np.abs(aim @ centred) / norm, 0.0)


def _name(names: Names, column: int) -> str | int:
    return names[column] if names is not None and column < len(names) else column


def _class_name(subject: Subject, value: float) -> str | int | float:
    names = subject.dataset.class_names
    if names is not None and float(value).is_integer() and 0 <= int(value) < len(names):
        return names[int(value)]
    return int(value) if float(value).is_integer() else float(value)
