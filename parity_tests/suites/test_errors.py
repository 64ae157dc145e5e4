"""Invalid programs: the same exception, the same words, the operands unchanged."""

import pytest

from parity_tests.searches import ERRORS


@pytest.mark.parametrize("family", ERRORS)
def test_mistakes_are_refused_in_the_same_words(hold, family):
    hold(ERRORS[family])
