"""Encodings by their specs, as on the command line, and put beside the features that a graph has."""

from collections.abc import Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor

from grapevine.checks import FLOATS
from grapevine.encoding.degree import Degree
from grapevine.encoding.distance import Detour, Distance
from grapevine.encoding.encoding import Encoding
from grapevine.encoding.heat import Heat
from grapevine.encoding.laplacian import Laplacian
from grapevine.encoding.random_walk import EdgeRandomWalk, RandomWalk
from grapevine.encoding.resistance import EdgeResistance, Resistance
from grapevine.encoding.rings import Rings
from grapevine.encoding.substructures import Substructures
from grapevine.errors import InputError, check
from grapevine.graph import Graph
from grapevine.ops.sparse import SparseMatrix, beside

ENCODINGS: dict[str, type[Encoding]] = {
    kind.name: kind
    for kind in (
        RandomWalk, Laplacian, Heat, Degree, Distance, Resistance, Rings, Substructures,
        EdgeRandomWalk, Detour, EdgeResistance,
    )
}  # fmt: skip


def parse(spec: str) -> tuple[Encoding, ...]:
    """The encodings that a spec names, by commas, each with its number and words behind colons.

    Raises:
        InputError: for a name that is none, a number that can not be, or an encoding that is named twice.

    >>> parse("rwpe:16,lappe:8")
    (RandomWalk(steps=16), Laplacian(vectors=8, signnet=False))
    >>> ",".join(map(str, parse("degree, lappe:4:signnet")))
    'degree,lappe:4:signnet'
    """
    check(isinstance(spec, str), f"a spec of encodings is a text, as rwpe:16,lappe:8; got {type(spec).__name__}")
    found = tuple(_parse_one(word.strip()) for word in spec.split(",") if word.strip())
    check(len(found) > 0, f"the spec {spec!r} names no encoding; there are {', '.join(ENCODINGS)}")
    names = [one.name for one in found]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    check(not twice, f"{', '.join(twice)} stands there twice: give the larger number alone")
    return found


def encode(graph: Graph, encodings: Sequence[Encoding] | str) -> Graph:
    """The graph with the encodings behind the features x of its nodes and edge_attr of its edges.

    Where there are none they are all there is. Sparse features stay sparse: the encodings are full columns of theirs.

    Args:
        encodings: from `parse`, or its spec.

    Raises:
        InputError: if the features are no floating-point numbers of [n, c], or an encoding does not fit the graph.

    >>> path = Graph([[0, 1, 1, 2], [1, 0, 2, 1]], x=torch.ones(3, 2))
    >>> encode(path, "rwpe:4,edge-rwpe:2")
    Graph(3 nodes, 4 edges; node: x [3, 6]; edge: edge_attr [4, 2])
    """
    chosen = parse(encodings) if isinstance(encodings, str) else tuple(encodings)
    return with_columns(graph, chosen, [one(graph) for one in chosen])


def with_columns(graph: Graph, encodings: Sequence[Encoding], columns: Sequence[Tensor]) -> Graph:
    """The same, with what the encodings came to given.

    >>> with_columns(Graph([[0], [1]]), parse("degree"), [torch.zeros(2, 1)])
    Graph(2 nodes, 1 edges; node: x [2, 1])
    """
    changed: dict[str, Any] = {}
    for level, name, held in (("node", "x", graph.node), ("edge", "edge_attr", graph.edge)):
        new = [column for one, column in zip(encodings, columns, strict=True) if one.level == level]
        if new:
            changed[name] = _joined(name, held.get(name), torch.cat(new, 1))
    return graph.replace(**changed) if changed else graph


def _joined(name: str, held: Tensor | SparseMatrix | None, new: Tensor) -> Tensor | SparseMatrix:
    if held is None:
        return new
    is_fit = held.dtype in FLOATS and len(held.shape) in (1, 2)
    check(is_fit, f"encodings go beside {name} of floating-point numbers, [rows, c], got {held.dtype} "
          f"of shape {tuple(held.shape)}: convert it, or leave it out")  # fmt: skip
    if isinstance(held, SparseMatrix):
        return beside(held, new.to(held.dtype))
    return torch.cat([held.reshape(len(held), -1), new.to(held.dtype)], 1)


def _parse_one(word: str) -> Encoding:
    name, *rest = (part.strip() for part in word.split(":"))
    if name not in ENCODINGS:
        near = get_close_matches(name.lower(), ENCODINGS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"there is no encoding {name!r}; {hint}there are {', '.join(ENCODINGS)}")
    kind = ENCODINGS[name]
    words = {field.name for field in fields(kind) if field.type in (bool, "bool")}
    options: dict[str, Any] = {part: True for part in rest if part in words}
    numbers = [part for part in rest if part not in words]
    takes_number = len(fields(kind)) > len(words)
    is_fit = len(numbers) <= takes_number and all(number.lstrip("-").isdecimal() for number in numbers)
    if not is_fit or len(options) + len(numbers) < len(rest):
        forms = [f"{name}:{_example(kind)}"] if takes_number else [name]
        forms += [f"{forms[0]}:{extra}" for extra in sorted(words)]
        raise InputError(f"{word!r} is no encoding: {name} is written {' or '.join(forms)}")
    return kind(*map(int, numbers), **options)


def _example(kind: type[Encoding]) -> int:
    default = fields(kind)[0].default
    return default if isinstance(default, int) else 8
