"""A split written down: the rule goes into a run's configuration, and makes the same split again."""

from typing import TYPE_CHECKING, Literal, get_args

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from grapevine.data.split.butina import cluster_keys
from grapevine.data.split.by_component import component_of, split_by_group
from grapevine.data.split.by_group import group_k_fold, group_split
from grapevine.data.split.by_time import time_split
from grapevine.data.split.folds import check_fold, k_fold
from grapevine.data.split.pairs import pair_of_edges
from grapevine.data.split.scaffold import scaffold_keys
from grapevine.data.split.shares import per_class, random_split, stratified_split
from grapevine.data.split.split import CLASS_DTYPES, Split, is_known
from grapevine.errors import InputError, check

if TYPE_CHECKING:
    from grapevine.data.dataset import Dataset

SplitKind = Literal[
    "public", "random", "stratified", "per_class", "k_fold", "time", "component", "scaffold", "scaffold_sorted",
    "cluster",
]  # fmt: skip
SPLIT_KINDS: tuple[SplitKind, ...] = get_args(SplitKind)


class SplitRule(BaseModel):
    """How a split is made. Each kind reads what it needs of the rest.

    Args:
        kind: public (the data set's own; `fold` says which of several), random and stratified (`train`, `val`,
            `seed`), per_class (`num_train` of each class, `num_val`, `seed`), k_fold (`folds`, `fold`, `seed`, `val`
            as the share of what is not tested; stratified where the answers are classes), time (`time`, `train`,
            `val`), component (`train`, `val`, `seed`), and of molecules scaffold (whole Bemis-Murcko scaffolds, drawn
            by `seed`), scaffold_sorted (the largest scaffolds teach, the rarest are tested, without a draw) and
            cluster (of alike molecules, drawn by `seed`), each with `train` and `val`.
        by: what k_fold deals out: each item by itself, or whole scaffolds or clusters of molecules.
        time: the name of the tensor that holds the items' times.

    >>> SplitRule(kind="random", seed=3)  # doctest: +ELLIPSIS
    SplitRule(kind='random', train=0.6, val=0.2, seed=3, folds=10, fold=0, by='item', num_train=20, num_val=500, ...)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SplitKind
    train: float = Field(0.6, gt=0, le=1)
    val: float = Field(0.2, ge=0, lt=1)
    seed: int = 0
    folds: int = Field(10, ge=2)
    fold: int = Field(0, ge=0)
    by: Literal["item", "scaffold", "cluster"] = "item"
    num_train: int = Field(20, ge=1)
    num_val: int = Field(500, ge=0)
    time: str = "time"


def make_split(rule: SplitRule, dataset: "Dataset") -> Split:
    """The split that the rule makes of the data set's items; those without an answer are in no part.

    Edges that join the same two nodes, in either direction, are in one part, or one would tell the other's answer;
    only a split by time goes by each edge's own time.

    Raises:
        InputError: if the data set lacks what the rule needs, or sets a task of pairs, for which there is link_split.

    >>> from grapevine.data.dataset import Dataset
    >>> from grapevine.graph import Graph
    >>> dataset = Dataset("path", Graph([[0, 1, 2, 3], [1, 2, 3, 4]], y=torch.tensor([0, 1, 0, 1, -1])))
    >>> make_split(SplitRule(kind="random", train=0.5, val=0.25), dataset)
    Split(2 train, 1 val, 1 test)
    """
    check(dataset.level != "link", "pairs of nodes are split by link_split, which draws the pairs without an edge too")
    if rule.kind == "public":
        check(len(dataset.splits) > 0, f"{dataset.name} has no public split; there are {', '.join(SPLIT_KINDS[1:])}")
        return check_fold(rule.fold, dataset.splits, "public splits")
    if rule.kind == "time":
        return time_split(_tensor(dataset, rule.time), train=rule.train, val=rule.val, y=_answers(dataset))
    if rule.kind == "component":
        return _by_component(rule, dataset)
    if rule.kind in ("scaffold", "scaffold_sorted", "cluster") or (rule.kind == "k_fold" and rule.by != "item"):
        return _by_likeness(rule, dataset)
    if dataset.level == "edge":
        return _by_pair(rule, dataset)
    return _drawn(rule, _items(dataset))


def _drawn(rule: SplitRule, items: int | Tensor) -> Split:
    if rule.kind == "random":
        return random_split(items, train=rule.train, val=rule.val, seed=rule.seed)
    if rule.kind == "k_fold":
        is_class = isinstance(items, Tensor) and items.ndim == 1 and items.dtype in CLASS_DTYPES
        splits = k_fold(items, folds=rule.folds, val=rule.val, seed=rule.seed, stratified=is_class)
        return check_fold(rule.fold, splits, "folds")
    if isinstance(items, int):
        raise InputError(f"a {rule.kind} split draws from each class: the data set must hold the classes y")
    if rule.kind == "per_class":
        return per_class(items, num_train=rule.num_train, num_val=rule.num_val, seed=rule.seed)
    return stratified_split(items, train=rule.train, val=rule.val, seed=rule.seed)


def _by_pair(rule: SplitRule, dataset: "Dataset") -> Split:
    """Drawn among the unordered pairs that edges join, each with the answer of its first edge that has one."""
    pair, pairs = pair_of_edges(dataset.graph.adj)
    y, num_pairs = _answers(dataset), pairs.shape[1]
    if y is None:
        split, known = _drawn(rule, num_pairs), torch.ones(len(pair), dtype=torch.bool)
    else:
        known = is_known(y)
        edges, num_edges = known.nonzero().squeeze(1), len(pair)
        first = torch.full((num_pairs,), num_edges).scatter_reduce(0, pair[edges], edges, "amin")
        unknown = torch.full((1, *y.shape[1:]), float("nan") if y.is_floating_point() else -1).to(y.dtype)
        split = _drawn(rule, torch.cat([y, unknown])[first])
    return Split(*(part[pair] & known for part in (split.train, split.val, split.test)))


def _by_component(rule: SplitRule, dataset: "Dataset") -> Split:
    check(dataset.level != "graph", "the graphs of a collection are components already: split them at random")
    component, y = component_of(dataset.graph), _answers(dataset)
    if dataset.level == "edge":
        component = component[dataset.graph.adj.src]
    known = torch.ones(len(component), dtype=torch.bool) if y is None else is_known(y)
    return split_by_group(component, known, train=rule.train, val=rule.val, seed=rule.seed)


def _by_likeness(rule: SplitRule, dataset: "Dataset") -> Split:
    """Whole groups of molecules that are alike."""
    if dataset.smiles is None:
        raise InputError(f"scaffolds and clusters are of molecules: {dataset.name} is split otherwise, as at random")
    keys = cluster_keys if "cluster" in (rule.kind, rule.by) else scaffold_keys
    groups, y = keys(dataset.smiles), _answers(dataset)
    if rule.kind == "k_fold":
        folds = group_k_fold(groups, folds=rule.folds, val=rule.val, seed=rule.seed, y=y)
        return check_fold(rule.fold, folds, "folds")
    is_balanced = rule.kind != "scaffold_sorted"
    return group_split(groups, train=rule.train, val=rule.val, seed=rule.seed, balanced=is_balanced, y=y)


def _items(dataset: "Dataset") -> int | Tensor:
    """The answers of the items, or how many there are."""
    y = _answers(dataset)
    if y is not None:
        return y
    return dataset.graph.num_graphs if dataset.level == "graph" else dataset.graph.num_nodes


def _answers(dataset: "Dataset") -> Tensor | None:
    return _tensor(dataset, "y") if "y" in dataset.graph.levels else None


def _tensor(dataset: "Dataset", name: str) -> Tensor:
    """A tensor of the items by its name."""
    level = dataset.graph.levels.get(name)
    held = ", ".join(key for key, at in dataset.graph.levels.items() if at == dataset.level) or "none"
    check(level is not None, f"the data set holds no {name!r} of its {dataset.level}s, it holds {held}")
    check(level == dataset.level, f"{name} belongs to the {level}s, but what is predicted is of the {dataset.level}s")
    return getattr(dataset.graph, name)
