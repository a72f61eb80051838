"""Every architecture of atoms in space: one row each, or more where its options change the equations."""

from grapevine.nn.equivariant.dimenet import DimeNetPlusPlus
from grapevine.nn.equivariant.dtnn import DTNN
from grapevine.nn.equivariant.egnn import EGNN
from grapevine.nn.equivariant.mace import MACE, MACEShape
from grapevine.nn.equivariant.nequip import NequIP, NequIPShape
from grapevine.nn.equivariant.painn import PaiNN
from grapevine.nn.equivariant.schnet import SchNet
from grapevine.testing.atoms import AtomCase, check_parameters, check_skin, check_smooth_cutoff

ELEMENTS, CUTOFF = (1, 6, 8), 4.0
SMALL = {"elements": ELEMENTS, "cutoff": CUTOFF, "hidden_channels": 12}
_TINY = {"num_spherical": 4, "num_radial": 3, "turn_channels": 6, "basis_channels": 4, "out_hidden_channels": 9}
# that of the papers, for molecules where everybody hears everybody
NO_CUTOFF = (check_smooth_cutoff, check_skin)

CASES = [
    AtomCase("SchNet", lambda: SchNet(**SMALL, num_basis=12)),
    AtomCase("SchNet wide", lambda: SchNet(elements=ELEMENTS, cutoff=CUTOFF, num_layers=2, out_channels=3)),
    AtomCase("SchNet polynomial", lambda: SchNet(**SMALL, num_basis=12, cutoff_function="polynomial")),
    AtomCase("SchNet paper", lambda: SchNet(**SMALL, cutoff_function="none"), exempt=NO_CUTOFF),
    AtomCase("DTNN", lambda: DTNN(**SMALL)),
    AtomCase("DTNN paper", lambda: DTNN(**SMALL, cutoff_function="none"), exempt=NO_CUTOFF),
    AtomCase("PaiNN", lambda: PaiNN(**SMALL, num_basis=7)),
    AtomCase("EGNN", lambda: EGNN(**SMALL, num_layers=3)),
    AtomCase("EGNN moving", lambda: EGNN(**SMALL, num_layers=3, update_coordinates=True)),
    AtomCase(
        "EGNN stabilised",
        lambda: EGNN(**SMALL, num_layers=3, attention=False, update_coordinates=True, normalize=True, tanh=True),
    ),
    AtomCase(
        "EGNN paper",
        lambda: EGNN(**SMALL, num_layers=3, update_coordinates=True, cutoff_function="none"),
        exempt=NO_CUTOFF,
    ),
    AtomCase("DimeNet++", lambda: DimeNetPlusPlus(**SMALL, **_TINY, num_layers=2)),
    AtomCase("DimeNet++ reference", lambda: DimeNetPlusPlus(**SMALL, **_TINY, num_layers=2, mode="reference")),
    AtomCase(
        "MACE",
        lambda: MACE(
            elements=ELEMENTS,
            cutoff=CUTOFF,
            avg_num_neighbors=4.0,
            shape=MACEShape(channels=4, max_degree=2, correlation=2, radial_channels=(8,), readout_channels=4),
        ),
    ),
    AtomCase(
        "NequIP",
        lambda: NequIP(
            elements=ELEMENTS,
            cutoff=CUTOFF,
            avg_num_neighbors=4.0,
            shape=NequIPShape(channels=4, num_layers=2, radial_channels=(8,), readout_channels=4),
        ),
        exempt=(check_parameters,),  # the last layer makes vectors too, which nobody reads
    ),
]
