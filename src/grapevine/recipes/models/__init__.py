"""The networks that the recipes train: their configurations, published settings, search spaces and building."""

from grapevine.recipes.models.build import build_network, decayed, first_layer, obstacle
from grapevine.recipes.models.config import MODELS, Eigenvectors, ModelConfig, ModelName, Wiring, settled
from grapevine.recipes.models.layers import check_asked
from grapevine.recipes.models.published import model_config, training_settings, training_steps
from grapevine.recipes.models.space import search_space, with_values

__all__ = [
    "MODELS",
    "Eigenvectors",
    "ModelConfig",
    "ModelName",
    "Wiring",
    "build_network",
    "check_asked",
    "decayed",
    "first_layer",
    "model_config",
    "obstacle",
    "search_space",
    "settled",
    "training_settings",
    "training_steps",
    "with_values",
]
