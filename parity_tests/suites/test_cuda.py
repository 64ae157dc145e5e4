"""Scripts ask for a GPU before they use one: the answers are those of a torch without CUDA."""

from __future__ import annotations

from parity_tests.check import assert_same


def test_there_is_no_gpu(torch, candidate):
    for ask in (
        lambda ns: ns.cuda.is_available(),
        lambda ns: ns.cuda.device_count(),
        lambda ns: ns.device("cuda" if ns.cuda.is_available() else "cpu").type,
        lambda ns: ns.cuda.manual_seed_all(1),
    ):
        assert_same(ask(torch), ask(candidate))
