"""The command `grapevine train`."""

from pathlib import Path

import typer

from grapevine.cli import options
from grapevine.cli.errors import plain_errors
from grapevine.cli.given import Columns, Given, Kept, Molecules, Place, Question, Way

EPILOG = """Examples:

grapevine train cora --model gat --seeds 10

grapevine train tu:MUTAG --model gin --split k_fold --fold 0

grapevine train solubility.csv --smiles smiles --target logS --model dmpnn --split scaffold

grapevine train --nodes people.csv --edges friends.csv --target club --model auto

grapevine train --edges friends.csv --level link

grapevine train --sql sqlite:///x.db --nodes-query 'select * from person' --edges-query 'select a, b from friend'

Ctrl-C leaves a run that --resume takes up again."""

_WITH_CONFIG = {"config", "name", "out", "seed", "no_report", "json"}
_WITH_RESUME = {"resume", "json"}


def train(
    ctx: typer.Context,
    data: options.Data = None,
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
    atoms: options.Atoms = None,
    standardise: options.Standardise = False,
    hydrogens: options.Hydrogens = False,
    level: options.Level = None,
    kind: options.Kind = None,
    metric: options.Metric = None,
    balanced: options.Balanced = False,
    negatives: options.NegativesKind = None,
    split: options.Split = None,
    split_seed: options.SplitSeed = None,
    fold: options.Fold = None,
    by: options.SplitBy = None,
    train_share: options.TrainShare = None,
    val_share: options.ValShare = None,
    model: options.Model = None,
    hidden: options.Hidden = None,
    layers: options.Layers = None,
    dropout: options.Dropout = None,
    ensemble: options.Ensemble = None,
    tune: options.Tune = None,
    epochs: options.Epochs = None,
    learning_rate: options.LearningRate = None,
    weight_decay: options.WeightDecay = None,
    patience: options.Patience = None,
    batch_size: options.BatchSize = None,
    batches: options.Batches = None,
    seeds: options.Seeds = None,
    seed: options.Seed = None,
    device: options.Device = None,
    precision: options.Precision = None,
    name: options.Name = None,
    out: options.OutFolder = Path("runs"),
    resume: options.Resume = None,
    config: options.Config = None,
    no_report: options.NoReport = False,
    json: options.Json = False,
) -> None:
    """Train a model on a data set, on tables or on files of graphs, and keep it as a run folder with a report.

    Level, kind of answer, metric and split are inferred from the data, and said. Without any data: a tour on digits.
    """
    place = Place(data, nodes, edges, sql, nodes_query, edges_query, root, format)
    columns = Columns(target, id, src, dst, weight, time, directed, use, drop)
    question = Question(
        level,
        kind,
        metric,
        balanced,
        negatives,
        batch_size,
        batches,
        split,
        split_seed,
        fold,
        by,
        train_share,
        val_share,
    )
    molecules = Molecules(smiles, inchi, atoms, standardise, hydrogens)
    way = Way(
        model, hidden, layers, dropout, ensemble, tune, epochs, learning_rate, weight_decay, patience, seeds, seed,
        device, precision,
    )  # fmt: skip
    kept, stopped = Kept(name, out, not no_report), _Stopped(out, resume)
    with plain_errors(stopped.how_to_go_on):
        from grapevine.cli import job, screen

        stopped.begin()
        with screen.progress() as on_progress:
            if resume is not None:
                _refuse(ctx, "--resume", _WITH_RESUME)
                outcome = job.take_up(resume, on_progress)
            elif config is not None:
                _refuse(ctx, "--config", _WITH_CONFIG)
                outcome = job.train_again(config, seed, kept, on_progress)
            else:
                outcome = job.train_new(Given(place, columns, molecules, question), way, kept, on_progress)
        screen.show_json(outcome.to_dict()) if json else screen.show_training(outcome)


class _Stopped:
    """Finds, after Ctrl-C, the run that can be taken up again."""

    def __init__(self, out: Path, resume: Path | None):
        self.out, self.resume, self.before = out, resume, set()

    def begin(self) -> None:
        self.before = self._unfinished()

    def how_to_go_on(self) -> str:
        new = sorted(self._unfinished() - self.before) if self.resume is None else [self.resume]
        return f"; go on with: grapevine train --resume {new[0]}" if new else "; nothing was begun that could go on"

    def _unfinished(self) -> set[Path]:
        from grapevine.train.run import unfinished_runs

        return {run.folder for run in unfinished_runs(self.out)}


def _refuse(ctx: typer.Context, option: str, allowed: set[str]) -> None:
    """Raise an InputError if another option was given than goes with this one."""
    from grapevine.errors import InputError

    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    others = [f"--{name.replace('_', '-')}" if name != "data" else "DATA" for name in given if name not in allowed]
    goes = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(allowed) if f"--{name}" != option)
    if others:
        raise InputError(f"{option} says all there is to train: {', '.join(others)} can not go with it, only {goes}")
