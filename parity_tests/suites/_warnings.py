"""What programs warn of."""

import contextlib
import re
import warnings

# torch's C++ says where it warns from.
_ORIGIN = re.compile(r" \(Triggered internally at .*\)")


@contextlib.contextmanager
def every_warning(*namespaces):
    """Within it the warnings that are given once in a process are given every time."""
    for ns in namespaces:
        ns.set_warn_always(True)
    try:
        yield
    finally:
        for ns in namespaces:
            ns.set_warn_always(False)


def warned(ns, program):
    """What `program(ns)` returns, and the kinds and texts of the warnings on the way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = program(ns)
    texts = [(each.category.__name__, _ORIGIN.sub("", str(each.message))) for each in caught]
    return result, texts
