"""The networks of Gilmer et al. and of Battaglia et al. obey the laws; that of equal bits in the table of all."""

from dataclasses import replace

import pytest

from grapevine.testing import check_case, check_same_bits
from tests.nn.cases_gilmer import CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_laws(case):
    check_case(replace(case, exempt=(*case.exempt, check_same_bits)))
