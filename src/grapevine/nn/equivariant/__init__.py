"""Features that turn with the structure they belong to: irreps of O(3), and the layers that keep them so."""

from grapevine.nn.equivariant.coupling import clebsch_gordan
from grapevine.nn.equivariant.gate import E3NN_SCALES, Gate, ScaledActivation, second_moment_scale
from grapevine.nn.equivariant.irreps import Block, Irrep, Irreps
from grapevine.nn.equivariant.layout import by_irrep, from_e3nn, from_irreps, join, regroup, split, to_e3nn
from grapevine.nn.equivariant.linear import IrrepsLinear
from grapevine.nn.equivariant.normalization import IrrepsLayerNorm, normalize_features, squared_norms
from grapevine.nn.equivariant.tensor_product import FullyConnectedTensorProduct
from grapevine.nn.equivariant.wigner import irreps_matrix, random_rotation, transform, wigner_d

__all__ = [
    "E3NN_SCALES",
    "Block",
    "FullyConnectedTensorProduct",
    "Gate",
    "Irrep",
    "Irreps",
    "IrrepsLayerNorm",
    "IrrepsLinear",
    "ScaledActivation",
    "by_irrep",
    "clebsch_gordan",
    "from_e3nn",
    "from_irreps",
    "irreps_matrix",
    "join",
    "normalize_features",
    "random_rotation",
    "regroup",
    "second_moment_scale",
    "split",
    "squared_norms",
    "to_e3nn",
    "transform",
    "wigner_d",
]
