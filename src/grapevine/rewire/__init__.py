"""Changes of a graph's edges, so that news travels better; each with the spectral gap before and after."""

from grapevine.rewire.borf import BORF
from grapevine.rewire.expander import Cayley, Expander
from grapevine.rewire.fosr import FoSR
from grapevine.rewire.gdc import GDC
from grapevine.rewire.report import Rewired, report, rewire
from grapevine.rewire.rewiring import Rewiring
from grapevine.rewire.sdrf import SDRF
from grapevine.rewire.shortcuts import Shortcuts
from grapevine.rewire.spec import REWIRINGS, parse
from grapevine.rewire.virtual_node import VirtualNode

__all__ = [
    "BORF",
    "GDC",
    "REWIRINGS",
    "SDRF",
    "Cayley",
    "Expander",
    "FoSR",
    "Rewired",
    "Rewiring",
    "Shortcuts",
    "VirtualNode",
    "parse",
    "report",
    "rewire",
]
