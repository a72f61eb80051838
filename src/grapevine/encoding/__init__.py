"""What a node can be told of its place: encodings made of the edges alone, and put beside the features."""

from grapevine.encoding.degree import Degree
from grapevine.encoding.distance import Detour, Distance
from grapevine.encoding.encoding import Encoding, EncodingLevel
from grapevine.encoding.heat import Heat
from grapevine.encoding.laplacian import Laplacian
from grapevine.encoding.random_walk import EdgeRandomWalk, RandomWalk
from grapevine.encoding.resistance import EdgeResistance, Resistance
from grapevine.encoding.rings import Rings
from grapevine.encoding.spec import ENCODINGS, encode, parse, with_columns
from grapevine.encoding.substructures import Substructures

__all__ = [
    "ENCODINGS",
    "Degree",
    "Detour",
    "Distance",
    "EdgeRandomWalk",
    "EdgeResistance",
    "Encoding",
    "EncodingLevel",
    "Heat",
    "Laplacian",
    "RandomWalk",
    "Resistance",
    "Rings",
    "Substructures",
    "encode",
    "parse",
    "with_columns",
]
