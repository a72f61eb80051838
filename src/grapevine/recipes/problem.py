"""From a data set to a task: the split and the objective, told or inferred, and in words what was inferred."""

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from grapevine.data.dataset import Dataset
from grapevine.data.split import LinkSplit, Split, SplitRule, link_split, make_split, stratified_split
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.models import ModelConfig, settled
from grapevine.recipes.prepare import NOTHING, Preparation
from grapevine.recipes.source import Loaded
from grapevine.task import (
    AnyObjective,
    EdgeTask,
    GraphTask,
    Link,
    LinkTask,
    NodeTask,
    SingleLabel,
    class_weights_of,
    default_split,
    infer_objective,
    read_objective,
)
from grapevine.task.task import Level, Task

_BATCH_SIZE = 32  # graphs a step, where nothing is told
_INNER = 0.1  # the share of the training part that chooses where a split has no validation part


@dataclass(frozen=True)
class Problem:
    """A task made of a data set.

    Args:
        split: of the items, or of the links.
        config: the task's configuration with all that was inferred filled in: it makes the same task again.
        notes: what was inferred, a sentence each.
        graph: what a model is made for, rewired and encoded: of links the graph that training passes messages over.
            The graph of `dataset` is as it came.
        prepare: what was done to it.
    """

    dataset: Dataset
    level: Level
    task: Task
    split: Split | LinkSplit
    config: TaskConfig
    notes: tuple[str, ...]
    graph: Graph
    prepare: Preparation = NOTHING

    def settled(self, model: ModelConfig) -> ModelConfig:
        """The model with what is left to the graph, and to how it was prepared, filled in."""
        told: dict[str, object] = {"eigenvectors": self.prepare.eigenvectors(self.graph), "wiring": self.prepare.wiring}
        if self.prepare.wiring is not None:  # there is no one first layer then
            told["decays_first_layer_only"] = False
        return settled(model.model_copy(update=told), self.graph)


def pose(dataset: Dataset, config: TaskConfig | None = None, prepare: Preparation | None = None) -> Problem:
    """The task that a data set sets, on its graph as `prepare` makes it.

    Raises:
        InputError: if the data lacks what the task needs.

    >>> from grapevine.data.datasets import load_dataset
    >>> problem = pose(load_dataset("karate"))
    >>> problem.level, problem.notes
    ('node', ('y holds 2 classes (34 of 34 known): classification by cross entropy, chosen by accuracy',))
    """
    config = config or TaskConfig()
    prepare = prepare or NOTHING
    level = config.level or dataset.level
    dataset = replace(dataset, level=level, graph=with_features(dataset.graph))
    if level == "link":
        return _link_problem(dataset, config, prepare)
    graph, notes = dataset.graph, []
    wanted = "name the column with --target"
    check("y" in graph.levels, f"{dataset.name} holds no answers to learn from: {wanted}")
    check(graph.levels["y"] == level, f"the answers of {dataset.name} are of each {graph.levels['y']}, not {level}")
    objective = _objective(dataset, config, None)[0]  # which split is the default depends on what it is
    rule = config.split or (
        SplitRule.model_validate({"kind": "public"}) if dataset.splits else default_split(level, objective)
    )
    assert rule is not None
    split = make_split(rule, dataset)
    if config.split is None and rule.kind != "public":
        rest = max(0.0, 1 - rule.train - rule.val)
        notes.append(f"there is no split: {rule.train:.0%}/{rule.val:.0%}/{rest:.0%} drawn {_drawn(rule.kind)}")
    split, inner = _with_validation(split, graph.y, rule.seed)
    notes += inner
    objective, sentence = _objective(dataset, config, split.train)
    prepared = prepare(graph, level)
    notes = [sentence, *notes, *prepare.notes(graph, prepared)]
    task = _task(level, prepared, split, objective, config)
    told = config.model_copy(update={"level": level, "metric": objective.metric, "split": rule})
    return Problem(dataset, level, task, split, told, tuple(notes), prepared, prepare)


def posed(config: TaskConfig, loaded: Loaded, prepare: Preparation | None = None) -> Problem:
    """The task of what was read, prepared; of tables, the target's kind is what their reader found."""
    target = loaded.target
    if config.kind is None and target is not None and (config.level or loaded.dataset.level) != "link":
        config = config.model_copy(update={"kind": target.kind})
    return pose(loaded.dataset, config, prepare)


