"""What is diagnosed: the graph, the items that are asked for with their answers and parts, and of a run its network."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from grapevine.data.download import Progress
from grapevine.data.split import LinkSplit
from grapevine.data.structure_files import is_potential_run
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.nn.network import Network
from grapevine.recipes.apply import config_of, data_for
from grapevine.recipes.config import TaskConfig, TrainConfig
from grapevine.recipes.problem import Problem, posed
from grapevine.recipes.source import Loaded, Source, load
from grapevine.recipes.trained import Trained
from grapevine.task import EdgeTask, GraphTask, NodeTask, SingleLabel
from grapevine.task.task import PARTS, Level
from grapevine.train.run import load_run

WORDS: Mapping[Level, str] = {"node": "nodes", "graph": "graphs", "link": "pairs of nodes", "edge": "edges"}


@dataclass(frozen=True, eq=False)
class Items:
    """What is asked for.

    Args:
        pairs: [2, k] the ends, of links and edges.
        answers: [k] classes, -1 unknown, or [k, t] numbers or labels, NaN unknown; None where nothing is asked.
        parts: which of them teach, choose and judge.
    """

    count: int
    pairs: Int[Tensor, "2 k"] | None = None
    answers: Shaped[Tensor, "k *t"] | None = None
    parts: Mapping[str, Int[Tensor, " m"]] | None = None


@dataclass(frozen=True, eq=False)
class Subject:
    """Data with its question, if there is one, and a run's network, if it is one of a run.

    Args:
        source: where the data are.
        problem: on the graph as it came.
        prepared: of a run, on the graph as its network is given it: rewired and encoded.
        scores: of a run, all metrics by part.
    """

    source: Source
    loaded: Loaded
    level: Level
    problem: Problem | None = None
    prepared: Problem | None = None
    folder: Path | None = None
    config: TrainConfig | None = None
    trained: Trained | None = None
    scores: Mapping[str, Mapping[str, float]] | None = None

    @property
    def name(self) -> str:
        return self.loaded.dataset.name if self.folder is None else self.folder.name

    @cached_property
    def graph(self) -> Graph:
        """What messages pass over: of links, the edges that teach."""
        return (self.loaded.dataset.graph if self.problem is None else self.problem.graph).to("cpu")

    @property
    def heard(self) -> Graph:
        """What the network passes messages over: of data the graph itself."""
        return self.graph if self.prepared is None else self.prepared.graph.to("cpu")

    @property
    def network(self) -> Network | None:
        """Of a run; of several members the first."""
        if self.trained is None:
            return None
        network = self.trained.networks.models[0]
        assert isinstance(network, Network)
        return network.eval()

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of the answers, or their numbers; none where they are no classes."""
        if self.problem is None or not isinstance(self.problem.task.objective, SingleLabel):
            return ()
        count = self.problem.task.objective.num_classes
        return self.loaded.dataset.class_names or tuple(str(k) for k in range(count))

    @cached_property
    def items(self) -> Items:
        if self.problem is None:
            counts = {"graph": self.graph.num_graphs, "edge": self.graph.num_edges}
            return Items(counts.get(self.level, self.graph.num_nodes))
        task, split = self.problem.task, self.problem.split
        if isinstance(split, LinkSplit):
            return _links(split)
        assert isinstance(task, NodeTask | GraphTask | EdgeTask)
        parts = {part: task.items[part] for part in PARTS if len(task.items[part])}
        if not isinstance(task, EdgeTask):
            return Items(len(task.target), None, task.target, parts)
        place = torch.full((len(task.target),), -1)
        place[task.asked] = torch.arange(len(task.asked))  # of an undirected edge one direction is asked for
        ends = task.graph.adj.edge_index[:, task.asked]
        found = {part: place[edges] for part, edges in parts.items()}
        return Items(len(task.asked), ends, task.target[task.asked], found)


def subject_of(
    what: Path | str | Source,
    *,
    task: TaskConfig | None = None,
    loaded: Loaded | None = None,
    on_progress: Progress | None = None,
) -> Subject:
    """Read a run with its data, or data with the question that a training on them would have.

    Raises:
        InputError: if there is no such run or data, or the data lacks what the question needs.

    >>> subject = subject_of(Source(dataset="karate"))
    >>> subject.level, subject.items.count, sorted(subject.items.parts)
    ('node', 34, ['test', 'train', 'val'])
    """
    if isinstance(what, Source):
        loaded = load(what, on_progress=on_progress) if loaded is None else loaded
        level = (task.level if task is not None else None) or loaded.dataset.level
        is_asked = level == "link" or "y" in loaded.dataset.graph.levels
        return Subject(what, loaded, level, posed(task or TaskConfig(), loaded) if is_asked else None)
    why = f"{what} is a potential, which hears atoms in space: diagnosed are networks on graphs"
    check(not is_potential_run(what), why)
    saved = load_run(Path(what))
    config = config_of(what)
    trained, loaded = data_for(what, None, on_progress=on_progress)
    problem = posed(config.task, loaded)
    prepared = problem if config.prepare.is_empty else posed(config.task, loaded, config.prepare)
    scores = saved.metrics.get("scores")
    return Subject(config.source, loaded, problem.level, problem, prepared, Path(what), config, trained, scores)


def _links(split: LinkSplit) -> Items:
    """The pairs that are held out, and as many without an edge."""
    pairs, answers, parts, count = [], [], {}, 0
    for part, others in split.negatives.items():
        both = torch.cat([split.pairs[part], others], 1)
        answers.append(torch.arange(both.shape[1]) < split.pairs[part].shape[1])
        pairs.append(both)
        if both.shape[1]:
            parts[part] = torch.arange(count, count + both.shape[1])
        count += both.shape[1]
    return Items(count, torch.cat(pairs, 1), torch.cat(answers).long(), parts)
