"""Rewiring and encodings in a training: kept with the run and done again to whatever the model is used on."""

import networkx
import pytest
import torch
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from grapevine import rewire
from grapevine.data.dataset import Dataset
from grapevine.data.molecules.spec import MoleculeSpec
from grapevine.encoding import RandomWalk, encode
from grapevine.errors import InputError
from grapevine.graph import Graph, from_networkx
from grapevine.nn import OnColumns, SignNet
from grapevine.ops.sparse import SparseMatrix
from grapevine.recipes import prepare
from grapevine.recipes.audit import audit
from grapevine.recipes.choose import fitting_models
from grapevine.recipes.config import TaskConfig
from grapevine.recipes.embed import embed
from grapevine.recipes.evaluate import evaluate
from grapevine.recipes.models import Eigenvectors
from grapevine.recipes.plan import plan
from grapevine.recipes.predict import predict
from grapevine.recipes.prepare import Preparation
from grapevine.recipes.problem import pose, posed
from grapevine.recipes.source import Loaded, Source, load
from grapevine.recipes.train import read_config, recipe_of, train
from grapevine.recipes.trained import from_pretrained
from grapevine.recipes.tune import tune
from tests.recipes.molecules import write_molecules

CLUB = plan("karate", "gcn", max_epochs=4)
BOTH = Preparation(encode="rwpe:4,lappe:3")


def with_prepare(config, told: Preparation, **changes):
    return config.model_copy(update={"prepare": told, **changes})


def check_run(folder, result):
    """Whatever a saved model is used for, it sees what it was trained on."""
    assert_frame_equal(predict(folder).frame.drop("id"), result.predictions.drop("id", "part", "target"))
    for part, scores in evaluate(folder).scores.items():
        assert scores == pytest.approx(result.scores[part])
    assert embed(folder).height == result.problem.graph.num_nodes


@pytest.mark.parametrize("told", ["rwpe:4,lappe:3", "lappe:3:signnet,degree,edge-rwpe:2"])
def test_a_run_keeps_its_encodings(tmp_path, told):
    config = with_prepare(CLUB, Preparation(encode=told))
    result = train(config, out=tmp_path)
    assert result.config.prepare.encode == told
    assert result.problem.graph.x.shape[1] == 34 + (7 if "rwpe:4" in told else 4)
    assert result.problem.dataset.graph.x.shape[1] == 34
    assert any("rwpe:4, lappe:3" in note or "lappe:3:signnet, degree" in note for note in result.notes)
    check_run(result.folder, result)
    assert from_pretrained(result.folder).prepare == config.prepare
    again = train(read_config(recipe_of(result.config)))
    for a, b in zip(again.trained.networks.parameters(), result.trained.networks.parameters(), strict=True):
        assert torch.equal(a, b)


def test_eigenvectors_are_known_to_the_network():
    result = train(with_prepare(CLUB, Preparation(encode="rwpe:4,lappe:3,degree")))
    assert result.config.model.eigenvectors == Eigenvectors(first=38, count=3)
    front = result.trained.networks.models[0].front
    assert isinstance(front, OnColumns)
    assert (front.first, front.count) == (38, 3)
    read = train(with_prepare(CLUB, Preparation(encode="lappe:3:signnet")))
    assert isinstance(read.trained.networks.models[0].front.network, SignNet)
    assert train(CLUB).trained.networks.models[0].front is None


def test_an_ensemble_is_prepared_too(tmp_path):
    result = train(with_prepare(CLUB, BOTH, members=2), out=tmp_path, has_report=False)
    check_run(result.folder, result)


def test_tuning_sees_the_encodings():
    pytest.importorskip("optuna")
    config = with_prepare(CLUB, BOTH)
    found = tune(config, 1, loaded=load(config.source))
    assert found.config.prepare == BOTH


def test_sparse_features_are_encoded():
    club = load(Source(dataset="karate")).dataset
    sparse = SparseMatrix.from_torch(torch.eye(34).to_sparse())
    dataset = Dataset("club", club.graph.replace(x=sparse), "node", club.splits, class_names=club.class_names)
    for name in ("gcn", "sage", "gin", "mlp"):
        config = with_prepare(plan("karate", name, max_epochs=3), BOTH)
        result = train(config, loaded=Loaded(dataset))
        assert isinstance(result.problem.graph.x, SparseMatrix)
        assert result.trained.inputs.channels == 41
        dense = train(config, loaded=Loaded(club))
        assert result.scores["test"].keys() == dense.scores["test"].keys()


