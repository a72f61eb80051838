"""The command that trains what a configuration says: what it prints can be typed."""

import shlex
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from grapevine.data.split import SplitRule
from grapevine.recipes.config import LinkRule, TaskConfig, TrainConfig
from grapevine.recipes.plan import plan
from grapevine.recipes.prepare import NOTHING
from grapevine.recipes.source import Source

MODEL_OPTIONS = {
    "num_layers": "--layers",
    "hidden_channels": "--hidden",
    "dropout": "--dropout",
    "residual": "--residual",
    "norm": "--norm",
    "jumping": "--jumping",
    "drop_edge": "--drop-edge",
    "drop_node": "--drop-node",
    "drop_message": "--drop-message",
}
_TRAINING_OPTIONS = {
    "max_epochs": "--epochs",
    "learning_rate": "--learning-rate",
    "weight_decay": "--weight-decay",
    "patience": "--patience",
    "seed": "--seed",
    "precision": "--precision",
}
_PREPARE_OPTIONS = {"encode": "--encode", "rewire": "--rewire"}
_SPLIT_OPTIONS = {
    "seed": "--split-seed",
    "fold": "--fold",
    "by": "--by",
    "train": "--train-share",
    "val": "--val-share",
}
_READ = {  # of the options, by the kinds of split
    "public": {"fold"},
    "per_class": {"seed"},
    "k_fold": {"seed", "fold", "by", "val"},
    "time": {"train", "val"},
    "scaffold_sorted": {"train", "val"},
}


def command_of(config: TrainConfig) -> str:
    """`grapevine train ...` with what differs from the model's published settings on that data.

    >>> from grapevine.recipes.plan import plan
    >>> config = plan("cora", "gcn")
    >>> command_of(config.model_copy(update={"model": config.model.model_copy(update={"num_layers": 8})}))
    'grapevine train cora --model gcn --layers 8'
    """
    words = ["grapevine", "train", *_of_source(config.source), *_of_task(config.task), "--model", config.model.name]
    usual = plan(config.source, config.model.name, level=config.task.level, task=config.task)
    words += _changed(config.model, usual.model, MODEL_OPTIONS)
    words += _changed(config.training, usual.training, _TRAINING_OPTIONS)
    words += _changed(config.prepare, NOTHING, _PREPARE_OPTIONS)
    return shlex.join(words)


def _changed(one: BaseModel, usual: BaseModel, options: Mapping[str, str]) -> list[str]:
    """The options of the fields that differ."""
    found = []
    for field, option in options.items():
        value = getattr(one, field)
        if value is not None and value != getattr(usual, field):
            found += [option, _word(value)]
    return found


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _of_source(source: Source) -> list[str]:
    place = {
        "--root": source.root, "--nodes": source.nodes, "--edges": source.edges, "--sql": source.sql,
        "--nodes-query": source.nodes_query, "--edges-query": source.edges_query, "--format": source.format,
    }  # fmt: skip
    columns, flags = (_of_table if source.molecules is None else _of_molecules)(source)
    found = [] if source.dataset is None and source.path is None else [source.dataset or str(source.path)]
    for option, value in (place | columns).items():
        found += [] if value is None else [option, str(value)]
    return found + flags


def _of_table(source: Source) -> tuple[dict[str, str | None], list[str]]:
    table = source.table
    is_table = source.edges is not None or source.sql is not None
    columns = {
        "--id": table.id, "--src": table.src, "--dst": table.dst, "--weight": table.weight, "--time": table.time,
        "--target": ",".join(table.target) or None, "--use": None if table.use is None else ",".join(table.use),
        "--drop": ",".join(table.drop) or None, "--level": table.level if is_table and table.level != "link" else None,
    }  # fmt: skip
    return columns, ["--directed"] * table.directed


def _of_molecules(source: Source) -> tuple[dict[str, str | None], list[str]]:
    spec = source.molecules
    assert spec is not None
    columns = {
        "--smiles": spec.smiles, "--inchi": spec.inchi, "--target": ",".join(spec.targets) or None, "--id": spec.id,
        "--use": ",".join(spec.features) or None,
        "--atoms": None if spec.feature_set == "chemprop" else spec.feature_set,
    }  # fmt: skip
    return columns, ["--standardise"] * spec.neutralise + ["--hydrogens"] * spec.hydrogens


def _of_task(task: TaskConfig) -> list[str]:
    found: list[str] = []
    if task.level == "link":
        return _of_links(task.links)
    for option, value in (("--kind", task.kind), ("--batch-size", task.batch_size), ("--batches", task.num_batches)):
        found += [] if value is None else [option, str(value)]
    found += ["--balanced"] * task.balanced
    if task.split is None:
        return found
    rule, read = task.split, _READ.get(task.split.kind, {"seed", "train", "val"})
    usual, told = SplitRule.model_validate({"kind": rule.kind}), []
    for field, option in _SPLIT_OPTIONS.items():
        if field in read and getattr(rule, field) != getattr(usual, field):
            told += [option, _word(getattr(rule, field))]
    return found + (["--split", rule.kind, *told] if rule.kind != "public" or told else [])


def _of_links(rule: LinkRule) -> list[str]:
    usual, found = LinkRule(), ["--level", "link"]
    found += ["--split", "time"] if rule.time is not None else []
    if (rule.val, rule.test) != (usual.val, usual.test):
        found += ["--val-share", _word(rule.val), "--train-share", _word(round(1 - rule.val - rule.test, 12))]
    found += ["--split-seed", str(rule.seed)] if rule.seed != usual.seed else []
    return found + (["--negatives", rule.negatives.kind] if rule.negatives != usual.negatives else [])
