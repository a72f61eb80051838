"""What a benchmark hands in, and how it is written down: tables and claims, as Markdown and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.timing import Seconds

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """Rows under a title, with notes below."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Claim:
    """A figure that was promised, and the figure that was measured."""

    what: str
    measured: float
    asked: float
    is_limit: bool = False  # asked is the most it may be, not the least

    @property
    def holds(self) -> bool:
        return self.measured <= self.asked if self.is_limit else self.measured >= self.asked


@dataclass(frozen=True)
class Result:
    """All that one benchmark measured."""

    tables: Sequence[Table]
    claims: Sequence[Claim] = ()


def skipped(title: str, reason: str) -> Result:
    """A benchmark that could not be run here."""
    return Result([Table(title, ["skipped"], [[reason]])])


def side_by_side(title: str, times: Mapping[str, Seconds], *, notes: Sequence[str] = ()) -> Table:
    """The first call against all others: how many times longer each takes at its best than the first, memory kept."""
    ours, *_ = times.values()
    rows = [[name, s.plain * 1e3, s.kept * 1e3, s.best / ours.kept] for name, s in times.items()]
    rows[0][3] = 1.0
    columns = ["", "plain allocator, ms", "memory kept, ms", "times Grapevine's"]
    return Table(title, columns, rows, notes)


def to_markdown(result: Result) -> str:
    """The tables, and the claims as the last one."""
    tables = list(result.tables)
    if result.claims:
        rows = [
            [c.what, c.measured, f"{'at most' if c.is_limit else 'at least'} {c.asked:g}", _yes(c)]
            for c in result.claims
        ]
        tables.append(Table("Asked for", ["", "measured", "asked", "holds"], rows))
    return "\n\n".join(_table(table) for table in tables)


def keep(path: Path, names: Sequence[str], name: str, result: Result, here: Mapping[str, str]) -> None:
    """Put a benchmark's result among those in a JSON file, in the order of `names`, and all as Markdown beside it."""
    path.parent.mkdir(exist_ok=True)
    kept = json.loads(path.read_text()) if path.is_file() else {}
    day = datetime.now(UTC).date().isoformat()
    kept[name] = {"day": day, "environment": here, **asdict(result)}
    kept = {known: kept[known] for known in names if known in kept}
    path.write_text(json.dumps(kept, indent=1) + "\n")
    path.with_suffix(".md").write_text("\n".join(_section(*item) for item in kept.items()))


def _section(name: str, entry: dict) -> str:
    where = "; ".join(f"{key} {value}" for key, value in entry["environment"].items())
    result = Result([Table(**table) for table in entry["tables"]], [Claim(**claim) for claim in entry["claims"]])
    return f"## {name}\n\n{entry['day']}; {where}\n\n{to_markdown(result)}\n"


def _yes(claim: Claim) -> str:
    return "yes" if claim.holds else "no"


def _table(table: Table) -> str:
    cells = [list(table.columns), *([_text(cell) for cell in row] for row in table.rows)]
    widths = [max(3, *(len(row[k]) for row in cells)) for k in range(len(table.columns))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in cells]
    rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
    notes = ["", *table.notes] if table.notes else []
    return "\n".join([f"**{table.title}**", "", lines[0], rule, *lines[1:], *notes])


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return str(cell)
