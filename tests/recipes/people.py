"""Two small tables for the tests of the recipes and the commands: people with names, and who knows whom."""

from pathlib import Path

import numpy as np

from grapevine.data.tables import TableSpec
from grapevine.recipes.config import TaskConfig, TrainConfig
from grapevine.recipes.plan import plan
from grapevine.recipes.source import Source
from grapevine.recipes.train import TrainResult, train

NUM_PEOPLE = 60


def write_people(folder: Path, *, seed: int = 0, count: int = NUM_PEOPLE, has_target: bool = True) -> tuple[Path, Path]:
    """people.csv and friends.csv; the groups know their own, and age tells them apart."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    group = np.arange(count) % 2
    names = [f"person {k}" for k in rng.permutation(1000)[:count]]
    rows = ["who,town,age" + ",label,height" * has_target]
    for k, name in enumerate(names):
        answer = [("red", "blue")[group[k]], f"{1.6 + 0.2 * group[k] + 0.01 * rng.normal():.3f}"] * has_target
        rows.append(",".join([name, ("Aston", "Brill")[rng.integers(2)], str(30 + 9 * group[k]), *answer]))
    pairs = [f"{names[k]},{names[(k + step) % count]},{step}" for k in range(count) for step in (2, 4)]
    people, friends = folder / "people.csv", folder / "friends.csv"
    people.write_text("\n".join(rows) + "\n")
    friends.write_text("\n".join(["from,to,kind", *pairs]) + "\n")
    return people, friends


def source_of(people: Path | None, friends: Path, **table: object) -> Source:
    """The two tables as a source."""
    nodes = None if people is None else str(people)
    return Source(nodes=nodes, edges=str(friends), table=TableSpec.model_validate(table))


def trained_on(
    source: Source, out: Path | None, *, model: str = "gcn", task: TaskConfig | None = None, **changes: object
) -> TrainResult:
    """A training of a few epochs."""
    config: TrainConfig = plan(source, model, level=source.table.level, task=task, max_epochs=5)
    return train(config.model_copy(update=changes), out=out, has_report=False)
