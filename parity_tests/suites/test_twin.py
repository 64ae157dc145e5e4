"""Twin state machine: views, writes in place, graphs and modes, everything compared after every step."""

import pytest

from parity_tests.searches import TWINS

PARTS = 4


@pytest.mark.parity(TWINS.name, TWINS.title)
@pytest.mark.parametrize("part", range(PARTS))
def test_both_worlds_look_the_same_after_every_step(hold, part):
    hold(TWINS, part, PARTS)
