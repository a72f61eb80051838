"""What the tasks share: the items of each part whose answers are known, and a model's pass without gradients."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Int, Shaped
from torch import Tensor, nn

from grapevine.data.split import Split, is_known
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.task.task import PARTS, Answers, Level, Part


@contextmanager
def judging(model: nn.Module) -> Iterator[None]:
    """The model in evaluation mode, where it stays, and without gradients."""
    model.eval()
    with torch.inference_mode():
        yield


def answers_of(graph: Graph, level: Level) -> Tensor:
    """The graph's y, or an InputError if it has none or of another level."""
    held = {"node": graph.node, "edge": graph.edge, "graph": graph.graph}.get(level, {})
    if "y" not in held:
        other = graph.levels.get("y")
        came = "it holds none" if other is None else f"its y belongs to the {other}s"
        check(False, f"the graph must hold the answers y of its {level}s: {came}; declare them, {level}={{'y': y}}")
    y = held["y"]
    check(isinstance(y, Tensor), "y must be a dense tensor")
    return y  # pyright: ignore[reportReturnType]


def known_parts(split: Split, target: Shaped[Tensor, "n *t"], what: str) -> dict[Part, Int[Tensor, " k"]]:
    """The items of each part whose answer is known; val and test may be empty.

    Raises:
        InputError: if the split is one of another number of items, no training item has a known answer, or a part
            has items and none of them has.
    """
    known, parts = is_known(target), {}
    for part in PARTS:
        mask = getattr(split, part).to(target.device)
        check(len(mask) == len(known), f"the split is one of {len(mask)} items, and there are {len(known)} {what}s")
        parts[part] = (mask & known).nonzero().squeeze(1)
        is_empty = part != "train" and not bool(mask.any())
        check(is_empty or len(parts[part]) > 0, f"the {part} part must hold a {what} whose answer is known")
    return parts


def part_of_each(split: Split, device: torch.device) -> Int[Tensor, " n"]:
    """The part of each item: its place in PARTS, or -1 for none."""
    part = torch.full((len(split.train),), -1)
    for place, name in enumerate(PARTS):
        part[getattr(split, name).cpu()] = place
    return part.to(device)


def one_pass(
    model: nn.Module, graph: Graph, items: dict[Part, Tensor], target: Shaped[Tensor, "n *t"], parts: Sequence[Part]
) -> dict[Part, Answers]:
    """What a model answers on those parts of one graph, passed over once."""
    asked = [items[part] for part in parts]
    output = model(graph, asked[0] if len(asked) == 1 else torch.cat(asked))
    rows = output.split([len(some) for some in asked])
    return {p: Answers(row, target[some], some) for p, row, some in zip(parts, rows, asked, strict=True)}
