"""Features that turn with the structure they belong to: irreps of O(3), and the layers that keep them so."""

from grapevine.nn.equivariant.coupling import clebsch_gordan
from grapevine.nn.equivariant.irreps import Block, Irrep, Irreps

__all__ = [
    "Block",
    "Irrep",
    "Irreps",
    "clebsch_gordan",
]
