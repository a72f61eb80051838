"""Every model under one budget: the table, what it holds to, and that one that fails does not end it."""

import json
from dataclasses import replace

import polars as pl
import pytest
import torch

from grapevine.data.split import Split
from grapevine.errors import InputError
from grapevine.graph.take import take
from grapevine.recipes import compare_models as module
from grapevine.recipes.baselines import PLAIN
from grapevine.recipes.compare_models import compare_models
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.model_table import Budget, ModelComparison, ModelScore
from grapevine.recipes.models import MODELS
from grapevine.recipes.problem import posed
from grapevine.recipes.source import Source, load
from grapevine.train.memory import CAN_MEASURE_MEMORY

HERE = Budget(epochs=1, hidden=8, own_process=False)


def of(name, **figures):
    return ModelScore(name, {"test": figures, "val": {key: 2 * value for key, value in figures.items()}})


@pytest.fixture(scope="module")
def small():
    """A tenth of the embedded molecules."""
    loaded = load(Source(dataset="molecules"))
    dataset = loaded.dataset
    ids = torch.arange(0, dataset.graph.num_graphs, 10)
    (split,) = dataset.splits
    parts = Split(*(part[ids] for part in (split.train, split.val, split.test)))
    smiles = tuple(dataset.smiles[k] for k in ids.tolist())
    return replace(
        loaded,
        dataset=replace(dataset, graph=take(dataset.graph, ids), splits=(parts,), smiles=smiles, ids=dataset.ids[ids]),
    )


def test_the_whole_family_is_trained_on_molecules(small):
    told = []
    found = compare_models("molecules", budget=HERE, loaded=small, on_model=lambda *row: told.append(row))
    assert {row.name for row in found.rows} == {*MODELS, *PLAIN} - {"linkx"}  # it is of one graph
    assert [row.failed for row in found.rows] == [""] * len(found.rows)
    assert [(done, total) for _, done, total in told] == [(k + 1, len(found.rows)) for k in range(len(found.rows))]
    scores = [row.score("test", "mae") for row in found.rows]
    assert scores == sorted(scores)
    for row in found.rows:
        assert (row.num_parameters is None) == (row.name in PLAIN)
        assert row.seconds is not None
        assert row.memory is None  # in this process it can not be told apart


def test_all_get_the_same_budget(small):
    problem = posed(TaskConfig(), small)
    for name in MODELS:
        config = module._config(name, Source(dataset="molecules"), problem, Budget(epochs=7, hidden=16, seed=3))
        training = config.training
        assert (training.max_epochs, training.patience, training.schedule, training.seed) == (7, 7, "cosine", 3)
        assert config.model.hidden_channels * (config.model.heads if name in ("gat", "gatv2") else 1) == 16
        assert config.model.state_channels == 16


@pytest.mark.slow  # three processes import PyTorch
def test_a_process_of_its_own_says_what_memory_a_model_takes(small):
    """The four aggregations of PNA, of three scales each, take more than an MLP."""
    found = compare_models("molecules", models=["pna", "mlp"], budget=Budget(epochs=1, hidden=32), loaded=small)
    memory = {row.name: row.memory for row in found.rows}
    if CAN_MEASURE_MEMORY:
        assert memory["pna"] > memory["mlp"] >= 0
    assert {row.name: row.failed for row in found.rows} == dict.fromkeys(("pna", "mlp", *PLAIN), "")


def test_one_that_fails_is_a_row_with_the_reason(small, monkeypatch):
    real = module.fit_once

    def fit_once(config, problem, seed):
        if config.model.name == "gcn":
            raise RuntimeError("no room")
        if config.model.name == "gin":  # its first number is infinite
            task = problem.task
            x = task.graph.x.clone()
            x[task.graph.ptr[task.items["train"][0]]] = torch.inf
            broken = type(task)(task.graph.replace(x=x), task.split, task.objective, batch_size=task.batch_size)
            return real(config, problem.__class__(**{**vars(problem), "task": broken}), seed)
        return real(config, problem, seed)

    monkeypatch.setattr(module, "fit_once", fit_once)
    found = compare_models("molecules", models=["gcn", "gin", "mlp"], budget=HERE, loaded=small)
    assert {row.name for row in found.rows[:4]} == {"mlp", *PLAIN}
    why = {row.name: row.failed for row in found.rows[4:]}
    assert why["gcn"] == "RuntimeError: no room"
    assert why["gin"].startswith("it diverged: in epoch 1")
    assert "why not" in found.to_markdown()
    assert found.frame.filter(pl.col("model") == "gcn")["test"].to_list() == [None]


