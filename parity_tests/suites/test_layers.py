"""Random stacks of layers: forward, gradients of every leaf, second order."""

import pytest

from parity_tests.searches import LAYERS

PARTS = 4


@pytest.mark.parity(LAYERS.name, LAYERS.title)
@pytest.mark.parametrize("part", range(PARTS))
def test_stacks_of_layers_differ_by_rounding_only(hold, part):
    hold(LAYERS, part, PARTS)
