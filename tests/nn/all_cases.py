"""Every public layer, from the tables of its family."""

from tests.nn import cases, cases_chemists, cases_gilmer, cases_readouts, cases_spectral, cases_wholes

CASES = [*cases.CASES, *cases_spectral.CASES, *cases_gilmer.CASES, *cases_chemists.CASES, *cases_readouts.CASES]
CASES += cases_wholes.CASES
