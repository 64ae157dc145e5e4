"""Random graphs: forward, gradients of every leaf, second order."""

import pytest

from parity_tests.searches import EDGES, INFINITIES, SMOOTH, WHOLE

PARTS = 4


@pytest.mark.parity(SMOOTH.name, SMOOTH.title)
@pytest.mark.parametrize("part", range(PARTS))
def test_smooth_graphs_differ_by_rounding_only(hold, part):
    hold(SMOOTH, part, PARTS)


@pytest.mark.parity(WHOLE.name, WHOLE.title)
@pytest.mark.parametrize("part", range(PARTS))
def test_graphs_of_small_integers_are_equal_bit_for_bit(hold, part):
    hold(WHOLE, part, PARTS)


@pytest.mark.parity(EDGES.name, EDGES.title)
def test_extremes_of_float32(hold):
    hold(EDGES)


@pytest.mark.parity(INFINITIES.name, INFINITIES.title)
def test_infinities_and_nan(hold):
    hold(INFINITIES)
