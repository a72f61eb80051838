"""Who hears whom: the edges of a graph, checked and sorted by target once.

N(i) = { src[p] : p = indptr[i] .. indptr[i + 1] - 1 },  and all these edges p have dst[p] = i
"""

import operator
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from torch import Tensor

from grapevine.checks import check_tensor
from grapevine.errors import InputError, check
from grapevine.ops.group import group, index_dtype
from grapevine.ops.pattern import Pattern, check_bounds

_P = ParamSpec("_P")
_S = TypeVar("_S")
_R = TypeVar("_R")


def kept(make: Callable[Concatenate[_S, _P], _R]) -> Callable[Concatenate[_S, _P], _R]:
    """Make a method keep its results in the object's `_kept`.

    They are made outside inference mode, since what a validation step makes first, training uses later.
    """
    make = torch.inference_mode(False)(make)

    @wraps(make)
    def get(self: Any, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        key = (make.__name__, *args, *kwargs.items())
        if key not in self._kept:
            self._kept[key] = make(self, *args, **kwargs)
        return self._kept[key]

    return get


class Adjacency:
    """The edges from `num_src` sources to `num_dst` targets, sorted by target (stable). Immutable.

    Every tensor here is int64 and in the sorted order, so that it indexes any other tensor; `pattern` is the same
    in 32 bits where the sizes allow, for the operations. All are made on first use and kept. `edge_id` says where
    each edge stood in the input: `edge_attr[adj.edge_id]` puts edge tensors into the order of the adjacency.

    Args:
        edge_index: [2, e] int64 or int32 (a list or an array too): row 0 the sources, row 1 the targets.
        num_nodes: how many nodes there are, where sources and targets are the same ones.
        size: (num_src, num_dst) where they are not. Without num_nodes and size: the largest index plus one, for both.

    Raises:
        InputError: for another shape or dtype, an index out of range or a size that is no whole number.

    >>> adj = Adjacency([[0, 1, 2, 2], [1, 0, 1, 0]], num_nodes=4)
    >>> adj
    Adjacency(4 nodes, 4 edges)
    >>> adj.src.tolist(), adj.dst.tolist(), adj.edge_id.tolist()
    ([1, 2, 0, 2], [0, 0, 1, 1], [1, 3, 0, 2])
    """

    pattern: Pattern

    @torch.inference_mode(False)
    def __init__(
        self,
        edge_index: Int[Tensor, "2 e"] | ArrayLike,
        num_nodes: int | None = None,
        *,
        size: tuple[int, int] | None = None,
    ):
        edges = as_integers("edge_index", edge_index)
        check_tensor("edge_index", edges, ndim=2, dtypes=(torch.int64, torch.int32))
        check(edges.shape[0] == 2, f"edge_index must have shape [2, e], sources in row 0, got {tuple(edges.shape)}")
        num_src, num_dst = _sizes(edges, num_nodes, size)
        src, dst = edges
        check_bounds("the sources, edge_index[0],", src, num_src, "source nodes")
        check_bounds("the targets, edge_index[1],", dst, num_dst, "target nodes")
        self._fill(*_sorted_by_target(src, dst, num_src, num_dst))

    @classmethod
    @torch.inference_mode(False)
    def from_csr(
        cls, indptr: Int[Tensor, " n+1"] | ArrayLike, src: Int[Tensor, " e"] | ArrayLike, num_src: int
    ) -> "Adjacency":
        """From compressed rows, without a sort: the sources of target i are src[indptr[i] : indptr[i + 1]].

        >>> Adjacency.from_csr([0, 2, 2], [0, 2], num_src=3)
        Adjacency(3 -> 2 nodes, 2 edges)
        """
        tensors = as_integers("indptr", indptr), as_integers("src", src)
        return cls.trusted(Pattern(*tensors, _count("num_src", num_src)))

    @classmethod
    def trusted(cls, pattern: Pattern, edge_id: Tensor | None = None) -> "Adjacency":
        """Around a pattern that no `entry` reorders; without `edge_id` the edges came in as they stand."""
        adjacency = cls.__new__(cls)
        adjacency._fill(pattern, edge_id)
        return adjacency

    def _fill(self, pattern: Pattern, edge_id: Tensor | None) -> None:
        self.pattern, self._edge_id, self._kept = pattern, edge_id, {}

    @property
    def num_src(self) -> int:
        return self.pattern.num_cols

    @property
    def num_dst(self) -> int:
        return self.pattern.num_rows

    @property
    def num_edges(self) -> int:
        return self.pattern.num_entries

    @property
    def is_square(self) -> bool:
        """Whether there are as many sources as targets, as where they are the same nodes."""
        return self.num_src == self.num_dst

    @property
    def num_nodes(self) -> int:
        """The number of nodes of a square adjacency; an InputError for any other."""
        self._check_square("num_nodes")
        return self.num_dst

    @property
    def device(self) -> torch.device:
        return self.pattern.device

    @property
    @kept
    def edge_index(self) -> Int[Tensor, "2 e"]:
        return torch.stack([self.pattern.indices, self.pattern.row_of]).long()

    @property
    def src(self) -> Int[Tensor, " e"]:
        return self.edge_index[0]

    @property
    def dst(self) -> Int[Tensor, " e"]:
        return self.edge_index[1]

    @property
    @kept
    def indptr(self) -> Int[Tensor, " num_dst+1"]:
        return self.pattern.indptr.long()

    @property
    @kept
    def edge_id(self) -> Int[Tensor, " e"]:
        return torch.arange(self.num_edges, device=self.device) if self._edge_id is None else self._edge_id.long()

    @property
    @kept
    def in_degree(self) -> Int[Tensor, " num_dst"]:
        return self.pattern.indptr.diff().long()

    @property
    @kept
    def out_degree(self) -> Int[Tensor, " num_src"]:
        return self.pattern.transposed.indptr.diff().long()

    @kept
    def gcn_scale(self, dtype: torch.dtype) -> tuple[Float[Tensor, " num_src"], Float[Tensor, " num_dst"]]:
        """What the symmetric normalisation multiplies sources and targets by: degree ** -0.5, and 0 for degree 0.

        A square adjacency counts the edges that come in on both sides, as GCN does; any other one counts those
        that go out of the sources and come into the targets. Source: Kipf and Welling, 2017.

        >>> src_scale, dst_scale = Adjacency([[0, 1], [2, 2]], size=(4, 3)).gcn_scale(torch.float64)
        >>> src_scale.tolist(), [round(s, 4) for s in dst_scale.tolist()]
        ([1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.7071])
        """
        dst_scale = _inverse_root(self.in_degree, dtype)
        return dst_scale if self.is_square else _inverse_root(self.out_degree, dtype), dst_scale

    @kept
    def reverse(self) -> "Adjacency":
        """Every edge turned round; `edge_id` still says where it stood in the input.

        >>> Adjacency([[0, 1], [2, 2]], size=(2, 3)).reverse().edge_index.tolist()
        [[2, 2], [0, 1]]
        """
        turned = self.pattern.transposed
        order = turned.entry if self._edge_id is None else self._edge_id[turned.entry]
        return Adjacency.trusted(Pattern.trusted(turned.indptr, turned.indices, turned.num_cols), order)

    @kept
    def with_self_loops(self) -> "Adjacency":
        """With a loop at every node that has none, behind the node's other edges.

        Its `edge_id` counts the edges of this adjacency and then the new loops, by node, so that
        `torch.cat([edge_attr, loop_attr])[looped.edge_id]` carries edge tensors over.

        >>> Adjacency([[0, 1], [1, 1]], num_nodes=3).with_self_loops().edge_index.tolist()
        [[0, 0, 1, 2], [0, 1, 1, 2]]
        """
        self._check_square("self-loops")
        src, dst = self.pattern.indices, self.pattern.row_of
        lacks_loop = torch.ones(self.num_nodes, dtype=torch.bool, device=self.device)
        lacks_loop[src[src == dst]] = False
        loops = lacks_loop.nonzero().squeeze(1).to(src.dtype)
        edges = torch.cat([src, loops]), torch.cat([dst, loops])
        return Adjacency.trusted(*_sorted_by_target(*edges, self.num_src, self.num_dst))

    @kept
    def without_self_loops(self) -> "Adjacency":
        """With no edge from a node to itself; `edge_attr[bare.edge_id]` carries edge tensors of this one over.

        >>> Adjacency([[0, 1], [1, 1]]).without_self_loops().edge_id.tolist()
        [0]
        """
        self._check_square("self-loops")
        indptr, src = self.pattern.indptr, self.pattern.indices
        stays = src != self.pattern.row_of
        before = torch.nn.functional.pad(stays.cumsum(0), (1, 0)).to(indptr.dtype)
        return Adjacency.trusted(Pattern.trusted(before[indptr], src[stays], self.num_src), stays.nonzero().squeeze(1))

    @kept
    def is_symmetric(self) -> bool:
        """Whether every edge j -> i stands here as often as i -> j.

        >>> Adjacency([[0, 1, 1], [1, 0, 1]]).is_symmetric(), Adjacency([[0], [1]]).is_symmetric()
        (True, False)
        """
        turned = self.pattern.transposed
        if not self.is_square or not torch.equal(turned.indptr, self.pattern.indptr):
            return False
        wide = turned.indptr.dtype == torch.int64
        _, sorted_src, _ = group(turned.indices, turned.row_of, self.num_dst, wide)  # sorted by dst, then by src
        return torch.equal(turned.indices, sorted_src)

    def to(self, device: torch.device | str) -> "Adjacency":
        """This adjacency on another device; itself where it is there already."""
        if torch.device(device) == self.device:
            return self
        edge_id = None if self._edge_id is None else self._edge_id.to(device)
        return Adjacency.trusted(self.pattern.to(device), edge_id)

    def _check_square(self, what: str) -> None:
        if not self.is_square:
            raise InputError(f"{what} must be asked of a square adjacency, of one set of nodes, this is {self}")

    def __repr__(self) -> str:
        nodes = self.num_dst if self.is_square else f"{self.num_src} -> {self.num_dst}"
        return f"Adjacency({nodes} nodes, {self.num_edges} edges)"


def as_integers(name: str, values: object) -> Tensor:
    """A tensor as it is; lists and arrays of integers as int64."""
    if isinstance(values, Tensor):
        return values
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InputError(f"{name} must be a tensor or rows of integers of one length: {error}") from None
    is_integer = array.dtype.kind in "iu" or array.size == 0
    check(is_integer, f"{name} must hold integers, got {type(values).__name__} of dtype {array.dtype}")
    return torch.from_numpy(array.astype(np.int64))


def _count(name: str, value: object) -> int:
    try:
        count = operator.index(value)  # pyright: ignore[reportArgumentType]
    except TypeError:
        raise InputError(f"{name} must be a whole number, got {value!r}") from None
    check(count >= 0, f"{name} must not be negative, got {count}")
    return count


def _sizes(edges: Tensor, num_nodes: int | None, size: tuple[int, int] | None) -> tuple[int, int]:
    check(num_nodes is None or size is None, f"give num_nodes or size, not both: got {num_nodes} and {size}")
    if size is not None:
        check(isinstance(size, tuple | list) and len(size) == 2, f"size must be (num_src, num_dst), got {size!r}")
        return _count("size[0]", size[0]), _count("size[1]", size[1])
    if num_nodes is None:
        num_nodes = max(int(edges.max()) + 1, 0) if edges.numel() else 0
    num_nodes = _count("num_nodes", num_nodes)
    return num_nodes, num_nodes


def _sorted_by_target(src: Tensor, dst: Tensor, num_src: int, num_dst: int) -> tuple[Pattern, Tensor]:
    """The pattern, and which edge stands at each place of it."""
    wide = index_dtype(num_dst + 1, len(src), num_src) == torch.int64
    indptr, indices, order = group(dst, src, num_dst, wide)
    return Pattern.trusted(indptr, indices, num_src), order


def _inverse_root(degree: Tensor, dtype: torch.dtype) -> Tensor:
    return degree.double().rsqrt().where(degree > 0, 0).to(dtype)