def test_models_that_do_not_fit_are_named():
    found = compare_models("karate", models=["mlp", "gine"], budget=HERE)
    assert any(note.startswith("gine is left out: ") for note in found.notes)
    with pytest.raises(InputError, match="no model fits"):
        compare_models("karate", models=["gine"], budget=HERE)
    with pytest.raises(InputError, match="no model 'gnn'"):
        compare_models("karate", models=["gnn"], budget=HERE)


@pytest.mark.parametrize("level", ["link", "node"])
def test_other_levels(level):
    found = compare_models("karate", models=["gcn", "gat"], budget=HERE, task=TaskConfig(level=level))
    plain = set(PLAIN) if level == "node" else set()
    assert {row.name for row in found.rows} == {"gcn", "gat", *plain}
    assert [row.failed for row in found.rows] == [""] * len(found.rows)


def test_a_scores_mean_and_spread_are_over_the_seeds(small):
    one = [
        compare_models("molecules", models=["mlp"], budget=HERE.model_copy(update={"seed": seed}), loaded=small)
        for seed in (4, 5)
    ]
    both = HERE.model_copy(update={"seed": 4, "seeds": 2})
    (row,) = [
        r for r in compare_models("molecules", models=["mlp"], budget=both, loaded=small).rows if r.num_parameters
    ]
    scores = torch.tensor([[r.score("test", "mae") for r in c.rows if r.num_parameters] for c in one]).double()
    assert row.score("test", "mae") == pytest.approx(scores.mean().item(), rel=1e-6)
    assert row.spread["test"]["mae"] == pytest.approx(scores.std().item(), rel=1e-4)


def test_electronvolts_are_told_as_chemists_read_them(tmp_path):
    """0.043364 eV are 1 kcal/mol."""
    table = ModelComparison("x", "graph", "mae", "eV", HERE, (of("gin", mae=0.043364),))
    (row,) = table.frame.to_dicts()
    assert row["test_mev"] == pytest.approx(43.364)
    assert row["test_kcal_mol"] == pytest.approx(1, rel=1e-4)
    assert "| gin | 0.04336 | 0.08673 | 43.36 | 1 |" in table.to_markdown()
    for unit, metric in (("debye", "mae"), (None, "mae"), ("eV", "r2")):
        other = ModelComparison("x", "graph", metric, unit, HERE, (of("gin", **{metric: 0.5}),))
        assert "test_mev" not in other.frame.columns


@pytest.mark.parametrize("suffix", ["csv", "parquet", "md"])
def test_the_table_is_written(tmp_path, suffix):
    rows = (of("gin", accuracy=0.5), ModelScore("pna", failed="no room | at all"))
    table = ModelComparison("x", "node", "accuracy", None, HERE, rows)
    path = table.write(tmp_path / f"table.{suffix}")
    if suffix == "md":
        lines = path.read_text().splitlines()
        assert len({line.count("|") for line in lines[2:]}) == 1
        assert lines[-1].endswith("no room / at all |")
    else:
        read = {"csv": pl.read_csv, "parquet": pl.read_parquet}[suffix](path)
        assert read["model"].to_list() == ["gin", "pna"]
        assert read["test"].to_list() == [0.5, None]
    json.dumps(table.to_dict())
    with pytest.raises(InputError, match="no folder"):
        table.write(tmp_path / "absent" / "table.md")


def test_the_best_comes_first_whichever_way_is_better():
    rows = [of("a", r2=0.1), of("b", r2=0.9), ModelScore("c", failed="why"), of("d", r2=float("nan"))]
    assert [row.name for row in module._best_first(rows, "r2", True)] == ["b", "a", "d", "c"]
    assert [row.name for row in module._best_first(rows, "r2", False)] == ["a", "b", "d", "c"]


def test_graphs_without_a_test_part_are_sorted_by_validation():
    rows = [ModelScore("a", {"val": {"mae": 2.0}, "test": {}}), ModelScore("b", {"val": {"mae": 1.0}, "test": {}})]
    assert [row.name for row in module._best_first(rows, "mae", False)] == ["b", "a"]
