"""`torch.return_types`: what functions with several results return, and what programs make of it."""

import copy
import pickle

import pytest

from parity_tests.suites._programs import same

_MAKERS = {
    "max": lambda ns: ns.max(ns.tensor([[1.0, 4.0], [3.0, 2.0]]), 0),
    "min": lambda ns: ns.tensor([[1.0, 4.0], [3.0, 2.0]]).min(1),
    "max with out": lambda ns: ns.max(ns.ones(2, 2), 0, out=(ns.empty(2), ns.empty(2, dtype=ns.int64))),
    "aminmax": lambda ns: ns.aminmax(ns.tensor([1.0, 4.0])),
    "cummax": lambda ns: ns.cummax(ns.tensor([1.0, 4.0, 2.0]), 0),
    "frexp": lambda ns: ns.frexp(ns.tensor([1.0, 4.0])),
}
_USES = {
    "as a tuple": lambda r: (tuple(r), len(r), r[0], r[::-1], (*r, 1), isinstance(r, tuple), type(r[:1]).__name__),
    "names": lambda r: (type(r).__name__, type(r).__match_args__, r.n_fields, r.n_sequence_fields, r.n_unnamed_fields),
    "fields": lambda r: [getattr(r, name) for name in type(r).__match_args__],
    "no named tuple": lambda r: (hasattr(r, "_fields"), hasattr(r, "_asdict"), hasattr(r, "__dict__")),
    "text": lambda r: (repr(r), str(r)),
    "rebuilt": lambda r: type(r)(each.double() for each in r),
    "copies": lambda r: [
        type(f(r)).__name__ for f in (copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)))
    ],
    "of too little": lambda r: type(r)([1]),
    "of too much": lambda r: type(r)([1, 2, 3]),
    "of no sequence": lambda r: type(r)(1),
}


@pytest.mark.parametrize("use", _USES)
@pytest.mark.parametrize("maker", _MAKERS)
def test_uses(torch, candidate, maker, use):
    same(torch, candidate, lambda ns: _USES[use](_MAKERS[maker](ns)))
