"""Units of files into ours: electronvolt and angstrom (CODATA 2018)."""

from typing import Literal

EnergyUnit = Literal["eV", "meV", "Ha", "kcal/mol", "kJ/mol"]
LengthUnit = Literal["angstrom", "bohr", "nm"]
StressUnit = Literal["eV/A^3", "GPa", "kbar"]
DipoleUnit = Literal["e*angstrom", "debye", "e*bohr"]

HARTREE = 27.211386245988  # eV
BOHR = 0.529177210903  # angstrom
DEBYE = 0.20819433442462  # e angstrom
_KJ_MOL = 1000 / (6.02214076e23 * 1.602176634e-19)  # eV, by the numbers that define mole and coulomb

ENERGY: dict[EnergyUnit, float] = {
    "eV": 1.0, "meV": 1e-3, "Ha": HARTREE, "kcal/mol": 4.184 * _KJ_MOL, "kJ/mol": _KJ_MOL,
}  # fmt: skip
LENGTH: dict[LengthUnit, float] = {"angstrom": 1.0, "bohr": BOHR, "nm": 10.0}
STRESS: dict[StressUnit, float] = {"eV/A^3": 1.0, "GPa": 1 / 160.2176634, "kbar": 1 / 1602.176634}
DIPOLE: dict[DipoleUnit, float] = {"e*angstrom": 1.0, "debye": DEBYE, "e*bohr": BOHR}
