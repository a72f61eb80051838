"""What is said of data and of runs: bounds that are known, who is expected to do better, and errors in words."""

import json

import numpy as np
import pytest
import torch

from grapevine.data.dataset import Dataset
from grapevine.errors import InputError
from grapevine.graph import Graph
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.diagnose import diagnose
from grapevine.recipes.plan import plan
from grapevine.recipes.source import Loaded, Source
from grapevine.recipes.train import train
from tests.diagnose.pairs import ring_and_triangles
from tests.recipes.diagnose.cases import SETS, needs_data, of_graphs, rings_and_triangles, rings_with_chords

ANY = Source(dataset="made")


def best(found, test: str, told: str, part: str = "all") -> float:
    return next(one.best[part] for one in found.power.limits if (one.test, one.told) == (test, told))


def test_two_graphs_that_1_wl_does_not_split_are_a_coin():
    found = diagnose(ANY, loaded=rings_and_triangles())
    assert found.power.bound.best == {"all": 0.5, "train": 0.5, "val": 0.5, "test": 0.5}
    assert (found.power.bound.num_classes, found.power.bound.num_alike) == (1, 24)
    assert best(found, "1-WL", "edges alone, rwpe:16") == 1
    assert best(found, "distance-WL", "edges alone") == 1
    assert "can be right on more than 50.0 %" in found.verdict[0].text
    assert found.verdict[0].severity == "error"


def test_they_are_drawn_side_by_side():
    twins = diagnose(ANY, loaded=rings_and_triangles()).power.twins
    assert twins is not None
    assert twins.answers == ("class 0", "class 1")
    assert twins.are_same is False
    assert "distance-WL" in twins.separated_by
    assert sorted(drawing.pairs.shape[1] for drawing in twins.drawings) == [6, 6]
    assert [set(drawing.group) for drawing in twins.drawings] == [{0}, {0}]


def test_one_graph_twice_with_two_answers_is_said_to_be_so():
    ring = ring_and_triangles()[0]
    found = diagnose(ANY, loaded=of_graphs([ring] * 12, torch.arange(12) % 2))
    assert found.power.twins is not None
    assert found.power.twins.are_same is True
    assert found.power.twins.separated_by == ()
    assert "look at the answers" in " ".join(one.text for one in found.verdict)


def test_of_numbers_the_least_error_is_bounded():
    found = diagnose(ANY, loaded=rings_and_triangles(is_of_numbers=True), task=TaskConfig(kind="numbers"))
    assert found.power.measure == "MAE"
    assert found.power.bound.best["all"] == 0.5  # a half is as near to 0 as to 1
    assert best(found, "distance-WL", "edges alone") == 0


def test_rings_with_chords():
    found = diagnose(ANY, loaded=rings_with_chords())
    assert found.power.bound.best["all"] == 0.1
    assert best(found, "1-WL", "edges alone, rwpe:16") == 1
    assert best(found, "distance-WL", "edges alone") == 0.9  # 9 classes of 10 graphs
    assert best(found, "resistance-WL", "edges alone") == 1


@needs_data
def test_cora_is_said_to_be_for_a_gcn_and_texas_for_an_mlp():
    cora, texas = diagnose(SETS["cora"]), diagnose(SETS["texas"])
    assert cora.likeness.leaning == "gcn"
    assert texas.likeness.leaning == "mlp"
    assert "An MLP, which hears no neighbour, is expected to beat a GCN" in texas.verdict[0].text
    assert "homophily" in texas.verdict[0].text
    assert texas.remedies[0].command.endswith("--model mlp")
    assert cora.power.bound.best["all"] == 1
    assert cora.likeness.figures.edge == pytest.approx(0.81, abs=0.005)  # as published
    assert all(one.is_measured is False for one in texas.verdict if one.about == "neighbours")


@needs_data
def test_where_classes_say_nothing_a_rehearsal_decides():
    """On Minesweeper neighbours' features say what their classes do not (Platonov et al. 2023)."""
    found = diagnose(SETS["minesweeper"])
    assert abs(found.likeness.figures.adjusted) < 0.05
    assert found.likeness.leaning == "gcn"
    assert found.likeness.rehearsal.heard > found.likeness.rehearsal.alone + 0.1


@needs_data
@pytest.mark.parametrize("name", ["mutag", "enzymes"])
def test_collections(name):
    found = diagnose(SETS[name])
    assert found.level == "graph"
    assert found.power.bound.best["all"] == 1
    assert found.reach.gaps is not None
    assert any("answers of nodes" in one for one in found.skipped)
    assert found.remedies


