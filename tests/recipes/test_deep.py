"""Deep models and what stands between layers: built as asked for, trained, saved and read back; old configurations."""

import pytest
import torch
from pydantic import ValidationError

from grapevine.errors import InputError
from grapevine.nn import (
    APPNP,
    GCNII,
    DropEdge,
    DropMessage,
    DropNode,
    Dropped,
    GatedResidual,
    GraphDiffusion,
    GraphRandomNetwork,
    InitialResidual,
    JumpingNetwork,
    PairNorm,
)
from grapevine.recipes.models import (
    ModelConfig,
    build_network,
    check_asked,
    decayed,
    first_layer,
    model_config,
    training_settings,
)
from grapevine.train.loop import fit
from grapevine.train.optimizer import make_optimizer
from grapevine.train.settings import Settings
from tests.recipes.test_models import LEVELS, OBJECTIVE, graph_of, outputs, task_of


def built(config: ModelConfig, level: str = "node", *, is_sparse: bool = False):
    task = task_of(level, graph_of(is_sparse=is_sparse))
    return build_network(config, task.graph, task.objective, level=level), task


def test_old_truths_still_say_what_they_said():
    """Configurations were saved with true and false here."""
    old = ModelConfig.model_validate({"name": "gcn", "residual": True, "jumping": True})
    assert (old.residual, old.jumping) == ("add", "readout")
    none = ModelConfig.model_validate({"name": "gcn", "residual": False, "jumping": False})
    assert none == ModelConfig(name="gcn")
    with pytest.raises(ValidationError):
        ModelConfig.model_validate({"name": "gcn", "residual": "much"})


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("jumping", ["cat", "max", "lstm"])
def test_every_layer_is_read_at_every_level(level, jumping):
    config = ModelConfig(name="gat", hidden_channels=4, heads=2, num_layers=3, jumping=jumping, dropout=0.2)
    network, task = built(config, level, is_sparse=True)
    assert isinstance(network.encoder, JumpingNetwork)
    assert network.encoder.jump.channels == 8
    assert fit(network, task, Settings(max_epochs=2)).epochs == 2
    assert outputs(network, task.graph, level).isfinite().all()


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"residual": "initial", "alpha": 0.3}, InitialResidual),
        ({"residual": "gated"}, GatedResidual),
        ({"norm": "pair"}, PairNorm),
        ({"drop_message": 0.3}, DropMessage),
        ({"drop_edge": 0.3}, DropEdge),
        ({"drop_node": 0.3}, DropNode),
    ],
)
def test_what_is_asked_for_is_in_the_network(fields, kind):
    network, task = built(ModelConfig(name="gcn", num_layers=4, **fields))
    found = [module for module in network.modules() if isinstance(module, kind)]
    assert found
    if kind is InitialResidual:
        assert found[0].alpha == 0.3
    if "drop_message" in fields:
        assert len(found) == 4
    assert fit(network, task, Settings(max_epochs=2)).epochs == 2


@pytest.mark.parametrize("name", ["dmpnn", "weave"])
def test_dropped_edges_go_both_ways_where_they_must(name):
    network, task = built(model_config(name, level="graph").model_copy(update={"drop_edge": 0.5}), "graph")
    assert network.encoder.drops[0].symmetric
    assert fit(network, task, Settings(max_epochs=2)).epochs == 2


@pytest.mark.parametrize(
    ("name", "kind"),
    [("gcnii", GCNII), ("appnp", APPNP), ("grand", GraphRandomNetwork), ("grand-diffusion", GraphDiffusion)],
)
def test_the_names_are_those_of_the_papers(name, kind):
    network, _ = built(model_config(name, level="node", dataset="cora").model_copy(update={"num_layers": 2}))
    assert isinstance(network.encoder, kind)


def test_two_decays_of_gcnii():
    """0.01 on its layers and 5e-4 on the linear maps, with the drops around it too."""
    config = model_config("gcnii", level="node", dataset="cora").model_copy(update={"num_layers": 3, "drop_edge": 0.1})
    network, _ = built(config)
    assert isinstance(network.encoder, Dropped)
    settings = training_settings("gcnii", level="node", dataset="cora")
    groups = make_optimizer(network, settings, decayed=decayed(network, config)).param_groups
    assert [(group["weight_decay"], len(group["params"])) for group in groups] == [(0.01, 3), (5e-4, 4)]
    assert (settings.max_epochs, settings.patience, settings.learning_rate) == (1500, 100, 0.01)


def test_only_the_first_weights_of_appnp_decay():
    config = model_config("appnp", level="node", dataset="cora")
    network, _ = built(config)
    assert [p.shape[0] for p in decayed(network, config)] == [64, 64]
    assert decayed(network, config)[0] is network.encoder.layers[0].weight
    groups = make_optimizer(network, Settings(), decayed=decayed(network, config)).param_groups
    assert [group["weight_decay"] for group in groups] == [5e-4, 0.0]


def test_the_first_layer_is_found_behind_drops_and_jumps():
    config = ModelConfig(name="gcn", jumping="max", drop_edge=0.2, num_layers=3, hidden_channels=4)
    network, _ = built(config)
    assert first_layer(network)[0] is network.encoder.encoder.encoder.layers[0].bias


def test_grand_agrees_with_itself_on_nodes_and_not_on_links():
    for dataset, how in (("cora", (4, 0.5, 1.0)), ("citeseer", (2, 0.3, 0.7)), ("pubmed", (4, 0.2, 1.0))):
        found = training_settings("grand", level="node", dataset=dataset).consistency
        assert (found.samples, found.temperature, found.weight) == how
    assert training_settings("grand", level="node").consistency is not None
    assert training_settings("grand", level="link").consistency is None
    assert training_settings("gcn", level="node", dataset="cora").consistency is None
    saved = training_settings("grand", level="node", dataset="cora").model_dump(mode="json")
    assert Settings.model_validate(saved).consistency.samples == 4


def test_a_hidden_node_of_grand_is_hidden_once():
    network, _ = built(model_config("grand", level="node", dataset="cora"))
    assert sum(isinstance(module, DropNode) for module in network.modules()) == 1


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"norm": "pair"}, "not pair"),
        ({"residual": "gated"}, "no gated residual"),
        ({"residual": "dense"}, "no dense residual"),
        ({"jumping": "max"}, "do not go together"),
    ],
)
def test_what_blocks_do_not_take(fields, match):
    with pytest.raises(ValidationError, match=match):
        ModelConfig(name="gcn", has_blocks=True, **fields)


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("gcnii", {"norm": "pair"}),
        ("dmpnn", {"jumping": "max"}),
        ("gat", {"drop_message": 0.2}),
        ("appnp", {"residual": "add"}),
        ("mlp", {"drop_edge": 0.2}),
    ],
)
def test_what_would_do_nothing_is_refused(name, asked):
    with pytest.raises(InputError, match=f"{name} makes nothing of {next(iter(asked))}"):
        check_asked(name, asked)
    check_asked(name, {"drop_node": 0.1})


def test_training_hides_and_judging_does_not():
    config = ModelConfig(name="gcn", drop_edge=0.5, drop_node=0.3, dropout=0.0, input_dropout=0.0)
    network, task = built(config)
    network.train()
    assert not torch.equal(network(task.graph), network(task.graph))
    network.eval()
    assert torch.equal(network(task.graph), network(task.graph))
    assert OBJECTIVE.num_classes == 3