def graphs(count: int = 48) -> Dataset:
    """Rings of one length, and pairs of rings of half that: no network of messages tells them apart."""
    made = []
    for k in range(count):
        half = networkx.cycle_graph(5)
        network = networkx.cycle_graph(10) if k % 2 else networkx.disjoint_union(half, half)
        made.append(Graph(from_networkx(network).adj, graph={"y": torch.tensor([k % 2])}))
    return Dataset("rings", Graph.batch(made), "graph", class_names=("two", "one"))


def test_encodings_tell_apart_what_messages_do_not():
    loaded = Loaded(graphs())
    config = plan(Source(dataset="tu:rings"), "gin", level="graph", max_epochs=60)
    assert train(config, loaded=loaded).scores["train"]["accuracy"] < 0.8
    for spec in ("rwpe:8", "rings:5", "lappe:4:signnet"):
        result = train(with_prepare(config, Preparation(encode=spec)), loaded=loaded)
        assert result.scores["test"]["accuracy"] == 1, spec


def test_links_that_are_held_out_are_not_told():
    loaded = load(Source(dataset="karate"))
    task = TaskConfig(level="link")
    problem = posed(task, loaded, Preparation(encode="rwpe:4"))
    plain = posed(task, loaded)
    assert torch.equal(problem.graph.x, encode(plain.graph, "rwpe:4").x)
    assert not torch.equal(problem.graph.x, encode(loaded.dataset.graph, "rwpe:4").x)
    assert problem.split.val_graph is problem.split.graph
    config = with_prepare(plan("karate", "gcn", level="link", task=task, max_epochs=3), BOTH)
    assert train(config).scores["test"]["roc_auc"] > 0


def test_of_large_graphs_the_gap_is_not_measured(monkeypatch):
    monkeypatch.setattr("grapevine.recipes.prepare._GAP_NODES", 2)
    path, prepare = Graph([[0, 1, 1, 2], [1, 0, 2, 1]], x=torch.ones(3, 1)), Preparation(rewire="shortcuts:2")
    told = ["the edges are rewired by shortcuts:2: 4 edges before, 6 after"]
    assert prepare.notes(path, prepare(path, "node")) == told


def test_rewiring_comes_first_and_is_kept(tmp_path):
    config = with_prepare(CLUB, Preparation(rewire="fosr:10", encode="degree"))
    result = train(config, out=tmp_path)
    graph = result.problem.graph
    assert graph.num_edges == 156 + 20
    assert result.problem.dataset.graph.num_edges == 156
    assert torch.equal(graph.x[:, 34:], encode(Graph(graph.adj), "degree").x)
    assert any("rewired by fosr:10: " in note and "spectral gap 0.1" in note for note in result.notes)
    check_run(result.folder, result)
    assert audit(result.folder).leaks == ()


def test_edges_that_are_asked_for_are_not_rewired():
    loaded = load(Source(dataset="karate"))
    with pytest.raises(InputError, match="links are predicted, so the edges can not be rewired"):
        posed(TaskConfig(level="link"), loaded, Preparation(rewire="fosr:10"))


def test_a_rewiring_that_adds_nodes_is_for_graphs(monkeypatch):
    def one_more(graph, rewirings):
        return Graph([[0], [1]], num_nodes=graph.num_nodes + 1)

    monkeypatch.setattr(rewire, "rewire", one_more)
    with pytest.raises(InputError, match="adds nodes"):
        pose(load(Source(dataset="karate")).dataset, None, Preparation(rewire="fosr:10"))


@pytest.mark.parametrize("name", ["gcn", "gat", "sage", "gin"])
@pytest.mark.parametrize("wiring", ["virtual-node", "fully-adjacent"])
def test_networks_are_wired_otherwise(tmp_path, wiring, name):
    told = Preparation(rewire=f"{wiring},expander:4", encode="lappe:2")
    config = plan("karate", name, max_epochs=3)
    result = train(with_prepare(config, told), out=tmp_path, has_report=False)
    assert result.config.model.wiring == wiring
    kinds = {type(module).__name__ for module in result.trained.networks.modules()}
    assert {"virtual-node": "VirtualNode", "fully-adjacent": "FullyAdjacent"}[wiring] in kinds
    assert result.problem.graph.num_edges > 156
    check_run(result.folder, result)
    graph_config = with_prepare(plan(Source(dataset="tu:rings"), name, level="graph", max_epochs=2), told)
    jumping = graph_config.model.model_copy(update={"jumping": "readout" if name == "gin" else "none"})
    assert train(graph_config.model_copy(update={"model": jumping}), loaded=Loaded(graphs())).config.model.wiring