def with_features(graph: Graph) -> Graph:
    """Nodes without features get one that is 1, as in the social sets of Xu et al. 2019.

    >>> with_features(Graph([[0], [1]])).x.tolist()
    [[1.0], [1.0]]
    """
    return graph if "x" in graph.node else graph.replace(x=torch.ones(graph.num_nodes, 1, device=graph.device))


def _link_problem(dataset: Dataset, config: TaskConfig, prepare: Preparation) -> Problem:
    rule, metric = config.links, config.metric or "roc_auc"
    objective = cast(Link, read_objective({"kind": "link", "metric": metric}))
    split = link_split(
        dataset.graph, val=rule.val, test=rule.test, seed=rule.seed, disjoint_train=rule.disjoint_train,
        val_edges_in_test=rule.val_edges_in_test, time=rule.time,
    )  # fmt: skip
    split = _prepared_split(split, prepare)
    task = LinkTask(split, objective, negatives=rule.negatives)
    told = config.model_copy(update={"level": "link", "metric": metric})
    train = 1 - rule.val - rule.test
    note = (
        f"links are predicted: {train:.0%}/{rule.val:.0%}/{rule.test:.0%} of the edges teach, choose and judge, "
        f"with as many pairs without an edge; chosen by {metric}"
    )
    return Problem(
        dataset, "link", task, split, told, (note, *prepare.notes(dataset.graph, split.graph)), split.graph, prepare
    )


def _prepared_split(split: LinkSplit, prepare: Preparation) -> LinkSplit:
    """Each graph that carries messages as it is prepared; one that serves twice stays one."""
    if prepare.is_empty:
        return split
    graphs = {id(graph): graph for graph in (split.graph, split.val_graph, split.test_graph)}
    made = {key: prepare(graph, "link") for key, graph in graphs.items()}
    ends = (made[id(graph)] for graph in (split.graph, split.val_graph, split.test_graph))
    return replace(split, **dict(zip(("graph", "val_graph", "test_graph"), ends, strict=True)))


def _task(level: Level, graph: Graph, split: Split, objective: AnyObjective, config: TaskConfig) -> Task:
    if level == "node":
        return NodeTask(graph, split, objective)
    if level == "graph":
        size = config.batch_size or _BATCH_SIZE
        return GraphTask(graph, split, objective, batch_size=size, num_batches=config.num_batches)
    return EdgeTask(graph, split, objective)


def _objective(dataset: Dataset, config: TaskConfig, train: Tensor | None) -> tuple[AnyObjective, str]:
    y = dataset.graph.y
    is_class = config.kind in (None, "classes") and dataset.class_names is not None and y.ndim == 1
    num_classes = len(dataset.class_names) if is_class and dataset.class_names is not None else None
    metric = config.metric or dataset.metric
    objective, sentence = infer_objective(y, train=train, num_classes=num_classes, metric=metric, told=config.kind)
    if config.balanced:
        if not isinstance(objective, SingleLabel):
            raise InputError("only classes are balanced: the answers are no classes")
        known = objective.prepare(y if train is None else y[train])
        weights = class_weights_of(known, objective.num_classes)
        objective = objective.model_copy(update={"class_weights": weights})
        sentence += ", every class teaching as much"
    return objective, sentence


def _with_validation(split: Split, y: Tensor, seed: int) -> tuple[Split, list[str]]:
    """A split that lacks a part to choose by takes it from the part that teaches."""
    if bool(split.val.any()) or not bool(split.train.any()):
        return split, []
    items = split.train.nonzero().squeeze(1)
    if y.ndim == 1 and not y.is_floating_point():
        inner = stratified_split(y[items], train=1 - _INNER, val=_INNER, seed=seed)
        chosen = items[inner.val]
    else:
        order = torch.randperm(len(items), generator=torch.Generator().manual_seed(seed))
        chosen = items[order[: max(1, round(_INNER * len(items)))]]
    val = torch.zeros_like(split.train).index_fill(0, chosen, True)
    note = f"the split has no validation part: {_INNER:.0%} of the training part choose"
    return Split(split.train & ~val, val, split.test), [note]


def _drawn(kind: str) -> str:
    return {"stratified": "at random from each class", "random": "at random"}.get(kind, f"by {kind}")
