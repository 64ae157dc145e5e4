"""Expressions: what a line of Python comes to under each framework, told as plain data.

An expression is evaluated with `ns`, the framework, `np` and names that the suite adds.  Its value is told by type, dtype
and elements, so that a NumPy array is not taken for a tensor, nor a NumPy number for a Python one; an error by class and
message.
"""

import copy
import math
import operator
import pickle
import re

import numpy as np

from parity_tests.check import assert_same
from parity_tests.check.snapshot import is_tensor

_MODULES = {"copy": copy, "math": math, "np": np, "operator": operator, "pickle": pickle}


def told(value):
    """`value` as plain data that is equal exactly if the values are."""
    if isinstance(value, type):
        return "type", value.__name__
    if is_tensor(value):
        node = None if value.grad_fn is None else value.grad_fn.name()
        return type(value).__name__, str(value.dtype)[-9:], tuple(value.shape), repr(value.tolist()), node
    if isinstance(value, np.ndarray):
        return "ndarray", value.dtype.str, value.shape, repr(value.tolist())
    if isinstance(value, (tuple, list)):
        return type(value).__name__, [told(each) for each in value]
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    return type(value).__name__, re.sub(" at 0x[0-9a-f]+", "", repr(value))


def outcome(ns, expression, names):
    """What `expression` comes to, with the frameworks' own names read as torch's."""
    package = ns.__name__
    try:
        result = told(eval(expression, {"ns": ns, **_MODULES, **names}))
    except Exception as error:  # noqa: BLE001 -- the error is what is compared
        result = type(error).__name__, str(error)
    return _read_as_torch(result, package)


def _read_as_torch(result, package):
    if isinstance(result, str):
        return result.replace(package, "torch")
    if isinstance(result, (tuple, list)):
        return type(result)(_read_as_torch(each, package) for each in result)
    if isinstance(result, dict):
        return {key: _read_as_torch(each, package) for key, each in result.items()}
    return result


def same_outcomes(torch, candidate, expressions, make=lambda ns: {}):
    """Fail unless every expression comes to the same under both; `make(ns)` gives it names of its own, anew each time."""
    expected, actual = ({each: outcome(ns, each, make(ns)) for each in expressions} for ns in (torch, candidate))
    assert_same(expected, actual)
