"""The null control: torch against itself, over everything that is searched, shows no difference."""

import pytest

from parity_tests.searches import SUITES


@pytest.mark.parametrize("suite", SUITES, ids=[suite.name for suite in SUITES])
def test_torch_against_itself_shows_no_difference(hold_reference, suite):
    hold_reference(suite)
