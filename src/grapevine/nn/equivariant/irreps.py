"""Irreducible representations of O(3), and how many of each a feature has: "128x0e + 64x1o".

(l1, p1) x (l2, p2) = the sum over l from |l1 - l2| to l1 + l2 of (l, p1 p2)

An irrep is a degree l, whose 2l + 1 components mix under a rotation, and a parity: what a mirror through the origin
multiplies them by, 1 (even, "e") or -1 (odd, "o"). A vector is 1o, an angular momentum 1e.

Features of `Irreps` are flat, [n, dim]: its blocks one after another, and a block of `mul` copies of a degree l is
stored [2l + 1, mul], channels last. So two blocks of one irrep side by side are in memory not one block of both.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from grapevine.errors import InputError, check

_IRREP = re.compile(r"(\d+)([eo])")
_BLOCK = re.compile(r"(?:(\d+)x)?(\d+[eo])")
_EXAMPLE = '"128x0e + 64x1o" is 128 even scalars and 64 vectors'


@dataclass(frozen=True, order=True)
class Irrep:
    """One irreducible representation of O(3): a degree, 0, 1, ..., and a parity, 1 or -1.

    Their order is by degree, and of one degree the odd one first: 0o 0e 1o 1e 2o 2e.

    >>> Irrep(1, -1), Irrep.parse("2e").dim
    (1o, 5)
    >>> Irrep.parse("1o") * Irrep.parse("1o")
    (0e, 1e, 2e)
    """

    degree: int
    parity: int

    def __post_init__(self) -> None:
        check(
            _is_count(self.degree) and self.parity in (1, -1),
            f"an irrep is a degree from 0 and a parity 1 or -1, got {self.degree!r} and {self.parity!r}",
        )

    @classmethod
    def parse(cls, text: "str | Irrep") -> "Irrep":
        """The irrep of a text like "1o"."""
        if isinstance(text, Irrep):
            return text
        match = _IRREP.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise InputError(f'an irrep is a degree and e or o, such as "1o", got {text!r}')
        return cls(int(match[1]), 1 if match[2] == "e" else -1)

    @property
    def dim(self) -> int:
        """2l + 1."""
        return 2 * self.degree + 1

    @property
    def is_scalar(self) -> bool:
        """Whether rotations and mirrors leave it alone: 0e."""
        return self.degree == 0 and self.parity == 1

    def __mul__(self, other: "Irrep") -> tuple["Irrep", ...]:
        """The irreps of the product of two, each once, by degree."""
        low, high = abs(self.degree - other.degree), self.degree + other.degree
        return tuple(Irrep(degree, self.parity * other.parity) for degree in range(low, high + 1))

    def __repr__(self) -> str:
        return f"{self.degree}{'e' if self.parity == 1 else 'o'}"


class Block(NamedTuple):
    """`mul` copies of one irrep."""

    mul: int
    irrep: Irrep

    @property
    def dim(self) -> int:
        """mul (2l + 1)."""
        return self.mul * self.irrep.dim

    def __repr__(self) -> str:
        return f"{self.mul}x{self.irrep}"


IrrepsLike: TypeAlias = "Irreps | Irrep | str | Iterable[tuple[int, Irrep | str]]"


class Irreps:
    """What a feature is made of: blocks of copies of irreps, in order. Immutable.

    Args:
        blocks: a text such as "128x0e + 64x1o" (a block alone is one copy), pairs (mul, irrep), one irrep, or Irreps.

    >>> irreps = Irreps("2x0e + 1o")
    >>> irreps, irreps.dim, irreps.num, irreps.slices
    (2x0e + 1x1o, 5, 3, (slice(0, 2, None), slice(2, 5, None)))
    >>> [mul * irrep.degree for mul, irrep in irreps]
    [0, 1]
    >>> irreps * Irreps("1o")
    1x0e + 2x1o + 1x1e + 1x2e
    """

    __slots__ = ("_blocks",)
    _blocks: tuple[Block, ...]

    def __init__(self, blocks: IrrepsLike = ()):
        object.__setattr__(self, "_blocks", tuple(_blocks_of(blocks)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("Irreps are immutable: make new ones")

    @classmethod
    def spherical_harmonics(cls, max_degree: int) -> "Irreps":
        """Those of the spherical harmonics of a direction, each degree once.

        >>> Irreps.spherical_harmonics(3)
        1x0e + 1x1o + 1x2e + 1x3o
        """
        check(_is_count(max_degree), f"max_degree must be a whole number from 0, got {max_degree!r}")
        return cls((1, Irrep(degree, (-1) ** degree)) for degree in range(max_degree + 1))

    @property
    def dim(self) -> int:
        """The width of a feature."""
        return sum(block.dim for block in self._blocks)

    @property
    def num(self) -> int:
        """How many irreps it has, copies counted."""
        return sum(block.mul for block in self._blocks)

    @property
    def max_degree(self) -> int:
        """The highest degree; -1 where there is no block."""
        return max((block.irrep.degree for block in self._blocks), default=-1)

    @property
    def slices(self) -> tuple[slice, ...]:
        """The columns of each block in a flat feature."""
        found, start = [], 0
        for block in self._blocks:
            found.append(slice(start, start + block.dim))
            start += block.dim
        return tuple(found)

    def count(self, irrep: Irrep | str) -> int:
        """How many copies of one irrep there are.

        >>> Irreps("4x0e + 2x1o + 3x0e").count("0e")
        7
        """
        wanted = Irrep.parse(irrep)
        return sum(block.mul for block in self._blocks if block.irrep == wanted)

    def order(self) -> tuple[int, ...]:
        """Where the blocks stand that `sort` puts first, second, ...; equal irreps keep their order."""
        return tuple(sorted(range(len(self)), key=lambda k: self._blocks[k].irrep))

    def sort(self) -> "Irreps":
        """The blocks by irrep: 0o 0e 1o 1e ...

        >>> Irreps("1x1o + 2x0e + 3x1o").sort()
        2x0e + 1x1o + 3x1o
        """
        return Irreps(self._blocks[k] for k in self.order())

    def simplify(self) -> "Irreps":
        """Neighbours of one irrep as one block, and no empty ones. `regroup` of layout.py moves features so.

        >>> Irreps("1x1o + 2x1o + 0x2e + 3x0e").simplify()
        3x1o + 3x0e
        """
        joined: list[Block] = []
        for block in self._blocks:
            if joined and joined[-1].irrep == block.irrep:
                joined[-1] = Block(joined[-1].mul + block.mul, block.irrep)
            elif block.mul:
                joined.append(block)
        return Irreps(joined)

    def regroup(self) -> "Irreps":
        """Sorted and simplified: one block of each irrep."""
        return self.sort().simplify()

    def __add__(self, other: IrrepsLike) -> "Irreps":
        return Irreps((*self._blocks, *Irreps(other)))

    def __mul__(self, other: IrrepsLike) -> "Irreps":
        """The product with others, sorted and simplified: every pair of copies gives each irrep of theirs once."""
        pairs = [(ours, theirs) for ours in self._blocks for theirs in Irreps(other)]
        made = ((a.mul * b.mul, irrep) for a, b in pairs for irrep in a.irrep * b.irrep)
        return Irreps(made).regroup()

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    def __len__(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    def __getitem__(self, place: int) -> Block:
        return self._blocks[place]

    def __contains__(self, irrep: Irrep | str) -> bool:
        return self.count(irrep) > 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Irreps) and self._blocks == other._blocks

    def __hash__(self) -> int:
        return hash(self._blocks)

    def __reduce__(self) -> tuple:
        return Irreps, (tuple(tuple(block) for block in self._blocks),)

    def __repr__(self) -> str:
        return " + ".join(repr(block) for block in self._blocks)


def _blocks_of(given: IrrepsLike) -> Iterator[Block]:
    if isinstance(given, Irreps):
        yield from given
    elif isinstance(given, Irrep):
        yield Block(1, given)
    elif isinstance(given, str):
        for part in given.split("+") if given.strip() else []:
            match = _BLOCK.fullmatch(part.strip())
            if match is None:
                raise InputError(f"{_EXAMPLE}; got {given!r}, where {part.strip()!r} is no block")
            yield Block(int(match[1] or 1), Irrep.parse(match[2]))
    elif isinstance(given, Iterable):
        for pair in given:
            yield _block_of(pair)
    else:
        raise InputError(f"irreps are a text or pairs (mul, irrep): {_EXAMPLE}; got {given!r}")


def _block_of(pair: object) -> Block:
    if not isinstance(pair, tuple) or len(pair) != 2 or not _is_count(pair[0]):
        raise InputError(f"a block is a pair (mul, irrep) with mul a whole number from 0, got {pair!r}")
    return Block(pair[0], Irrep.parse(pair[1]))


def _is_count(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 0
