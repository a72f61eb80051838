"""What a page is made of: sections of blocks; each block is drawn by the part of page.html that has its kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

NOTHING = "\N{EN DASH}"


@dataclass(frozen=True)
class Figure:
    """A picture with what it shows, for those who do not see it, and one sentence of what to see in it."""

    kind: ClassVar = "figure"
    title: str
    svg: str
    alt: str
    caption: str
    legend: tuple[tuple[str, str, str], ...] = ()  # label, colour and "line", "dashed", "dot" or "cross"
    is_wide: bool = False


@dataclass(frozen=True)
class Track:
    """A cell that shows a value and its spread on a common scale, all in percent of the width."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Table:
    """Rows of words, figures and tracks; the marked rows stand out."""

    kind: ClassVar = "table"
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | Track, ...], ...]
    caption: str = ""
    marked: frozenset[int] = frozenset()
    words: int = 1  # how many columns, from the left, hold words; the others hold figures
    is_wide: bool = True


@dataclass(frozen=True)
class Heat:
    """A square table of counts, coloured by their share of the row; or of shares alone, which then count."""

    kind: ClassVar = "heat"
    title: str
    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shares: tuple[tuple[int, ...], ...]  # percent of the row
    caption: str
    alt: str
    has_counts: bool = True

    @property
    def is_small(self) -> bool:
        """Whether a cell has room for its count beside its share."""
        return len(self.names) <= 12


@dataclass(frozen=True)
class Bars:
    """Labels with a bar each, in percent of the longest, and the figure beside it."""

    kind: ClassVar = "bars"
    title: str
    rows: tuple[tuple[str, float, str], ...]
    caption: str


@dataclass(frozen=True)
class Tiles:
    """Figures with their names."""

    kind: ClassVar = "tiles"
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar = "text"
    text: str


@dataclass(frozen=True)
class Note:
    """Something to mind, with examples: "error", "warning", "info" or "good"."""

    kind: ClassVar = "note"
    severity: str
    text: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """Something to do: what, why, the command, and what came of it with its kind, "good" or "info"."""

    title: str
    why: str
    command: str
    outcome: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Steps:
    """A numbered list of things to do, the first one first."""

    kind: ClassVar = "steps"
    items: tuple[Step, ...]


@dataclass(frozen=True)
class Folded:
    """Text as it is, behind a line that opens it."""

    kind: ClassVar = "folded"
    title: str
    text: str


Block = Figure | Table | Heat | Bars | Tiles | Text | Note | Steps | Folded


@dataclass(frozen=True)
class Section:
    """A heading with its blocks; `name` is its anchor."""

    name: str
    title: str
    blocks: Sequence[Block]


def figure_of(value: float | None, digits: int = 4) -> str:
    """A number for people: four significant digits, and a dash where there is none.

    >>> figure_of(0.81523), figure_of(1234567), figure_of(float("nan")), figure_of(0.00001234)
    ('0.8152', '1,234,567', '–', '1.234e-05')
    """
    if value is None or value != value:
        return NOTHING
    if abs(value) >= 10 ** (digits - 1) and abs(value) != float("inf"):
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def percent(share: float) -> str:
    """A share as percent.

    >>> percent(0.8152), percent(float("nan"))
    ('81.5 %', '–')
    """
    return NOTHING if share != share else f"{100 * share:.1f} %"


def shortened(text: object, length: int = 40) -> str:
    """The text, cut where it is too long.

    >>> shortened("a very long name", 8)
    'a very …'
    """
    words = str(text)
    return words if len(words) <= length else words[: length - 1] + "…"