def test_sparse_features_and_links_are_wired_too():
    club = load(Source(dataset="karate")).dataset
    sparse = SparseMatrix.from_torch(torch.eye(34).to_sparse())
    dataset = Dataset("club", club.graph.replace(x=sparse), "node", club.splits, class_names=club.class_names)
    for wiring in ("virtual-node", "fully-adjacent"):
        told = Preparation(rewire=wiring)
        train(with_prepare(plan("karate", "gcn", max_epochs=2), told), loaded=Loaded(dataset))
        links = plan("karate", "gcn", level="link", task=TaskConfig(level="link"), max_epochs=2)
        assert train(with_prepare(links, told)).config.model.wiring == wiring


def test_what_can_not_be_wired_says_why():
    told = Preparation(rewire="virtual-node")
    with pytest.raises(InputError, match=r"virtual-node is for stacks of convolutions.*not for ggnn"):
        train(with_prepare(plan("karate", "ggnn", max_epochs=2), told))
    one = CLUB.model_copy(update={"model": CLUB.model.model_copy(update={"num_layers": 1})})
    with pytest.raises(InputError, match="needs at least two layers"):
        train(with_prepare(one, told))
    added = CLUB.model_copy(update={"model": CLUB.model.model_copy(update={"residual": "add"})})
    with pytest.raises(InputError, match="goes with no residual"):
        train(with_prepare(added, told))
    for spec, what in (("virtual-node,fully-adjacent", "do not go together"), ("", "names no rewiring"),
                       ("fosx:3", "there is no rewiring 'fosx'; did you mean fosr")):  # fmt: skip
        with pytest.raises(ValidationError, match=what):
            Preparation(rewire=spec)


def test_encodings_of_edges_let_models_of_edges_fit():
    loaded = load(Source(dataset="karate"))
    assert "gine" not in fitting_models(loaded, posed(TaskConfig(), loaded), ["gcn", "gine"])[0]
    prepared = posed(TaskConfig(), loaded, Preparation(encode="edge-resistance"))
    assert "gine" in fitting_models(loaded, prepared, ["gcn", "gine"])[0]


def test_wrong_specs_are_refused():
    with pytest.raises(ValidationError, match="there is no encoding 'rwep'"):
        Preparation(encode="rwep:16")


def test_what_takes_long_is_kept_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    graph, told = load(Source(dataset="karate")).dataset.graph, Preparation(encode="rwpe:4,degree")
    first = told(graph).x
    folder = tmp_path / "grapevine" / "encodings"
    assert not folder.exists()
    monkeypatch.setattr(prepare, "_SECONDS", 0.0)
    assert torch.equal(told(graph).x, first)
    assert sorted(path.name.split("-")[0] for path in folder.iterdir()) == ["degree", "rwpe"]
    assert len(list(folder.glob("rwpe-4-*"))) == 1

    def fail(*_):
        raise AssertionError("it is in the cache")

    with monkeypatch.context() as patched:
        patched.setattr(RandomWalk, "values", fail)
        assert torch.equal(told(graph.replace(x=torch.zeros(34, 34))).x[:, 34:], first[:, 34:])
        with pytest.raises(AssertionError, match="in the cache"):
            told(Graph(graph.adj.edge_index.flip(0)[:, :-2], x=graph.x))
        with pytest.raises(AssertionError, match="in the cache"):
            Preparation(encode="rwpe:5")(graph)
        for path in folder.glob("rwpe-4-*"):
            path.write_bytes(b"broken")
        with pytest.raises(AssertionError, match="in the cache"):
            told(graph)
    assert torch.equal(told(graph).x, first)


def test_a_cache_that_can_not_be_written_is_a_warning(tmp_path, monkeypatch):
    (tmp_path / "grapevine").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(prepare, "_SECONDS", 0.0)
    with pytest.warns(UserWarning, match="can not be kept"):
        Preparation(encode="degree")(Graph([[0], [1]]))


def test_new_molecules_are_prepared_part_by_part(tmp_path):
    pytest.importorskip("rdkit")
    source = Source(path=str(write_molecules(tmp_path)), molecules=MoleculeSpec(targets=("logP",)))
    config = plan(source, "gine", level="graph", max_epochs=2)
    small = config.model.model_copy(update={"hidden_channels": 8})
    told = Preparation(encode="rwpe:4,lappe:2,edge-distance")
    result = train(with_prepare(config, told, model=small), out=tmp_path / "runs", has_report=False)
    frame = predict(result.folder, source).frame.drop_nulls("prediction")
    expected = result.predictions["prediction"].to_list()
    assert frame["prediction"].to_list() == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert result.trained.inputs.edge_channels == result.loaded.dataset.graph.edge_attr.shape[1] + 1
