"""The benchmark of unlike neighbours: what is kept, what the tables say, and Texas itself where the file is there."""

import pytest
import torch
from benchmarks import heterophily
from benchmarks.graphs import DATA
from benchmarks.heterophily import CASES, Job, Score, claims, foreseen, measure

from grapevine.data.dataset import Dataset
from grapevine.data.split import Split
from grapevine.graph import Graph

MODELS = ("mlp", "gcn", "h2gcn", "sage-sep")


@pytest.fixture
def ring(monkeypatch) -> Dataset:
    """Twelve nodes in a ring, their two classes in turn, and two splits."""
    nodes = torch.arange(12)
    ends = torch.stack([nodes, nodes.roll(1)])
    x = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    graph = Graph(torch.cat([ends, ends.flip(0)], 1), x=x, node={"y": nodes % 2})
    part = nodes // 2 % 3
    splits = Split(part == 0, part == 1, part == 2), Split(part == 1, part == 2, part == 0)
    dataset = Dataset("texas", graph, "node", splits, metric="accuracy")
    monkeypatch.setattr(heterophily, "data", lambda name: dataset)
    return dataset


def test_trainings_are_kept_and_set_side_by_side(ring, tmp_path, monkeypatch):
    jobs = [Job("texas", model, split, 2) for model in MODELS for split in range(2)]
    result = measure("texas", jobs, tmp_path, 1)
    before, table = result.tables
    assert [row[0] for row in table.rows] == list(MODELS)
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert [row[-1] for row in table.rows] == [2] * 4
    assert dict(before.rows)["edge"] == "0.000"
    assert len(list(tmp_path.iterdir())) == 8

    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was trained already")

    monkeypatch.setattr(heterophily, "fit", never)
    assert measure("texas", jobs, tmp_path, 1) == result
    with pytest.raises(AssertionError, match="already"):  # with other settings it is another training
        measure("texas", [jobs[0]._replace(epochs=3)], tmp_path, 1)


def test_what_is_foreseen_is_said_where_neighbours_are_unlike(ring, monkeypatch):
    assert "MLP" in foreseen("texas").notes[0]
    alike = ring.graph.replace(node={"y": torch.arange(12) // 6})
    monkeypatch.setattr(heterophily, "data", lambda name: Dataset("texas", alike, "node", ring.splits))
    assert foreseen("texas").notes == ()


def test_claims_are_about_the_better_of_two():
    mean = {"mlp": 80.0, "gcn": 81.0, "h2gcn": 79.0, "sage-sep": 80.0}
    assert [claim.holds for claim in claims("texas", mean)] == [False, True]
    assert not claims("minesweeper", {"gat-sep": 92.9})[0].holds


@pytest.mark.slow
def test_on_texas_an_mlp_beats_gcn_and_h2gcn_the_mlp(tmp_path):
    if not (DATA / "heterophilous" / "texas.npz").is_file():
        pytest.skip("no texas.npz beside the project")
    jobs = [Job("texas", model, split) for model in MODELS for split in range(10)]
    result = measure("texas", jobs, tmp_path, 2)
    assert all(claim.holds for claim in result.claims)
    assert result.claims[0].measured > 15
    assert set(MODELS) <= set(CASES["texas"].models)
    assert isinstance(heterophily.score(jobs[0], tmp_path), Score)
