"""The benchmark of depth: a cell is measured, kept, not made again; tables and picture are of what is there."""

import json

import pytest
import torch
from benchmarks import depth
from benchmarks.depth import DEPTHS, METHODS, Key, at_start, cells, measured, read, result, settings_of
from benchmarks.depth_picture import draw
from benchmarks.graphs import DATA

needs_cora = pytest.mark.skipif(not (DATA / "planetoid").is_dir(), reason="needs Cora beside the project")


def made_up(method: str, depth_: int, seed: int) -> dict:
    return {
        "method": method, "depth": depth_, "seed": seed, "test": 80.0 - depth_ / 2 + seed, "val": 79.0, "epochs": 5,
        "relative_energy": 1 / depth_, "mean_cosine": 0.5,
    }  # fmt: skip


@needs_cora
@pytest.mark.parametrize("method", ["gcn", "gcnii", "appnp", "sgc", "grand", "pair", "jump-max", "drop-message"])
def test_a_cell_is_measured(method):
    found = measured(Key(method, 2, 0), epochs=2)
    assert (found["method"], found["depth"], found["epochs"]) == (method, 2, 2)
    assert 0 <= found["test"] <= 100
    assert 0 <= found["relative_energy"] < 2
    assert json.loads(json.dumps(found)) == found


@needs_cora
def test_a_deep_gcn_is_smooth_before_it_learns_and_gcnii_is_not():
    gcn, gcnii = (at_start(Key(name, 32, 0))["relative_energy"] for name in ("gcn", "gcnii"))
    assert gcn < 0.01 < gcnii


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("layers", [2, 64])
def test_every_method_has_the_depth_it_says(method, layers):
    config, settings = settings_of(METHODS[method], layers)
    assert getattr(config, METHODS[method].depth) == layers
    assert settings.patience >= 100


def test_all_cells_are_there_once_and_the_first_seed_comes_first():
    every = list(cells(5))
    assert len(set(every)) == len(every) == 5 * len(METHODS) * len(DEPTHS)
    assert {key.seed for key in every[: len(every) // 5]} == {0}


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch, capsys):
    path, asked = tmp_path / "cells.jsonl", []
    monkeypatch.setattr(depth, "measured", lambda key: asked.append(key) or made_up(*key))
    threads = torch.get_num_threads()
    for share in ("1/2", "2/2", "1/1"):
        monkeypatch.setattr("sys.argv", ["depth", "--cells", str(path), "--seeds", "1", "--share", share])
        depth.main()
    torch.set_num_threads(threads)
    assert len(asked) == len(METHODS) * len(DEPTHS)
    assert set(read(path)) == set(cells(1))


def test_tables_and_claims_are_of_what_is_there():
    done = {Key("gcn", 64, seed): made_up("gcn", 64, seed) for seed in (0, 1)}
    done |= {Key(name, 64, 0): {**made_up(name, 64, 0), "test": 85.0} for name in ("gcnii", "appnp", "sgc")}
    found = result(done, {key: {**row, "relative_energy": 0.5} for key, row in done.items()})
    accuracy, published, before, energy, _ = found.tables
    assert before.rows[0][6] == "0.500000 ± 0.000000"
    gcn = accuracy.rows[0]
    assert gcn == ["GCN", "", "", "", "", "", "48.5 ± 0.7", "0 to 2"]
    assert published.rows[0] == ["GCN", "81.1", "80.4", "69.5", "64.9", "60.3", "28.7", ""]
    assert energy.rows[0][6] == "0.0156 ± 0.0000"
    holding, fall, best = found.claims
    assert (holding.measured, holding.holds) == (3, True)
    assert (fall.measured, fall.holds) == (48.5, True)
    assert (best.measured, best.holds) == (85.0, True)


def test_the_picture_is_drawn(tmp_path):
    done = {key: made_up(*key) for key in cells(2) if key.method != "grand"}
    draw(done, done, tmp_path / "depth.png")
    assert (tmp_path / "depth.png").stat().st_size > 10_000
