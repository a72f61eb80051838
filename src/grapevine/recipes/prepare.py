"""What is done to a graph before a network sees it: its edges are rewired, then encodings are put beside its features.

graph' = encode(rewire(graph))

A run keeps both in its configuration, so that whatever the model is used on is prepared alike. Splits are made of the
graph as it is, and of links only what carries messages in training is encoded: no held-out edge is told.
"""

import hashlib
import os
import tempfile
import warnings
from pathlib import Path
from time import perf_counter
from typing import get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, field_validator
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from grapevine import rewire
from grapevine.data.datasets.fetch import cache_folder
from grapevine.encoding import Encoding, Laplacian, parse, with_columns
from grapevine.errors import check
from grapevine.graph import Graph
from grapevine.recipes.models import Eigenvectors, Wiring
from grapevine.task.task import Level

_VERSION = 1  # raised when an encoding gives other numbers for the same graph
_GAP_NODES = 20_000  # up to which a graph's spectral gap takes no more than seconds
_SECONDS = 0.5  # what is made faster is not kept


class Preparation(BaseModel):
    """The specs of what is done, both may be missing.

    Args:
        rewire: as `grapevine.rewire.parse` takes it, with "virtual-node" or "fully-adjacent" for what is a matter of
            the network and not of the graph.
        encode: as `grapevine.encoding.parse` takes it.

    >>> import torch
    >>> prepare = Preparation(encode="rwpe:4")
    >>> prepare(Graph([[0, 1], [1, 0]], x=torch.ones(2, 3)))
    Graph(2 nodes, 2 edges; node: x [2, 7])
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rewire: str | None = None
    encode: str | None = None

    @field_validator("rewire")
    @classmethod
    def _check_rewire(cls, spec: str | None) -> str | None:
        return None if spec is None else written_rewire(spec)

    @field_validator("encode")
    @classmethod
    def _check_encode(cls, spec: str | None) -> str | None:
        return None if spec is None else ",".join(str(one) for one in parse(spec))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is done."""
        return self.rewire is None and self.encode is None

    @property
    def wiring(self) -> Wiring | None:
        """What of the rewiring is a matter of the network and not of the graph."""
        return next(iter(_parted(self.rewire or "")[0]), None)

    @property
    def encodings(self) -> tuple[Encoding, ...]:
        """Those that are put beside the features."""
        return () if self.encode is None else parse(self.encode)

    def __call__(self, graph: Graph, level: Level | None = None, *, is_kept: bool = True) -> Graph:
        """The graph with it done; encodings that take long are kept in the cache folder for the next time.

        Args:
            level: of what something is predicted, where that is known.
            is_kept: False for graphs that will not come again.

        Raises:
            InputError: if it can not be done to such a graph, or not where that is predicted.
        """
        of_graph = _parted(self.rewire or "")[1]
        if of_graph:
            graph = _rewired(graph, ",".join(of_graph), level)
        found = self.encodings
        return with_columns(graph, found, [_made(graph, one, is_kept) for one in found]) if found else graph

    def notes(self, before: Graph, after: Graph) -> list[str]:
        """What was done, a sentence each: of a rewiring with the spectral gap before and after."""
        of_network, of_graph = _parted(self.rewire or "")
        found = [f"the network is wired by {one}" for one in of_network]
        if of_graph:
            found.append(f"the edges are rewired by {_told(before, after, ', '.join(of_graph))}")
        for level in ("node", "edge"):
            own = [one for one in self.encodings if one.level == level]
            if own:
                count, names = sum(one.channels for one in own), ", ".join(map(str, own))
                found.append(f"beside the features stand {count} numbers of where each {level} is: {names}")
        return found

    def eigenvectors(self, graph: Graph) -> Eigenvectors | None:
        """Which columns of a graph that is prepared are eigenvectors; None if none are."""
        own = [one for one in self.encodings if one.level == "node"]
        first = graph.x.shape[1] - sum(one.channels for one in own)
        for one in own:
            if isinstance(one, Laplacian):
                return Eigenvectors(first=first, count=one.channels, signnet=one.signnet)
            first += one.channels
        return None


NOTHING = Preparation()


def written_rewire(spec: str) -> str:
    """A spec of rewirings, checked and written out: "virtual-node" and "fully-adjacent", and those of the graph.

    Raises:
        InputError: if one of them is not there, or two do not go together.

    >>> written_rewire("expander, virtual-node")
    'virtual-node,expander:4'
    """
    of_network, of_graph = _parted(spec)
    names = ", ".join(dict.fromkeys([*get_args(Wiring), *rewire.REWIRINGS]))
    check(len(of_network) + len(of_graph) > 0, f"the spec {spec!r} names no rewiring; there are {names}")
    check(len(of_network) < 2, f"{' and '.join(of_network)} do not go together: take one of them")
    return ",".join([*of_network, *map(str, rewire.parse(",".join(of_graph)))])


def _parted(spec: str) -> tuple[list[Wiring], list[str]]:
    """Of a spec of rewirings what is done to the network, and what to the graph."""
    words = [word.strip() for word in spec.split(",") if word.strip()]
    return [one for one in get_args(Wiring) if one in words], [word for word in words if word not in get_args(Wiring)]


def _rewired(graph: Graph, spec: str, level: Level | None) -> Graph:
    is_fit = level not in ("link", "edge")
    check(is_fit, f"{level}s are predicted, so the edges can not be rewired: rewiring is for nodes and graphs")
    found = rewire.rewire(graph, rewire.parse(spec))
    is_fit = found.num_nodes == graph.num_nodes or level in (None, "graph")
    check(is_fit, f"{spec} adds nodes, of which nothing can be predicted: take a rewiring that keeps the nodes")
    return found


def _told(before: Graph, after: Graph, spec: str) -> str:
    """What came of it; of large graphs without the spectral gap."""
    if before.num_nodes and int(before.ptr.diff().max()) > _GAP_NODES:
        return f"{spec}: {before.num_edges:,} edges before, {after.num_edges:,} after"
    return str(rewire.report(before, after, spec))


def _made(graph: Graph, encoding: Encoding, is_kept: bool) -> Tensor:
    """What an encoding comes to, from the cache if it was made before of the same edges."""
    if not is_kept:
        return encoding(graph)
    path = cache_folder() / "encodings" / f"{_digest(graph, str(encoding))}.safetensors"
    try:
        if path.is_file():
            found = load_file(path)["values"]
            rows = graph.num_nodes if encoding.level == "node" else graph.num_edges
            if found.shape == (rows, encoding.channels):
                return found.to(graph.device)
    except (OSError, SafetensorError, KeyError):
        pass  # a broken file is made anew
    begin = perf_counter()
    found = encoding(graph)
    if perf_counter() - begin >= _SECONDS:
        try:
            _write(path, found.cpu().contiguous())
        except OSError as error:
            warnings.warn(f"{encoding} can not be kept for the next time in {path.parent}: {error}", stacklevel=2)
    return found


def _digest(graph: Graph, spec: str) -> str:
    pattern = graph.adj.pattern
    parts = [
        np.array([_VERSION, graph.num_nodes]),
        *(t.cpu().long().numpy() for t in (pattern.indptr, pattern.indices)),
    ]
    found = hashlib.sha256(spec.encode())
    for part in parts:
        found.update(np.ascontiguousarray(part).data)
    found.update(graph.ptr.cpu().numpy().data)
    return f"{spec.replace(':', '-')}-{found.hexdigest()[:32]}"


def _write(path: Path, values: Tensor) -> None:
    """The file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    try:
        save_file({"values": values}, partial)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)
