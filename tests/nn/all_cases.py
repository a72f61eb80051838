"""Every public layer, from the tables of its family."""

from tests.nn import (
    cases,
    cases_chemists,
    cases_deep,
    cases_gilmer,
    cases_heterophily,
    cases_readouts,
    cases_signs,
    cases_spectral,
    cases_wholes,
)

CASES = [*cases.CASES, *cases_spectral.CASES, *cases_gilmer.CASES, *cases_chemists.CASES, *cases_readouts.CASES]
CASES += cases_signs.CASES
CASES += cases_heterophily.CASES
CASES += cases_deep.CASES
CASES += cases_wholes.CASES
