"""What reads eigenvectors, for the laws."""

from grapevine import nn as gnn
from grapevine.testing import Case, check_bipartite

_NO_PAIR = (check_bipartite,)

CASES = [
    Case("SignNet", lambda: gnn.SignNet(3), exempt=_NO_PAIR),
    Case("SignNet wide", lambda: gnn.SignNet(3, 5, phi_channels=2, num_layers=1), exempt=_NO_PAIR),
    Case("SignNet on columns", lambda: gnn.OnColumns(1, 2, gnn.SignNet(2)), exempt=_NO_PAIR),
    Case("random signs, judging", lambda: gnn.OnColumns(1, 2, gnn.RandomSigns()).eval(), exempt=_NO_PAIR),
]