def test_a_run_is_measured_by_its_own_network(tmp_path):
    run = train(plan("karate", "gcn", max_epochs=30), out=tmp_path, has_report=False)
    found = diagnose(run.folder)
    assert found.is_of_run
    assert found.scores["test"] == run.scores["test"]["accuracy"]
    assert found.depth.is_trained
    assert [layer.num_channels for layer in found.depth.layers] == [34, 64, 2]
    assert found.reach.is_trained
    assert found.reach.heard.distance.max() >= 2
    heard = dict(zip(found.reach.heard.distance, found.reach.heard.mean, strict=True))
    assert heard[1] > 0
    assert heard[3] == 0  # two layers hear two steps
    assert sum(one.count for one in found.likeness.by_homophily) == 34 - len(run.problem.task.items["train"])


def test_a_run_of_many_layers_has_blurred(tmp_path):
    config = plan("karate", "gcn", max_epochs=2)
    config = config.model_copy(update={"model": config.model.model_copy(update={"num_layers": 16})})
    found = diagnose(train(config, out=tmp_path, has_report=False).folder)
    assert any("Over-smoothing" in one.text for one in found.verdict)
    assert any(one.title == "fewer layers" and "--layers" not in one.command for one in found.remedies)


def test_blocks_behind_a_linear_map_have_states_too(tmp_path):
    config = plan("karate", "gcn", max_epochs=1)
    model = config.model.model_copy(update={"has_blocks": True, "num_layers": 3, "norm": "layer"})
    found = diagnose(train(config.model_copy(update={"model": model}), out=tmp_path, has_report=False).folder)
    assert [layer.num_channels for layer in found.depth.layers] == [34, 64, 64, 64, 64, 2]


def test_links_are_bounded_by_pairs_of_colours():
    found = diagnose(Source(dataset="karate"), task=TaskConfig(level="link"))
    assert found.power.what == "pairs of nodes"
    assert 0.5 <= best(found, "1-WL", "edges alone") <= 1
    assert any("answers of nodes" in one for one in found.skipped)


def test_no_answers_no_remedies():
    graph = Graph([[0, 1, 1, 2], [1, 0, 2, 1]])
    found = diagnose(ANY, loaded=Loaded(Dataset("bare", graph)))
    assert found.power.measure == ""
    assert (found.power.bound.num_classes, found.power.bound.num_alike) == (2, 2)
    assert found.remedies == ()
    assert diagnose(ANY, loaded=Loaded(Dataset("bare", graph)), minutes=1).attempts is None


@pytest.mark.parametrize(
    "graph", [Graph(torch.zeros(2, 0).long(), num_nodes=0), Graph(torch.zeros(2, 0).long(), num_nodes=3)]
)
def test_an_empty_graph_and_one_without_edges(graph):
    found = diagnose(ANY, loaded=Loaded(Dataset("empty", graph)))
    assert found.skipped
    assert found.reach is None


def test_edges_that_go_one_way():
    y = torch.arange(8) % 2
    graph = Graph([[0, 1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7]], x=torch.eye(8), y=y)
    found = diagnose(ANY, loaded=Loaded(Dataset("path", graph, class_names=("even", "odd"))))
    assert found.power.bound.best["all"] == 1
    assert any("both directions" in one.note for one in found.power.limits) or found.power.limits


def test_an_unknown_run_and_data(tmp_path):
    with pytest.raises(InputError, match="there is no run folder"):
        diagnose(tmp_path / "absent")
    with pytest.raises(InputError, match="there is no data set"):
        diagnose(Source(dataset="absent"))


def test_plain_values_are_json():
    told = diagnose(Source(dataset="karate")).to_dict()
    assert json.loads(json.dumps(told, allow_nan=False))["power"]["num_items"] == 34
    assert told["depth"]["layers"][0]["num_channels"] == 34
    assert np.isclose(told["likeness"]["figures"]["edge"], 67 / 78)


def test_trying_says_what_helped_in_seconds():
    found = diagnose(Source(dataset="karate"), minutes=0.2)
    tried = found.attempts
    assert tried is not None
    assert tried.baseline.num_seeds >= 1
    assert [row.command for row in tried.rows] == [one.command for one in found.remedies]
    assert (tried.winner is None) == (tried.test is None)
    assert tried.verdict
    for row in tried.rows:
        assert row.score is not None or row.note
