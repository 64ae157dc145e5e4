"""`torch.compiler`'s functions where nothing is compiled: what programs ask in passing."""

import pytest

from parity_tests.suites._programs import same

_PROGRAMS = {
    "questions": lambda c: (c.is_compiling(), c.is_dynamo_compiling(), c.is_exporting()),
    "requests": lambda c: (c.reset(), c.cudagraph_mark_step_begin()),
    "disable": lambda c: (c.disable(_plain)(2), c.disable(_plain).__name__, c.disable(_plain).__doc__),
    "disable with arguments": lambda c: c.disable(recursive=False, reason="none")(_plain)(2),
    "allow_in_graph": lambda c: (c.allow_in_graph(_plain) is _plain, c.allow_in_graph([_plain]) == [_plain]),
    "allow_in_graph of a number": lambda c: c.allow_in_graph(1),
    "assume_constant_result": lambda c: c.assume_constant_result(_plain) is _plain,
}


def _plain(x):
    """Add one."""
    return x + 1


@pytest.mark.parametrize("name", _PROGRAMS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_functions(torch, candidate, name):
    same(torch, candidate, lambda ns: _PROGRAMS[name](ns.compiler))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_disabled_module(torch, candidate):
    def program(ns):
        ns.manual_seed(0)
        module = ns.compiler.disable(ns.nn.Linear(2, 1))
        return repr(module), module(ns.ones(1, 2)), list(module.state_dict()), module.weight, module.eval().training

    same(torch, candidate, program)
