"""From what was given on the command line to the configurations that the recipes take."""

from pathlib import Path
from typing import Any

from grapevine.cli.checked import valid, words
from grapevine.cli.given import Columns, Given, Place, Question, Way
from grapevine.cli.molecules import are_molecules, molecule_source, refuse_molecules
from grapevine.data.molecules.parts import saved_spec
from grapevine.data.split import SplitRule
from grapevine.data.tables import TableSpec
from grapevine.encoding import parse
from grapevine.errors import InputError, check
from grapevine.recipes.config import LinkRule, TaskConfig, TrainConfig
from grapevine.recipes.info import is_run
from grapevine.recipes.models import ModelConfig, check_asked
from grapevine.recipes.plan import plan
from grapevine.recipes.prepare import Preparation, written_rewire
from grapevine.recipes.problem import pose
from grapevine.recipes.source import Loaded, Source, source_of
from grapevine.task import default_split
from grapevine.task.negatives import Negatives
from grapevine.task.task import Level
from grapevine.train.settings import Settings

# What each kind of split reads of the options.
_READS = {
    "public": {"fold"},
    "random": {"split_seed", "train_share", "val_share"},
    "stratified": {"split_seed", "train_share", "val_share"},
    "per_class": {"split_seed"},
    "k_fold": {"split_seed", "fold", "by", "val_share"},
    "time": {"train_share", "val_share"},
    "component": {"split_seed", "train_share", "val_share"},
    "scaffold": {"split_seed", "train_share", "val_share"},
    "scaffold_sorted": {"train_share", "val_share"},
    "cluster": {"split_seed", "train_share", "val_share"},
}
_FILES = (".graphml", ".gexf", ".npz", ".txt")
_OF_RULE = {"split_seed": "seed", "fold": "fold", "by": "by", "train_share": "train", "val_share": "val"}


def make_source(told: Given) -> Source:
    """Where the data are and what their columns are.

    Raises:
        InputError: if nothing is said, or things that do not go together.
    """
    place, columns, question = told.place, told.columns, told.question
    given = {"DATA": place.data, "--edges": place.edges, "--sql": place.sql}
    said = [name for name, value in given.items() if value is not None]
    if len(said) > 1:
        raise InputError(f"{' and '.join(said)} both say where the data are: give one of them")
    if not said:
        other = next((f"; {name} alone is not enough" for name, value in _lone(place) if value is not None), "")
        raise InputError(f"say where the data are: a name, a file or folder, --edges FILE or --sql URL{other}")
    check(place.nodes is None or place.edges is not None, "--nodes goes with --edges, and names no data alone")
    for name, value in (("--nodes-query", place.nodes_query), ("--edges-query", place.edges_query)):
        check(value is None or place.sql is not None, f"{name} is asked of a database: give --sql")
    is_xyz = place.format == "xyz"  # its texts begin like those of SMILES
    if place.data is not None and not is_xyz and are_molecules(place.data, told.molecules):
        return molecule_source(place.data, told)
    refuse_molecules(told.molecules, place.data)
    spec = _table_spec(columns, question)
    if place.data is None:
        check(question.level != "graph", "tables hold one graph: they have no --level graph")
        check(
            place.root is None, "--root is where the files of a data set are: the tables are named by their own paths"
        )
        check(place.format is None, "--format is for files and folders of graphs, not for tables")
        return Source(
            nodes=_whole(place.nodes), edges=_whole(place.edges), sql=place.sql, nodes_query=place.nodes_query,
            edges_query=place.edges_query, table=spec,
        )  # fmt: skip
    is_file = Path(place.data).suffix in _FILES
    check(not is_file or Path(place.data).exists(), f"there is no file {place.data}")
    is_xyz_file = is_xyz and is_file and place.root is None
    source = Source(path=place.data) if is_xyz_file else source_of(place.data, _whole(place.root))
    if source.path is None:
        check(place.format is None, f"--format is for files and folders of graphs, {place.data} is a data set's name")
    else:
        check(place.root is None, f"--root is where the files of a data set are: {place.data} is a path already")
    _check_columns(source, columns)
    path = _whole(source.path)
    return source.model_copy(update={"path": path, "format": place.format, "table": _for_files(source, spec)})


def maybe_source(place: Place, run: Path) -> Source | None:
    """None if nothing was said: the run's own data. A table is one of molecules where the run's was."""
    if place.is_empty:
        return None
    if place.data is not None and Path(place.data).is_file() and saved_spec(run) is not None:
        return molecule_source(place.data, Given(place))
    return make_source(Given(place))


def run_or_source(told: Given) -> Path | Source:
    """A run folder, or where the data are."""
    place = told.place
    if place.data is not None and is_run(place.data):
        alone = told == Given(Place(data=place.data))
        check(alone, f"{place.data} is a run, which has its own data and question: no other option goes with it")
        return Path(place.data)
    return make_source(told)


def make_task(question: Question, loaded: Loaded) -> TaskConfig:
    """What is asked, with the split that was told.

    Raises:
        InputError: if options do not go together, or not with the data.
    """
    level: Level = question.level or loaded.dataset.level  # pyright: ignore[reportAssignmentType] one of the four
    for name, value, needed in (
        ("--negatives", question.negatives, "link"),
        ("--batch-size", question.batch_size, "graph"),
        ("--batches", question.num_batches, "graph"),
    ):
        check(value is None or level == needed, f"{name} is for {needed}s, and predicted is of each {level}")
    fields: dict[str, Any] = {
        "level": question.level, "kind": question.kind, "metric": question.metric, "balanced": question.balanced,
        "batch_size": question.batch_size, "num_batches": question.num_batches,
    }  # fmt: skip
    if level == "link":
        refused = {"--kind": question.kind, "--balanced": question.balanced or None, "--fold": question.fold}
        said = [name for name, value in refused.items() if value is not None]
        check(not said, f"links are there or not: {', '.join(said)} can not be asked of them")
        return valid(TaskConfig, fields | {"links": _link_rule(question)})
    task = valid(TaskConfig, fields)
    return task.model_copy(update={"split": _split_rule(question, loaded, task, level)})


