"""The commands that look and change nothing: `info`, `compare`, `audit` and `datasets`."""

from grapevine.cli import options
from grapevine.cli.errors import plain_errors
from grapevine.cli.given import Columns, Given, Molecules, Place, Question


def info(
    what: options.RunOrData = None,
    nodes: options.Nodes = None,
    edges: options.Edges = None,
    sql: options.Sql = None,
    nodes_query: options.NodesQuery = None,
    edges_query: options.EdgesQuery = None,
    root: options.Root = None,
    format: options.Format = None,
    target: options.Target = None,
    smiles: options.Smiles = None,
    inchi: options.Inchi = None,
    level: options.Level = None,
    json: options.Json = False,
) -> None:
    """What there is to know of a run, of a data set, or of your own data: the figures of the graph."""
    place = Place(what, nodes, edges, sql, nodes_query, edges_query, root, format)
    columns, question = Columns(target=target), Question(level=level)
    with plain_errors():
        from grapevine.cli import screen
        from grapevine.cli.build import run_or_source
        from grapevine.errors import check
        from grapevine.recipes.info import info as recipe

        check(level is None or what is None, f"--level is for tables (--edges, --sql), and {what} is none")
        with screen.progress() as on_progress:
            source = run_or_source(Given(place, columns, Molecules(smiles, inchi), question))
            found = recipe(source, on_progress=on_progress)
        screen.show_json(found) if json else screen.show_info(found)


def compare(runs: options.Runs, json: options.Json = False) -> None:
    """Runs side by side, and whether they may be compared."""
    with plain_errors():
        from grapevine.cli import screen
        from grapevine.recipes.compare import compare as recipe

        table = recipe(runs)
        screen.show_json(table.to_dict()) if json else screen.show_runs(table)


def audit(
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
    json: options.Json = False,
) -> None:
    """Look for leaks: what a model could know of the test before it is judged by it.

    A run is looked at with its own data and split; data with the split that a training on them would have.
    """
    place = Place(what, nodes, edges, sql, nodes_query, edges_query, root, format)
    columns = Columns(target, id, src, dst, weight, time, directed)
    question = Question(
        level, kind, split=split, split_seed=split_seed, fold=fold, by=by, train_share=train_share, val_share=val_share
    )
    with plain_errors():
        from grapevine.cli import job, screen

        with screen.progress() as on_progress:
            report = job.audited(Given(place, columns, Molecules(smiles, inchi), question), on_progress)
        screen.show_json(report.to_dict()) if json else screen.show_text(str(report))


def datasets(name: options.DatasetName = None, json: options.Json = False) -> None:
    """The data sets that can be trained on by their names; of one of them, all that is known of it."""
    with plain_errors():
        from dataclasses import asdict

        from grapevine.cli import screen
        from grapevine.data.datasets import DATASETS, dataset_info

        if name is not None:
            found = asdict(dataset_info(name))
            screen.show_json(found) if json else screen.show_fields(found)
        else:
            infos = list(DATASETS.values())
            screen.show_json([asdict(one) for one in infos]) if json else screen.show_datasets(infos)
