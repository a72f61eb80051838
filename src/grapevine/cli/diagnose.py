"""The command `grapevine diagnose`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grapevine.cli import options
from grapevine.cli.errors import plain_errors
from grapevine.cli.given import Columns, Given, Molecules, Place, Question

if TYPE_CHECKING:
    from grapevine.report.diagnosis.data import Attempts, Diagnosis

EPILOG = """Examples:

grapevine diagnose cora · what a network could do there, before one is trained

grapevine diagnose runs/cora-gcn · of a run: where its states blur, how far it hears, where it is wrong

grapevine diagnose texas --try --budget 10 · runs what is advised, and says what helped

grapevine diagnose --nodes people.csv --edges friends.csv --target club --out why.html"""

Try = Annotated[bool, typer.Option("--try", help="Run what is advised, under the budget, and say what helped.")]
Budget = Annotated[float | None, typer.Option(metavar="MINUTES", help="For --try. Default: 5.", show_default=False)]
OutPage = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE",
        help="Where the page is written. Default: diagnosis.html in the run's folder, or NAME-diagnosis.html here.",
    ),
]  # fmt: skip
_SUFFIXES = (".html", ".htm")


def diagnose(
    what: options.RunOrData = None,
    nodes: options.Nodes = None,
    edges: options.Edges = None,
    sql: options.Sql = None,
    nodes_query: options.NodesQuery = None,
    edges_query: options.EdgesQuery = None,
    root: options.Root = None,
    format: options.Format = None,
    target: options.Target = None,
    id: options.Id = None,
    src: options.Src = None,
    dst: options.Dst = None,
    weight: options.Weight = None,
    time: options.Time = None,
    directed: options.Directed = False,
    use: options.Use = None,
    drop: options.Drop = None,
    smiles: options.Smiles = None,
    inchi: options.Inchi = None,
    level: options.Level = None,
    kind: options.Kind = None,
    split: options.Split = None,
    split_seed: options.SplitSeed = None,
    fold: options.Fold = None,
    by: options.SplitBy = None,
    train_share: options.TrainShare = None,
    val_share: options.ValShare = None,
    is_to_try: Try = False,
    budget: Budget = None,
    out: OutPage = None,
    json: options.Json = False,
) -> None:
    """Why a network fails: what it can not tell apart, where it blurs, what never arrives, and what to try.

    Of a run its own network is measured, of data what any network could do, and one that has not learnt.
    """
    place = Place(what, nodes, edges, sql, nodes_query, edges_query, root, format)
    columns = Columns(target, id, src, dst, weight, time, directed, use, drop)
    question = Question(
        level, kind, split=split, split_seed=split_seed, fold=fold, by=by, train_share=train_share, val_share=val_share
    )
    with plain_errors():
        from grapevine.errors import check

        check(budget is None or is_to_try, "--budget is the time for --try: give both")
        check(budget is None or budget > 0, f"--budget must be a positive number of minutes, got {budget}")
        check(out is None or out.suffix in _SUFFIXES, f"--out names the page, a file that ends in .html; got {out}")
        is_there = out is None or out.absolute().parent.is_dir()
        check(is_there, f"there is no folder {None if out is None else out.parent} to write the page to")
        from grapevine.cli import job, screen
        from grapevine.recipes.diagnose import BUDGET
        from grapevine.report.diagnosis.page import write_diagnosis

        minutes = (budget or BUDGET) if is_to_try else None
        with screen.progress() as on_progress:
            told = Given(place, columns, Molecules(smiles, inchi), question)
            found, folder = job.diagnosed(told, minutes, on_progress)
        path = out or (Path(f"{found.name}-diagnosis.html") if folder is None else folder / "diagnosis.html")
        write_diagnosis(found, path)
        screen.show_json({**found.to_dict(), "page": str(path)}) if json else _show(found, path)


def _show(found: "Diagnosis", path: Path) -> None:
    from grapevine.cli import screen

    screen.say(f"{found.name}: {found.question}")
    for remark in found.verdict:
        words = remark.text if remark.is_measured else f"{remark.text} (An indication.)"
        screen.say(f"{_MARKS[remark.severity]} {remark.about}: {words}")
    if found.power is not None and found.power.measure:
        _show_bounds(found)
    if found.remedies:
        screen.say("What to try, the likeliest to help first:")
        for k, remedy in enumerate(found.remedies):
            screen.say(f"{k + 1:2}. {remedy.title}: {remedy.why}")
            screen.say(f"    {remedy.command}")
    if found.attempts is not None:
        _show_attempts(found.attempts)
    for one in found.skipped:
        screen.say(f"  {one}")
    screen.say(f"page: {path}")


_MARKS = {"error": "✕", "warning": "!", "info": "i", "good": "✓"}


def _show_bounds(found: "Diagnosis") -> None:
    from rich import box
    from rich.table import Table

    from grapevine.cli import screen

    power = found.power
    assert power is not None
    parts = [part for part in ("all", "train", "val", "test") if part in power.bound.best]
    table = Table("the best that can be reached", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for part in ("alike", *parts):
        table.add_column(f"{power.measure}, {part}" if part == "all" else part, justify="right")
    for name, limit in power.together:
        if limit.best:
            cells = [f"{limit.best[p]:.1%}" if power.is_higher_better else f"{limit.best[p]:.4g}" for p in parts]
            table.add_row(name, "" if limit.num_alike is None else f"{limit.num_alike:,}", *cells)
    screen.console().print(table, highlight=False)


def _show_attempts(tried: "Attempts") -> None:
    from rich import box
    from rich.table import Table

    from grapevine.cli import screen

    table = Table("tried", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in (f"{tried.metric}, validation", "gain", "seeds", "seconds"):
        table.add_column(name, justify="right")
    for row in (tried.baseline, *tried.rows):
        score = row.score
        said = row.note if score is None else f"{score.mean:.4g}" + ("" if score.std is None else f" ± {score.std:.2g}")
        gain = "" if row.gain is None else f"{row.gain:+.3g}{' *' if row.helps else ''}"
        table.add_row(row.title, said, gain, str(row.num_seeds or ""), f"{row.seconds:.1f}")
    screen.console().print(table, highlight=False)
    screen.say(tried.verdict)
