"""Programs that are written out: functions of a namespace, each a test of its own under the name of the function."""

from parity_tests.suites._programs import same


class Programs(dict):
    """Decorate a function with `program` to have it run under both frameworks."""

    def program(self, function):
        self[function.__name__.replace("_", " ")] = function
        return function

    def agree(self, torch, candidate, name):
        """The same result, or the same error."""
        same(torch, candidate, self[name])


def leaf(torch, *shape):
    """-1, 0, 1, ...: small integers, so that results are due bit for bit; requires grad."""
    size = 1
    for each in shape:
        size *= each
    return (torch.arange(size).reshape(shape).to(torch.float32) - 1).requires_grad_()
