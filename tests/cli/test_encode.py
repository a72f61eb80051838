"""--encode and --rewire: on the command line, in the run, and in what is said of mistakes."""

from typing import get_args

from grapevine.cli import options
from grapevine.encoding import ENCODINGS
from grapevine.recipes.models import Wiring
from grapevine.rewire import REWIRINGS
from tests.cli.run import refused, told, works


def test_the_words_of_the_options_are_those_of_the_program():
    assert tuple(ENCODINGS) == options.ENCODINGS
    assert set(options.REWIRINGS) == {*get_args(Wiring), *REWIRINGS}


def test_a_run_is_encoded_and_used(tmp_path):
    out = ("--epochs", 3, "--out", tmp_path, "--no-report")
    found = told("train", "karate", "--encode", "rwpe:16,lappe:4", *out)
    assert any("20 numbers of where each node is: rwpe:16, lappe:4" in note for note in found["notes"])
    again = told("train", "--config", tmp_path / "karate-gcn", "--out", tmp_path, "--no-report", "--name", "again")
    assert again["scores"] == found["scores"]
    assert told("evaluate", tmp_path / "karate-gcn")["scores"].keys() == {"train", "val", "test"}
    assert len(told("predict", tmp_path / "karate-gcn")["predictions"]) == 34
    assert "encode" in (tmp_path / "karate-gcn" / "config.toml").read_text()


def test_several_models_are_compared_with_it(tmp_path):
    out = ("--epochs", 2, "--out", tmp_path, "--no-report")
    found = told("train", "karate", "--model", "gcn,gine", "--encode", "edge-resistance,degree", *out)
    assert {"gcn", "gine"} <= {row["model"] for row in found["comparison"]}


def test_wrong_specs_are_said_before_anything_is_read():
    assert "there is no encoding 'rwpx'; did you mean rwpe? there are rwpe, lappe" in refused(
        "train", "nowhere.csv", "--encode", "rwpx:3"
    )
    assert "rwpe takes a number of steps, 1 to 1000, as in rwpe:8; got 0" in refused(
        "train", "karate", "--encode", "rwpe:0"
    )


def test_a_run_is_rewired(tmp_path):
    out = ("--epochs", 3, "--out", tmp_path, "--no-report")
    found = told("train", "karate", "--rewire", "virtual-node,fosr:5", *out)
    assert "the network is wired by virtual-node" in found["notes"]
    assert "the edges are rewired by fosr:5: 10 edges added, 0 removed, 166 in all; spectral gap 0.1" in str(found)
    assert len(told("predict", tmp_path / "karate-gcn")["predictions"]) == 34
    assert "there is no rewiring 'fosx'; did you mean fosr" in refused("train", "karate", "--rewire", "fosx:5")


def test_the_help_names_the_encodings():
    words = works("train", "--help").stdout.replace(",", " ").split()
    assert {"--encode", "--rewire", *options.ENCODINGS, *options.REWIRINGS} <= {word.strip(".:") for word in words}
