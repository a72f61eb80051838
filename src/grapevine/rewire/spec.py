"""Rewirings by their names and numbers: "fosr:50,expander:4".

spec = name[:value ...][:name=value ...], ...,    the values in the order of the rewiring's arguments
"""

from difflib import get_close_matches

from grapevine.errors import InputError, check
from grapevine.rewire.borf import BORF
from grapevine.rewire.expander import Cayley, Expander
from grapevine.rewire.fosr import FoSR
from grapevine.rewire.gdc import GDC
from grapevine.rewire.rewiring import Rewiring
from grapevine.rewire.sdrf import SDRF
from grapevine.rewire.shortcuts import Shortcuts
from grapevine.rewire.virtual_node import VirtualNode

REWIRINGS: dict[str, type[Rewiring]] = {
    kind.name: kind for kind in (VirtualNode, Cayley, Expander, SDRF, BORF, FoSR, GDC, Shortcuts)
}
OF_NETWORKS = ("fully-adjacent",)  # a change of the last layer, not of the graph: grapevine.nn.FullyAdjacent


def parse(spec: str) -> tuple[Rewiring, ...]:
    """The rewirings of a spec, in its order.

    Raises:
        InputError: naming what is not understood.

    >>> parse("expander:6")
    (Expander(mark=False, degree=6, seed=0),)
    >>> [str(rewiring) for rewiring in parse("fosr:20,gdc:heat:top=32:mark=True")]
    ['fosr:20', 'gdc:heat:top=32:mark=True']
    """
    check(isinstance(spec, str), f"a spec of rewirings must be text, got {type(spec).__name__}")
    return tuple(_one(part.strip()) for part in spec.split(",")) if spec.strip() else ()


def _one(text: str) -> Rewiring:
    name, *words = text.split(":")
    if name in OF_NETWORKS:
        raise InputError(
            f"{name} changes the last layer and not the graph: wrap the network, grapevine.nn.FullyAdjacent"
        )
    if name not in REWIRINGS:
        near = get_close_matches(name, REWIRINGS, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InputError(f"there is no rewiring {name!r}; {hint}there are {', '.join(REWIRINGS)}")
    return REWIRINGS[name].of(*words)
