"""Wrong input is one line on stderr and status 2, a failure one line and status 1; never a traceback."""

import pytest

from grapevine.recipes import train as recipe
from tests.cli.run import refused, run
from tests.recipes.people import write_people


@pytest.fixture
def town(tmp_path, monkeypatch):
    """The tables, and beside them files that are wrong in all manners, in the folder where the command runs."""
    write_people(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("grapevine.data.datasets.planetoid.ADDRESS", "http://127.0.0.1:9")
    files = {
        "empty.csv": "",
        "header.csv": "from,to\n",
        "strangers.csv": "from,to\nx,y\ny,z\n",
        "picture.csv": "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        "one.csv": "from\na\n",
        "people.txt.gz": "?",
        "broken.graphml": "<graphml><graph>",
        "broken.npz": "no npz",
        "config.toml": 'name = "x"\n',
        "wrong.toml": "name = \n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder").mkdir()
    (tmp_path / "locked").write_text("")
    return tmp_path


TABLES = ["--nodes", "people.csv", "--edges", "friends.csv"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        # no such thing
        (["core"], "did you mean cora"),
        (["cora", "--model", "gnc"], "no model 'gnc'"),
        (["karate", "--model", "gcn,gnc"], "no model 'gnc'"),
        (["absent.graphml"], "there is no file absent.graphml"),
        (["folder"], "holds no graphs in a format that is known"),
        (["--edges", "absent.csv"], "there is no file"),
        (["cora", "--root", "absent"], "put there: ind.cora.x"),
        (["--config", "absent.toml"], "there is no file absent.toml"),
        (["--config", "config.toml"], "no configuration of a training"),
        (["--config", "wrong.toml"], "wrong.toml is no TOML"),
        (["--resume", "runs/absent"], "there is no unfinished run"),
        # files that can not be read
        (["--edges", "empty.csv"], "is empty"),
        (["--edges", "header.csv"], "no rows that can be read"),
        (["--edges", "picture.csv", "--level", "link"], "picture.csv"),
        (["--edges", "one.csv", "--level", "link"], "must have a column for each end"),
        (["--edges", "people.txt.gz"], "must end in one of"),
        (["broken.graphml"], "broken.graphml"),
        (["broken.npz"], "broken.npz"),
        (["people.csv"], "or --edges people.csv for the edges of a graph"),
        # tables that do not fit
        (["--nodes", "people.csv", "--edges", "strangers.csv"], "no edge between two known nodes"),
        ([*TABLES, "--target", "shoes"], "no table has the target shoes"),
        ([*TABLES, "--id", "shoes"], "no column 'shoes'"),
        ([*TABLES, "--src", "from"], "name both ends of the edges or neither"),
        ([*TABLES, "--drop", "shoes"], "drop names a column 'shoes'"),
        ([*TABLES, "--level", "graph"], "tables hold one graph"),
        ([*TABLES, "--target", "town,label"], "holds no numbers"),
        # options that do not go together
        (["karate", "--edges", "friends.csv"], "DATA and --edges both say"),
        (["--nodes", "people.csv"], "say where the data are"),
        (["karate", "--target", "label"], "--target: for tables"),
        (["karate", "--format", "tu"], "--format is for files"),
        (["karate", "--batch-size", "3"], "--batch-size is for graphs"),
        (["karate", "--negatives", "hard"], "--negatives is for links"),
        (["karate", "--split", "public", "--train-share", "0.5"], "does not go by --train-share"),
        (["karate", "--split", "stratified", "--train-share", "0.9", "--val-share", "0.2"], "more than 1"),
        (["karate", "--fold", "3"], "fold"),
        (["karate", "--split", "time"], "time"),
        (["karate", "--seeds", "2", "--ensemble", "2"], "not both"),
        (["karate", "--metric", "beauty"], "metric"),
        (["digits", "--kind", "labels"], "y must hold 0 and 1"),
        (["karate", "--learning-rate", "0"], "learning_rate"),
        (["karate", "--model", "gine"], "does not fit this graph"),
        (["karate", "--level", "link", "--balanced"], "--balanced can not be asked of them"),
        (["karate", "--level", "link", "--metric", "accuracy"], "link.metric"),
        ([*TABLES, "--target", "height", "--balanced"], "only classes are balanced"),
        (["digits", "--root", "."], "comes with the program"),
        (["karate", "--out", "locked/runs"], "can not be made"),
        (["karate", "--name", "a/b"], "a run's name must be"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_it_is_one_line_and_status_2(town, arguments, said):
    assert said in refused("train", *arguments, *(["--no-report"] if arguments[0][:3] not in ("--c", "--r") else []))


@pytest.mark.parametrize(
    "arguments",
    [["train", "--seeds", "0"], ["train", "--epochs", "x"], ["trian"], ["train", "--x"], ["predict"], ["compare"]],
)
def test_a_wrong_option_is_status_2(arguments):
    done = run(*arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_a_failure_is_one_line_and_status_1(tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("no\nmemory")

    monkeypatch.setattr(recipe, "fit", fail)
    done = run("train", "karate", "--out", tmp_path)
    assert done.exit_code == 1
    assert done.stderr == "grapevine: failed, RuntimeError: no memory\n"
    assert list(tmp_path.iterdir()) == []
