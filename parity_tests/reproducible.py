"""What Hypothesis draws depends on the seed alone.

Some of its numbers and texts are taken from the source of whichever modules are loaded by then.  With tests shared out
among processes that is never twice the same, and so a derandomized run would not give the same verdict twice.
"""

from hypothesis.internal.conjecture import providers


def draw_from_the_seed_alone() -> None:
    """Have Hypothesis look at no module's source: it goes on with the constants that it has found so far, which are none."""
    found = providers._local_constants
    providers._get_local_constants = lambda: found