def make_config(
    name: str, way: Way, loaded: Loaded, source: Source, task: TaskConfig, *, run_name: str | None = None
) -> TrainConfig:
    """The training of a model on the data, with the published settings where nothing else is told."""
    check(way.seeds in (None, 1) or way.ensemble is None, "say --seeds or --ensemble, not both")
    config = plan(source, name, level=loaded.dataset.level, task=task, name=run_name)
    model = {"hidden_channels": way.hidden, "num_layers": way.layers, "dropout": way.dropout, **vars(way.depth)}
    check_asked(config.model.name, {field: value for field, value in vars(way.depth).items() if value is not None})
    training = {
        "max_epochs": way.epochs, "learning_rate": way.learning_rate, "weight_decay": way.weight_decay,
        "patience": way.patience, "seed": way.seed, "accelerator": way.device, "precision": way.precision,
    }  # fmt: skip
    told = {
        "model": _changed(config.model, model), "training": _changed(config.training, training),
        "seeds": way.seeds or 1, "members": way.ensemble or 1, "prepare": make_preparation(way),
    }  # fmt: skip
    return config.model_copy(update=told)


def make_preparation(way: Way) -> Preparation:
    """How the graph is rewired and encoded.

    Raises:
        InputError: if a spec names what is not there.
    """
    if way.encode is not None:  # their own messages need no words around them
        parse(way.encode)
    if way.rewire is not None:
        written_rewire(way.rewire)
    return valid(Preparation, {"rewire": way.rewire, "encode": way.encode})


def _changed(config: ModelConfig | Settings, changes: dict[str, Any]) -> Any:
    """The same with those values that were told."""
    told = {name: value for name, value in changes.items() if value is not None}
    return valid(type(config), config.model_dump() | told)


def _table_spec(columns: Columns, question: Question) -> TableSpec:
    level = question.level
    fields: dict[str, Any] = {
        "id": columns.id, "src": columns.src, "dst": columns.dst, "target": words(columns.target),
        "target_kind": question.kind, "level": None if level == "graph" else level, "directed": columns.directed,
        "weight": columns.weight, "time": columns.time, "drop": words(columns.drop),
        "use": None if columns.use is None else words(columns.use),
    }  # fmt: skip
    return valid(TableSpec, fields)


def _check_columns(source: Source, columns: Columns) -> None:
    """Raise an InputError where columns of tables are told of data that are none."""
    allowed = set()
    if source.path is not None:
        allowed = {"target"} if Path(source.path).suffix in (".graphml", ".gexf") else {"directed"}
    told = [name for name, value in vars(columns).items() if value not in (None, False) and name not in allowed]
    listed = ", ".join(f"--{name}" for name in told)
    what = source.dataset or source.path
    check(not told, f"{listed}: for tables (--edges, --sql), and {what} is none")


def _for_files(source: Source, spec: TableSpec) -> TableSpec:
    """What files of graphs read of the spec; a level that tables do not have is not theirs."""
    return TableSpec() if source.path is None else TableSpec(target=spec.target, directed=spec.directed)


def _link_rule(question: Question) -> LinkRule:
    check(question.split in (None, "random", "time"), "links are split at random or by time: --split random or time")
    fields: dict[str, Any] = {"time": "time" if question.split == "time" else None}
    val = LinkRule().val if question.val_share is None else question.val_share
    if question.train_share is not None:
        fields["test"] = round(1 - question.train_share - val, 12)
    if question.split_seed is not None:
        fields["seed"] = question.split_seed
    if question.negatives is not None:
        fields["negatives"] = valid(Negatives, {"kind": question.negatives})
    return valid(LinkRule, fields | {"val": val})


def _split_rule(question: Question, loaded: Loaded, task: TaskConfig, level: Level) -> SplitRule | None:
    """The split that was told; None leaves it to the data."""
    told = {name: getattr(question, name) for name in _OF_RULE if getattr(question, name) is not None}
    kind = question.split
    if kind is None and not told:
        return None
    if kind is None and ("fold" in told or "by" in told):
        kind = "public" if loaded.dataset.splits and "by" not in told else "k_fold"
    objective = pose(
        loaded.dataset, task.model_copy(update={"split": valid(SplitRule, {"kind": "random"})})
    ).task.objective
    base = default_split(level, objective)  # pyright: ignore[reportArgumentType] a task's objective is one of them
    assert base is not None
    kind = kind or base.kind
    wrong = [f"--{name.replace('_', '-')}" for name in told if name not in _READS[kind]]
    check(not wrong, f"a {kind} split does not go by {', '.join(wrong)}")
    fields = {_OF_RULE[name]: value for name, value in told.items()}
    if {"train", "val"} & set(fields):
        train, val = fields.get("train", base.train), fields.get("val", base.val)
        check(train + val <= 1 + 1e-9, f"--train-share {train} and --val-share {val} come to more than 1")
    return valid(SplitRule, base.model_dump() | {"kind": kind} | fields)


def _lone(place: Place) -> list[tuple[str, str | None]]:
    return [
        ("--nodes", place.nodes), ("--nodes-query", place.nodes_query), ("--edges-query", place.edges_query),
        ("--root", place.root), ("--format", place.format),
    ]  # fmt: skip


def _whole(path: str | None) -> str | None:
    """So that a run finds its data again from another folder."""
    return None if path is None else str(Path(path).expanduser().absolute())
