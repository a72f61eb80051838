"""From two tables to predictions: who of a town's people plays chess, and who tennis, by what their friends are like.

    python examples/friends.py [folder]

Writes a table of people (names, city, age, date; some gaps, some bad rows) and a table of friendships, trains a GCN
and, beside it, an MLP that sees no friendships, and then predicts for people of another town that neither has seen.
"""

import sys
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from grapevine.data.tables import TableSpec
from grapevine.recipes.plan import plan
from grapevine.recipes.predict import predict
from grapevine.recipes.source import Source
from grapevine.recipes.train import train

CLUBS, CITIES, FAR_AWAY = ("chess", "tennis"), ("Aston", "Brill", "Crewe"), "Derby"
BAD_PEOPLE = ("p001,Brill,33,2021-05-05,chess", "p998,Aston,thirty,2020-02-02,tennis", "p999,Crewe,41")
BAD_FRIENDS = ("p001,nobody", "p002")


def write_town(people: Path, friends: Path, *, first: int, count: int, seed: int, is_known: bool) -> dict[str, str]:
    """Two tables of a town, and the club of each of its people.

    Players of one club are friends more often than not, and differ a little in age, in city and in when they came: one
    of them alone is hard to tell, with all their friends they are not.
    """
    rng = np.random.default_rng(seed)
    names = [f"p{first + k:03d}" for k in range(count)]
    club = rng.integers(0, 2, count)
    age = np.round(rng.normal(38 + 4 * club, 9)).astype(int)
    city = np.where(rng.random(count) < 0.45, club, rng.integers(0, 3, count))
    joined = [date(2015, 1, 1) + timedelta(days=int(days)) for days in rng.normal(1200 + 150 * club, 500).clip(0)]
    rows = ["name,city,age,joined" + ",club" * is_known]
    for k, name in enumerate(names):
        town = "" if rng.random() < 0.05 else CITIES[city[k]] if is_known or rng.random() < 0.9 else FAR_AWAY
        years = "" if rng.random() < 0.05 else str(age[k])
        known = [CLUBS[club[k]] if rng.random() < 0.6 else ""] * is_known
        rows.append(",".join([name, town, years, str(joined[k]), *known]))
    pairs = ["a,b"]
    for k, name in enumerate(names):
        for other in rng.choice(count, 5):
            is_likely = club[k] == club[other] or rng.random() < 0.2
            if k != other and is_likely:
                pairs.append(f"{name},{names[other]}")
    people.write_text("\n".join(rows + list(BAD_PEOPLE) * is_known) + "\n")
    friends.write_text("\n".join(pairs + list(BAD_FRIENDS) * is_known) + "\n")
    return {name: CLUBS[c] for name, c in zip(names, club, strict=True)}


def main(folder: Path) -> None:
    """Write, train, predict."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = [folder / name for name in ("people.csv", "friends.csv", "new-people.csv", "new-friends.csv")]
    write_town(tables[0], tables[1], first=0, count=400, seed=0, is_known=True)
    truth = write_town(tables[2], tables[3], first=500, count=120, seed=1, is_known=False)

    # The target has no usual name, so it is named; all else is found.
    data = Source(nodes=str(tables[0]), edges=str(tables[1]), table=TableSpec(target=("club",)))
    with_friends = train(plan(data, "gcn"), out=folder / "runs")
    alone = train(plan(data, "mlp"))
    run, rejected = with_friends.folder, with_friends.loaded.rejected
    assert run is not None  # a folder was asked for,
    assert rejected is not None  # and bad rows were written
    print("What was found:")
    for note in with_friends.notes:
        print(f"  {note}")
    print("Rows that were left out (all are in rejected.csv):")
    for row in rejected.iter_rows(named=True):
        print(f"  {row['file']}, line {row['line']}: {row['reason']}: {row['row']}")
    for result in (with_friends, alone):
        right = result.scores["test"]["accuracy"]
        print(f"{result.config.model.name}: {right:.0%} of the test people")

    said = predict(run, Source(nodes=str(tables[2]), edges=str(tables[3])), out=folder / "said.csv")
    print("What was found among the new people:")
    for note in said.notes:
        print(f"  {note}")
    print(said.frame.select("id", "prediction", "probability").head(3))
    rows = zip(said.frame["id"], said.frame["prediction"], strict=True)
    right = np.mean([truth[name] == club for name, club in rows])
    print(f"{right:.0%} of {said.frame.height} people of the other town; all of them in {said.path}")
    print(f"The run, with its report: {run}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "friends"))
