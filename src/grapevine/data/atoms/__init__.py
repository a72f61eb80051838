"""Structures of atoms: read from files, put beside each other, joined to their neighbours, packed into batches."""

from grapevine.data.atoms.composition import CompositionFit, composition_fit
from grapevine.data.atoms.dataset import StructureDataset, connect, structures_dataset
from grapevine.data.atoms.doubts import copies
from grapevine.data.atoms.edge_batches import edge_batches
from grapevine.data.atoms.neighbors import neighbor_list
from grapevine.data.atoms.options import ReadOptions
from grapevine.data.atoms.read import read_structures
from grapevine.data.atoms.skin import SkinNeighbors
from grapevine.data.atoms.structures import Structures, join_structures

__all__ = [
    "CompositionFit",
    "ReadOptions",
    "SkinNeighbors",
    "StructureDataset",
    "Structures",
    "composition_fit",
    "connect",
    "copies",
    "edge_batches",
    "join_structures",
    "neighbor_list",
    "read_structures",
    "structures_dataset",
]
