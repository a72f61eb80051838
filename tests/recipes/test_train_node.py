"""Every model trains, on dense and on sparse features, comes back from its folder, and reaches what its paper says."""

import json
import statistics

import pytest
import torch

from grapevine.data.datasets import load_dataset
from grapevine.errors import InputError
from grapevine.nn import GNN
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes.node_models import MODELS, first_layer, make_model, node_config
from grapevine.recipes.train_node import load_node_model, train_node
from grapevine.train.loop import predict
from tests.data.cases import CORA, needs_cora
from tests.train.cases import two_classes


def sparse(graph):
    return graph.replace(x=SparseMatrix.from_torch(graph.x.to_sparse()))


@pytest.mark.parametrize("kind", [lambda graph: graph, sparse], ids=["dense", "sparse"])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_trains_and_comes_back(tmp_path, model, kind):
    graph = kind(two_classes())
    result = train_node(graph, node_config("rings", model, max_epochs=3), out=tmp_path)
    assert result.folder == tmp_path / f"rings-{model}"
    assert result.fits[0].epochs == 3
    loaded = load_node_model(result.folder)
    assert torch.equal(predict(loaded, graph), predict(result.model, graph))
    written = json.loads((result.folder / "metrics.json").read_text())
    assert written["accuracy"]["test"] == {"mean": result.fits[0].test, "std": 0.0}


def test_a_network_hears_its_neighbours_and_an_mlp_does_not():
    graph = two_classes(noise=3.0)
    gcn, mlp = (train_node(graph, node_config("rings", model), seeds=range(3)) for model in ("gcn", "mlp"))
    assert gcn.mean("test") > mlp.mean("test") + 0.1


def test_seeds_repeat_themselves_and_leave_the_callers_generator_alone():
    graph, config = two_classes(), node_config("rings", "gat", max_epochs=5)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    both = train_node(graph, config, seeds=(3, 4))
    assert torch.equal(torch.rand(3), expected)
    alone, again = (train_node(graph, config, seeds=(4,)) for _ in range(2))
    assert alone.fits[0].val == both.fits[1].val
    assert alone.folder is None
    weights = zip(alone.model.parameters(), again.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)


def test_the_figures_are_the_mean_and_the_deviation_and_the_best_by_validation_is_kept():
    graph = two_classes(noise=2.0)
    result = train_node(graph, node_config("rings", "sage", max_epochs=10), seeds=range(4))
    tests = [one.test for one in result.fits]
    assert result.mean("test") == pytest.approx(statistics.fmean(tests))
    assert result.std("test") == pytest.approx(statistics.stdev(tests))
    kept = (predict(result.model, graph).argmax(1) == graph.y)[graph.val_mask].float().mean().item()
    assert kept == pytest.approx(max(one.val for one in result.fits))


def test_progress_is_told():
    told = []
    config = node_config("rings", "gcn", max_epochs=2)
    train_node(two_classes(), config, seeds=(5,), on_progress=lambda *what: told.append(what))
    assert told == [("gcn, seed 5", 1, 2), ("gcn, seed 5", 2, 2)]


def test_the_settings_are_those_of_the_papers():
    gcn, gat, pubmed = node_config("cora", "gcn"), node_config("cora", "gat"), node_config("pubmed", "gat")
    assert (gcn.hidden_channels, gcn.dropout, gcn.training.learning_rate, gcn.training.weight_decay) == (
        16, 0.5, 0.01, 5e-4,
    )  # fmt: skip
    assert (gat.hidden_channels, gat.heads, gat.dropout, gat.training.learning_rate) == (8, 8, 0.6, 0.005)
    assert (pubmed.last_heads, pubmed.training.weight_decay) == (8, 1e-3)
    model = make_model(gcn, 1433, 7)
    assert isinstance(model, GNN)
    assert sum(p.numel() for p in first_layer(model)) == 1433 * 16 + 16
    assert all(first_layer(make_model(node_config("cora", model), 10, 2)) for model in MODELS)
    assert sum(p.numel() for p in make_model(gat, 1433, 7).parameters()) == (1433 + 3) * 64 + (64 + 2) * 7 + 7


def test_wrong_input_is_refused(tmp_path):
    with pytest.raises(InputError, match="there is no model 'gnc'; there are gcn, sage"):
        node_config("cora", "gnc")
    with pytest.raises(InputError, match="at least one epoch"):
        node_config("cora", "gcn", max_epochs=0)
    with pytest.raises(InputError, match="at least one seed"):
        train_node(two_classes(), node_config("rings"), seeds=())
    folder = train_node(two_classes(), node_config("rings", max_epochs=1), out=tmp_path).folder
    for content in ("{}", "[]", '{"config": {"dataset": "rings", "model": "gnc"}}'):
        (folder / "config.json").write_text(content)
        with pytest.raises(InputError, match="holds no model for nodes"):
            load_node_model(folder)


@needs_cora
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("model", ["gcn", "gat"])
def test_two_runs_on_cora_end_with_the_same_bits(model, threads):
    before, graph = torch.get_num_threads(), load_dataset("cora", CORA)
    torch.set_num_threads(threads)
    runs = [train_node(graph, node_config("cora", model, max_epochs=10)).model for _ in range(2)]
    torch.set_num_threads(before)
    assert all(torch.equal(*pair) for pair in zip(*(run.parameters() for run in runs), strict=True))


@pytest.mark.slow
@needs_cora
@pytest.mark.parametrize(("model", "least"), [("gcn", 0.81), ("gat", 0.823)])
def test_cora_is_classified_as_published(model, least):
    result = train_node(load_dataset("cora", CORA), node_config("cora", model), seeds=range(10))
    print(f"cora {model}: {100 * result.mean('test'):.2f} ± {100 * result.std('test'):.2f} in {result.seconds:.1f} s")
    assert result.mean("test") >= least
