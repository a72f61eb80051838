"""How a file of structures is to be read: under which names its labels stand, and in which units."""

from dataclasses import dataclass
from typing import Any, get_args

from grapevine.data.atoms.units import DipoleUnit, EnergyUnit, LengthUnit, StressUnit
from grapevine.errors import check


@dataclass(frozen=True)
class ReadOptions:
    """Names and units of a file; None: the names are found, and the units are those that the format is known for.

    Args:
        energy_key, forces_key, stress_key, virial_key, dipole_key: the names of the labels in the file. Without them
            the common ones are looked for, "REF_energy" and "dft_energy" before "energy".
        energy_unit: of energies, and per length unit of forces, per its cube of stress. Files are in eV, MD17 in
            kcal/mol, QM9 in hartree, unless this says otherwise.
        length_unit: of places and cells.
        stress_unit: where it is not the energy unit per cubed length unit.
        dipole_unit: of dipole moments.
        keep_isolated: keep frames of one free atom among the structures, in place of taking their energies as those
            of isolated atoms.

    >>> ReadOptions(energy_unit="kcal/mol").energy_unit
    'kcal/mol'
    """

    energy_key: str | None = None
    forces_key: str | None = None
    stress_key: str | None = None
    virial_key: str | None = None
    dipole_key: str | None = None
    energy_unit: EnergyUnit | None = None
    length_unit: LengthUnit | None = None
    stress_unit: StressUnit | None = None
    dipole_unit: DipoleUnit | None = None
    keep_isolated: bool = False

    def __post_init__(self):
        units = (("energy_unit", EnergyUnit), ("length_unit", LengthUnit), ("stress_unit", StressUnit))
        for name, kind in (*units, ("dipole_unit", DipoleUnit)):
            _check_one_of(name, getattr(self, name), get_args(kind))
        is_one = self.stress_key is None or self.virial_key is None
        check(is_one, "give stress_key or virial_key, not both: a stress is minus the virial over the volume")


def _check_one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    check(value is None or value in known, f"{name} must be one of {', '.join(known)}, got {value!r}")
