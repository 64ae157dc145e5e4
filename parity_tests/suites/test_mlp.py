"""Random MLPs: weights by seed or by state_dict in either direction, every step of a training run."""

import pytest

from parity_tests.searches import MLPS

PARTS = 4


@pytest.mark.parity(MLPS.name, MLPS.title)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_step_of_a_training_run_agrees(hold, part):
    hold(MLPS, part, PARTS)
