"""The command `grapevine train`."""

from pathlib import Path

import typer

from grapevine.cli import atoms_options, options
from grapevine.cli.atoms import AtomsGiven, are_atoms, is_saved_as_potential, refuse_others
from grapevine.cli.errors import plain_errors
from grapevine.cli.given import Columns, Depth, Given, Kept, Molecules, Place, Question, Way

EPILOG = """Examples:

grapevine train cora --model gat --seeds 10

grapevine train tu:MUTAG --model gin --split k_fold --fold 0

grapevine train solubility.csv --smiles smiles --target logS --model dmpnn --split scaffold

grapevine train frames.xyz --model mace --sizes 950/50/1000

grapevine train --nodes people.csv --edges friends.csv --target club --model auto

grapevine train --edges friends.csv --level link

grapevine train tu:MUTAG --model gin --encode rwpe:16,lappe:8

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
    norm: options.Norm = None,
    residual: options.Residual = None,
    jumping: options.Jumping = None,
    drop_edge: options.DropEdge = None,
    drop_node: options.DropNode = None,
    drop_message: options.DropMessage = None,
    ensemble: options.Ensemble = None,
    tune: options.Tune = None,
    encode: options.Encode = None,
    rewire: options.Rewire = None,
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
    energy_key: atoms_options.EnergyKey = None,
    forces_key: atoms_options.ForcesKey = None,
    stress_key: atoms_options.StressKey = None,
    energy_unit: atoms_options.EnergyUnit = None,
    cutoff: atoms_options.Cutoff = None,
    degree: atoms_options.Degree = None,
    dtype: atoms_options.Dtype = None,
    sizes: atoms_options.Sizes = None,
    test: atoms_options.Test = None,
    isolated: atoms_options.Isolated = None,
    finetune: atoms_options.Finetune = None,
    max_minutes: atoms_options.MaxMinutes = None,
    energy_weight: atoms_options.EnergyWeight = None,
    forces_weight: atoms_options.ForcesWeight = None,
    stress_weight: atoms_options.StressWeight = None,
    last_energy_weight: atoms_options.LastEnergyWeight = None,
    name: options.Name = None,
    out: options.OutFolder = Path("runs"),
    resume: options.Resume = None,
    config: options.Config = None,
    no_report: options.NoReport = False,
    json: options.Json = False,
) -> None:
    """Train a model on a data set, on tables, graphs or structures, and keep it as a run folder with a report.

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
        device, precision, Depth(norm, residual, jumping, drop_edge, drop_node, drop_message), encode, rewire,
    )  # fmt: skip
    in_space = AtomsGiven(
        energy_key, forces_key, stress_key, energy_unit, cutoff, degree, dtype, sizes, test, isolated, finetune,
        max_minutes, energy_weight, forces_weight, stress_weight, last_energy_weight,
    )  # fmt: skip
    kept, stopped = Kept(name, out, not no_report), _Stopped(out, resume)
    with plain_errors(stopped.how_to_go_on):
        stopped.begin()
        if is_saved_as_potential(resume or config) or are_atoms(data, model, in_space, _given(ctx)):
            _of_atoms(ctx, place, question, way, kept, in_space)
        else:
            _of_graphs(ctx, Given(place, columns, molecules, question), way, kept)


def _of_graphs(ctx: typer.Context, given: Given, way: Way, kept: Kept) -> None:
    from grapevine.cli import job, screen

    resume, config, seed = (ctx.params[name] for name in ("resume", "config", "seed"))
    with screen.progress() as on_progress:
        if resume is not None:
            _refuse(ctx, "--resume", _WITH_RESUME)
            outcome = job.take_up(resume, on_progress)
        elif config is not None:
            _refuse(ctx, "--config", _WITH_CONFIG)
            outcome = job.train_again(config, seed, kept, on_progress)
        else:
            outcome = job.train_new(given, way, kept, on_progress)
    screen.show_json(outcome.to_dict()) if ctx.params["json"] else screen.show_training(outcome)


def _of_atoms(
    ctx: typer.Context, place: Place, question: Question, way: Way, kept: Kept, in_space: AtomsGiven
) -> None:  # fmt: skip
    from grapevine.cli import atoms_job, screen

    resume, config, seed = (ctx.params[name] for name in ("resume", "config", "seed"))
    with screen.progress() as on_progress:
        if resume is not None:
            _refuse(ctx, "--resume", _WITH_RESUME)
            found = atoms_job.take_up(resume, on_progress)
        elif config is not None:
            _refuse(ctx, "--config", _WITH_CONFIG)
            found = atoms_job.train_again(config, seed, kept, on_progress)
        else:
            refuse_others(_given(ctx))
            found = atoms_job.train_new(place, question, way, kept, in_space, on_progress)
    atoms_job.show(found, as_json=ctx.params["json"])


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


def _given(ctx: typer.Context) -> set[str]:
    """The names of what stands on the command line."""
    sources = {name: ctx.get_parameter_source(name) for name in ctx.params}
    return {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}


def _refuse(ctx: typer.Context, option: str, allowed: set[str]) -> None:
    """Raise an InputError if another option was given than goes with this one."""
    from grapevine.errors import InputError

    given = [name for name in ctx.params if name in _given(ctx)]
    others = [f"--{name.replace('_', '-')}" if name != "data" else "DATA" for name in given if name not in allowed]
    goes = ", ".join(f"--{name.replace('_', '-')}" for name in sorted(allowed) if f"--{name}" != option)
    if others:
        raise InputError(f"{option} says all there is to train: {', '.join(others)} can not go with it, only {goes}")
