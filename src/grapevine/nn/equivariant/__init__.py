"""Atoms in space: irreps of O(3), layers that turn with the structure they see, networks of atoms, and potentials."""

from grapevine.nn.equivariant.atom_network import AtomNetwork, Elements
from grapevine.nn.equivariant.convolution import Convolution
from grapevine.nn.equivariant.coupling import clebsch_gordan
from grapevine.nn.equivariant.dimenet import DimeNetPlusPlus
from grapevine.nn.equivariant.dtnn import DTNN
from grapevine.nn.equivariant.egnn import EGNN
from grapevine.nn.equivariant.gate import E3NN_SCALES, Gate, ScaledActivation, second_moment_scale
from grapevine.nn.equivariant.geometry import edge_vectors, vectors_of
from grapevine.nn.equivariant.irreps import Block, Irrep, Irreps
from grapevine.nn.equivariant.layout import by_irrep, from_e3nn, from_irreps, join, regroup, split, to_e3nn
from grapevine.nn.equivariant.linear import IrrepsLinear
from grapevine.nn.equivariant.load_mace import load_mace
from grapevine.nn.equivariant.load_pyg import load_pyg
from grapevine.nn.equivariant.mace import MACE, MACEShape
from grapevine.nn.equivariant.nequip import NequIP, NequIPShape
from grapevine.nn.equivariant.normalization import IrrepsLayerNorm, normalize_features, squared_norms
from grapevine.nn.equivariant.painn import PaiNN
from grapevine.nn.equivariant.potential import Answers, Potential
from grapevine.nn.equivariant.product_basis import ProductBasis
from grapevine.nn.equivariant.radial import BesselBasis, CosineCutoff, GaussianBasis, PolynomialCutoff
from grapevine.nn.equivariant.scalar_mlp import ScalarMLP
from grapevine.nn.equivariant.schnet import SchNet
from grapevine.nn.equivariant.structure_head import AtomReadout, DipoleMoment
from grapevine.nn.equivariant.tensor_product import FullyConnectedTensorProduct
from grapevine.nn.equivariant.wigner import irreps_matrix, random_rotation, transform, wigner_d

__all__ = [
    "DTNN",
    "E3NN_SCALES",
    "EGNN",
    "MACE",
    "Answers",
    "AtomNetwork",
    "AtomReadout",
    "BesselBasis",
    "Block",
    "Convolution",
    "CosineCutoff",
    "DimeNetPlusPlus",
    "DipoleMoment",
    "Elements",
    "FullyConnectedTensorProduct",
    "Gate",
    "GaussianBasis",
    "Irrep",
    "Irreps",
    "IrrepsLayerNorm",
    "IrrepsLinear",
    "MACEShape",
    "NequIP",
    "NequIPShape",
    "PaiNN",
    "PolynomialCutoff",
    "Potential",
    "ProductBasis",
    "ScalarMLP",
    "ScaledActivation",
    "SchNet",
    "by_irrep",
    "clebsch_gordan",
    "edge_vectors",
    "from_e3nn",
    "from_irreps",
    "irreps_matrix",
    "join",
    "load_mace",
    "load_pyg",
    "normalize_features",
    "random_rotation",
    "regroup",
    "second_moment_scale",
    "split",
    "squared_norms",
    "to_e3nn",
    "transform",
    "vectors_of",
    "wigner_d",
]
