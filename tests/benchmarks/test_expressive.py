"""The benchmark of expressive power: equal numbers are equal, runs add up, and nothing passes its bound unseen."""

import json

import pytest
import torch
from benchmarks import expressive
from benchmarks.expressive import CASES, accuracy, joined, reached, run, same_numbers
from benchmarks.report import Claim, Result, Table, keep

from grapevine.data.datasets import load_dataset
from grapevine.diagnose import bound
from grapevine.recipes.problem import with_features
from grapevine.recipes.source import Source, load

CSL = CASES["csl"]


def test_bounds_are_those_of_the_exact_tests():
    graph = with_features(load_dataset("csl").graph)
    for spec, expected in (("", 0.1), ("degree", 0.1), ("rwpe:16", 1.0), ("distance:1", 0.1)):
        told = same_numbers(graph, spec)
        assert bound(told, graph.y, level="graph", node=["x"]).accuracy == pytest.approx(expected), spec
    walks = same_numbers(graph, "rwpe:16").x[:41]  # of one graph, whose nodes are all alike
    assert torch.equal(walks, walks[:1].expand(41, 17))


def test_a_network_above_its_bound_is_an_error(monkeypatch):
    source = Source(dataset="csl")
    loaded = load(source)
    found = reached(CSL, source, loaded, "degree", quick=True)
    assert found.bound == pytest.approx(10)
    assert found.everywhere == (pytest.approx(10),)
    monkeypatch.setattr(expressive, "accuracy", lambda result, graph: 0.2)
    with pytest.raises(AssertionError, match="above the bound"):
        reached(CSL, source, loaded, "degree", quick=True)
    assert accuracy is not expressive.accuracy


def test_runs_of_some_encodings_add_up(tmp_path):
    path = tmp_path / "expressive.json"

    def result(name: str, value: float) -> Result:
        table = Table("CSL", ["encoding", "test"], [[name, value]])
        return Result([table], [Claim(name, value, 10.0)])

    for name, value in (("lappe:8", 1.0), ("none", 2.0), ("lappe:8", 3.0)):
        keep(path, ["csl"], "csl", joined(result(name, value), path, "csl"), {})
    kept = json.loads(path.read_text())["csl"]
    assert kept["tables"][0]["rows"] == [["none", 2.0], ["lappe:8", 3.0]]
    assert {claim["what"]: claim["measured"] for claim in kept["claims"]} == {"lappe:8": 3.0, "none": 2.0}


@pytest.mark.slow
def test_csl_is_told_apart_by_encodings_alone():
    result = run(CSL, ["", "rwpe:16", "lappe:8"])
    assert len(result.claims) == 3
    assert all(claim.holds for claim in result.claims)
