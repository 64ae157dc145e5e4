"""Kinks hit exactly: relu at 0, ties in max, clamp at its bound, sqrt at 0, with exact inputs."""

import pytest

from parity_tests.searches import KINKS


@pytest.mark.parity(KINKS.name, KINKS.title)
def test_subgradients_are_the_same(hold):
    hold(KINKS)
