"""Trains a network to classify nodes, once or with several seeds, and keeps the best one."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Literal

import torch
from torch import nn

import grapevine
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.recipes.node_models import NodeConfig, first_layer, make_model
from grapevine.task.node import NodeClassification
from grapevine.train.loop import Epoch, Fit, fit
from grapevine.train.run import Run, load_run, make_runs_folder, save_run

Part = Literal["train", "val", "test"]


@dataclass(frozen=True)
class NodeResult:
    """A fit for each seed, and the model of the seed with the best validation accuracy, not of the best test."""

    config: NodeConfig
    seeds: tuple[int, ...]
    fits: tuple[Fit, ...]
    model: nn.Module
    folder: Path | None

    def mean(self, part: Part) -> float:
        """The mean accuracy over the seeds, in 0 .. 1."""
        return fmean(getattr(one, part) for one in self.fits)

    def std(self, part: Part) -> float:
        """The standard deviation of the accuracy over the seeds; 0 for one seed."""
        return stdev(getattr(one, part) for one in self.fits) if len(self.fits) > 1 else 0.0

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.fits)

    def to_dict(self) -> dict[str, object]:
        """The figures as plain numbers and words, for JSON."""
        parts: tuple[Part, ...] = ("train", "val", "test")
        return {
            "dataset": self.config.dataset,
            "model": self.config.model,
            "accuracy": {part: {"mean": self.mean(part), "std": self.std(part)} for part in parts},
            "seconds": self.seconds,
            "seeds": {str(seed): asdict(one) for seed, one in zip(self.seeds, self.fits, strict=True)},
            "folder": None if self.folder is None else str(self.folder),
        }


def train_node(
    graph: Graph,
    config: NodeConfig,
    *,
    seeds: Sequence[int] = (0,),
    out: Path | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> NodeResult:
    """Train the network of `config` on the graph once for each seed, from scratch each time.

    Args:
        graph: features x, classes y (-1: unknown) and the masks train_mask, val_mask and test_mask.
        out: where to make the run folder of the best model; None keeps nothing on disk.
        on_progress: is told what is trained, the epoch, and how many there can be.

    Raises:
        InputError: if the graph lacks one of these, there is no seed or `out` can not be written to.
        DivergedError: if the loss is no number any more.

    >>> from grapevine.data.datasets import load_dataset
    >>> from grapevine.recipes.node_models import node_config
    >>> result = train_node(load_dataset("digits"), node_config("digits", "gcn", max_epochs=5))
    >>> result.fits[0].epochs
    5
    """
    check(len(seeds) > 0, "there must be at least one seed")
    if out is not None:
        make_runs_folder(out)
    trained = [_train_once(graph, config, seed, on_progress) for seed in seeds]
    model, _ = max(trained, key=lambda pair: pair[1].val)
    result = NodeResult(config, tuple(seeds), tuple(one for _, one in trained), model, None)
    return result if out is None else _saved(result, graph, Path(out))


def load_node_model(folder: Path) -> nn.Module:
    """The model of a run folder that `train_node` made, in evaluation mode.

    Raises:
        InputError: if the folder is not one of those.
    """
    run = load_run(folder)
    try:
        config = NodeConfig.model_validate(run.config["config"])
        model = make_model(config, run.config["in_channels"], run.config["out_channels"])
        model.load_state_dict(dict(run.weights))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{folder} holds no model for nodes that this version can build: {error}") from error
    return model.eval()


def _train_once(graph: Graph, config: NodeConfig, seed: int, on_progress) -> tuple[nn.Module, Fit]:
    """From a generator of its own, so that the caller's goes on undisturbed."""
    with torch.random.fork_rng(devices=[graph.device] if graph.device.type == "cuda" else []):
        torch.manual_seed(seed)
        num_classes = NodeClassification.of(graph).num_classes
        model = make_model(config, graph.x.shape[1], num_classes).to(graph.device)

        def report(epoch: Epoch) -> None:
            on_progress(f"{config.model}, seed {seed}", epoch.number, config.training.max_epochs)

        decayed = first_layer(model) if config.decays_first_layer_only else None
        on_epoch = None if on_progress is None else report
        return model, fit(model, graph, config.training, decayed=decayed, on_epoch=on_epoch)


def _saved(result: NodeResult, graph: Graph, out: Path) -> NodeResult:
    content = {
        "grapevine": grapevine.__version__,
        "in_channels": graph.x.shape[1],
        "out_channels": NodeClassification.of(graph).num_classes,
        "config": result.config.model_dump(),
    }
    metrics = {key: value for key, value in result.to_dict().items() if key != "folder"}
    run = Run(result.model.state_dict(), content, metrics)
    folder = save_run(run, out, f"{result.config.dataset}-{result.config.model}")
    return NodeResult(result.config, result.seeds, result.fits, result.model, folder)
