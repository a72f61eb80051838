"""The options of depth reach the configuration, and those that would do nothing are refused."""

import pytest

from tests.cli.run import refused
from tests.cli.run import told as said
from tests.cli.test_train import people, recipe

__all__ = ["people"]


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (["--norm", "pair"], "norm", "pair"),
        (["--norm", "group"], "norm", "group"),
        (["--residual", "initial"], "residual", "initial"),
        (["--residual", "gated", "--layers", "3"], "residual", "gated"),
        (["--residual", "dense", "--layers", "4", "--jumping", "max"], "residual", "dense"),
        (["--jumping", "lstm"], "jumping", "lstm"),
        (["--drop-edge", "0.2"], "drop_edge", 0.2),
        (["--drop-node", "0.1"], "drop_node", 0.1),
        (["--drop-message", "0.3"], "drop_message", 0.3),
        (["--model", "gcnii", "--layers", "3"], "name", "gcnii"),
        (["--model", "appnp"], "num_layers", 10),
        (["--model", "grand"], "drop_node", 0.5),
        (["--model", "grand-diffusion", "--layers", "2"], "num_layers", 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_option_is_in_the_configuration(people, options, field, value):
    assert recipe(said("train", *people, *options))["model"][field] == value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "gcnii", "--norm", "pair"], "gcnii makes nothing of norm pair"),
        (["--model", "mlp", "--drop-edge", "0.5"], "mlp makes nothing of drop_edge 0.5"),
        (["--model", "gat", "--drop-message", "0.5"], "gat makes nothing of drop_message 0.5"),
    ],
)
def test_what_would_do_nothing_is_refused(people, options, message):
    assert message in refused("train", *people, *options)
