"""The comparator: what differs is said, at its place; what does not differ is not."""

import numpy as np
import pytest
import torch

from parity_tests.check import (
    Derived,
    Disagreement,
    Exact,
    Normwise,
    Outcome,
    Raised,
    Tally,
    assert_same,
    compare,
    normalise,
    take,
    tallying,
)
from parity_tests.check.snapshot import leaves

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def outcomes(expected, actual, judge=None):
    return [each.outcome for each in compare(take(expected), take(actual), judge)]


def test_a_result_equals_itself():
    tree = {"a": [X, None, 3, 2.5, float("nan"), "text"], "b": (torch.tensor(float("nan")), torch.Size([2]))}
    assert compare(take(tree), take(tree)) == []


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (X + 1, Outcome.VALUE),
        (X.double(), Outcome.DTYPE),
        (X[:1], Outcome.SHAPE),
        (X.reshape(4), Outcome.SHAPE),
        (X.t().contiguous().t(), Outcome.METADATA),
        (X.clone().requires_grad_(), Outcome.METADATA),
        (torch.nn.Parameter(X, requires_grad=False), Outcome.METADATA),
        (X.numpy(), Outcome.METADATA),
        (None, Outcome.METADATA),
        (4.0, Outcome.METADATA),
    ],
)
def test_each_difference_has_its_own_name(other, outcome):
    assert outcome in outcomes(X, other)


def test_nothing_broadcasts():
    assert outcomes(torch.ones(3), torch.ones(1)) == [Outcome.SHAPE]
    assert outcomes(torch.ones(()), torch.ones(1)) == [Outcome.SHAPE]


def test_lengths_are_compared():
    assert outcomes([X, X], [X]) != []
    assert outcomes([], [X]) != []
    assert outcomes({"a": X}, {"a": X, "b": X}) == [Outcome.METADATA]


def test_a_list_is_no_tuple():
    assert outcomes([X], (X,)) == [Outcome.METADATA]


def test_numbers_keep_their_type():
    assert outcomes(1, 1.0) == [Outcome.METADATA]
    assert outcomes(1, True) == [Outcome.METADATA]
    assert outcomes(1.0, 1.0 + 1e-15) == [Outcome.VALUE]


def test_nan_equals_only_nan():
    nan, inf = torch.tensor(float("nan")), torch.tensor(float("inf"))
    assert outcomes(nan, nan.clone()) == []
    for other in (inf, torch.tensor(0.0)):
        assert outcomes(nan, other) == [Outcome.VALUE]
        assert outcomes(other, nan, Normwise(take(other.double()))) == [Outcome.VALUE]


def test_zeros_have_a_sign_bit_for_bit():
    assert outcomes(torch.tensor(0.0), torch.tensor(-0.0)) == [Outcome.VALUE]


def test_a_missing_gradient_is_a_difference():
    with_grad, without = X.clone().requires_grad_(), X.clone().requires_grad_()
    with_grad.sum().backward()
    assert outcomes(with_grad, without) == [Outcome.METADATA]
    assert outcomes(without, with_grad) == [Outcome.METADATA]


def test_a_wrong_gradient_is_told_from_a_wrong_value():
    left, right = X.clone().requires_grad_(), X.clone().requires_grad_()
    left.sum().backward()
    (2 * right).sum().backward()
    assert outcomes(left, right) == [Outcome.GRAD]


def test_sharing_of_memory_is_compared_as_a_partition():
    base, copy = X.clone(), X.clone()
    assert outcomes([base, base.view(4), copy], [copy, copy.view(4), base]) == []
    assert outcomes([base, base.view(4)], [base, base.view(4).clone()]) == [Outcome.METADATA]
    assert outcomes([base, copy], [base, base]) == [Outcome.METADATA]


def test_axes_of_length_one_have_no_stride_to_speak_of():
    assert outcomes(torch.ones(1, 3), torch.ones(3, 1).t()) == []


@pytest.mark.parametrize(
    ("expected", "actual", "outcome"),
    [
        (Raised("step 1", "ValueError", "no"), Raised("step 1", "ValueError", "no"), None),
        (Raised("step 1", "ValueError", "no"), Raised("step 1", "TypeError", "no"), Outcome.ERROR),
        (Raised("step 1", "ValueError", "no"), Raised("step 1", "ValueError", "nope"), Outcome.ERROR),
        (Raised("step 1", "ValueError", "no"), Raised("backward", "ValueError", "no"), Outcome.ERROR),
        (Raised("step 1", "ValueError", "no"), None, Outcome.ERROR),
        (None, Raised("step 1", "ValueError", "no"), Outcome.ERROR),
        (None, Raised("step 1", "NotImplementedError", "no"), Outcome.UNSUPPORTED),
        (None, Raised("step 1", "Unsupported", "torch.f is missing", unsupported=True), Outcome.UNSUPPORTED),
        (
            Raised("step 1", "NotImplementedError", "no"),
            Raised("step 1", "NotImplementedError", "never"),
            Outcome.ERROR,
        ),
    ],
)
def test_errors_agree_in_class_phase_and_words(expected, actual, outcome):
    assert outcomes(expected, actual) == ([] if outcome is None else [outcome])


def test_addresses_and_paths_are_no_part_of_a_message():
    assert normalise("<object at 0x7f3a> in /usr/lib/a.py:12") == normalise("<object at 0x55> in /home/me/b.py:7")
    assert normalise("expected 2 but got 3") != normalise("expected 3 but got 2")
    assert normalise("a/b") == "a/b"


def test_the_gravest_difference_names_the_disagreement():
    with pytest.raises(Disagreement) as raised:
        assert_same({"a": X, "b": X}, {"a": X + 1, "b": X.double()})
    assert raised.value.outcome == Outcome.DTYPE
    assert "a: 4 of 4 differ" in str(raised.value)


def test_bit_equal_arrays_are_counted():
    with tallying(Tally()) as tally:
        compare(take([X, X]), take([X, X + 1e-3]))
    assert (tally.compared, tally.exact) == (2, 1)


def test_comparing_does_not_raise():
    assert [str(each) for each in compare(take([X]), take([X + 1]))] == [
        "[value] [0]: 4 of 4 differ; at [0, 0] 2.0, expected 1.0: equality bit for bit is due"
    ]


# -- tolerance: oracles of which the truth is known


def judged(oracle, reference, actual, **options):
    judge = Derived(oracle, **options)
    with tallying(Tally()) as tally:
        found = compare(take(reference), take(actual), judge)
    return [each.outcome for each in found], tally.set_apart


def by_path(result):
    return {path: snapshot.value for path, snapshot in leaves(take(result))}


def disturbed(array, delta, seed, stream=0):
    return array * (1 + delta * np.random.default_rng([seed, stream]).standard_normal(array.shape))


BIG = np.random.default_rng(0).standard_normal(64) * 1e4


def cancelling(delta, seed):
    """(x + 1) - x: the result is of order one, its rounding errors are of the order of x."""
    shifted = disturbed(disturbed(BIG, delta, seed) + 1, delta, seed, 1)
    return by_path(torch.from_numpy(shifted - disturbed(BIG, delta, seed)))


def test_cancellation_is_covered_by_the_scale_of_what_cancels():
    reference = torch.ones(64)
    ulps = torch.from_numpy(BIG * 2.0**-23).float()
    assert judged(cancelling, reference, reference + 2 * ulps) == ([], 0)
    assert judged(cancelling, reference, reference + 50 * ulps) == ([Outcome.VALUE], 0)


def smooth(delta, seed):
    return by_path(torch.from_numpy(np.exp(disturbed(np.linspace(-1, 1, 50), delta, seed))))


def test_a_few_units_in_the_last_place_are_allowed_and_no_more():
    reference = torch.exp(torch.linspace(-1, 1, 50, dtype=torch.float64)).float()
    up = lambda x, ulps: x * (1 + ulps * 2.0**-23)  # noqa: E731
    assert judged(smooth, reference, up(reference, 2)) == ([], 0)
    assert judged(smooth, reference, up(reference, 40)) == ([Outcome.VALUE], 0)


def test_torchs_own_error_widens_the_tolerance_where_it_was_made():
    truth = np.exp(np.linspace(-1, 1, 50))
    reference = torch.from_numpy(truth).float()
    reference[3] += 1e-3
    actual = torch.from_numpy(truth).float()
    assert judged(smooth, reference, actual) == ([], 0)
    actual[4] += 1e-3
    assert judged(smooth, reference, actual) == ([Outcome.VALUE], 0)


def kinked(delta, seed):
    """The gradient of relu at a point that rounding alone sets off zero, and at one far from it."""
    x = np.array([1.0, 1.0]) - np.array([1.0, 0.5])
    x += delta * np.random.default_rng(seed).standard_normal(2)
    return by_path(torch.from_numpy((x > 0).astype(np.float64)))


def test_a_kink_is_set_apart_not_forgiven():
    reference = torch.tensor([0.0, 1.0])
    assert judged(kinked, reference, torch.tensor([1.0, 1.0])) == ([], 1)
    assert judged(kinked, reference, torch.tensor([0.0, 0.0])) == ([Outcome.VALUE], 0)


def test_exact_programs_are_due_bit_for_bit_where_nothing_was_rounded():
    def oracle(delta, seed):
        return by_path(torch.tensor([3.0, 1 / 3], dtype=torch.float64))

    third = torch.tensor([3.0, 1 / 3])
    near = torch.nextafter(third, torch.zeros(2))
    assert judged(oracle, third, torch.stack([third[0], near[1]]), exact=True) == ([], 0)
    whole = torch.tensor([3.0, 2.0])
    assert judged(lambda delta, seed: by_path(whole.double()), whole, torch.nextafter(whole, third), exact=True) == (
        [Outcome.VALUE],
        0,
    )


def test_integers_do_not_round():
    assert outcomes(torch.tensor([1, 2]), torch.tensor([1, 3]), Normwise(take(torch.tensor([1, 3])))) == [Outcome.VALUE]


def test_float64_programs_are_held_to_float64s_rounding():
    def oracle(delta, seed):
        return by_path(torch.from_numpy(np.exp(disturbed(np.linspace(-1, 1, 50), delta, seed))))

    reference = torch.exp(torch.linspace(-1, 1, 50, dtype=torch.float64))
    assert judged(oracle, reference, reference * (1 + 4e-16), rounding=2.0**-53) == ([], 0)
    assert judged(oracle, reference, reference * (1 + 1e-13), rounding=2.0**-53) == ([Outcome.VALUE], 0)


Z = torch.tensor([1 + 2j, complex(0, -0.0), complex(float("nan"), 1), complex(float("inf"), 0)])


@pytest.mark.parametrize(
    "other",
    [
        torch.tensor([1 - 2j, *Z.tolist()[1:]]),
        torch.tensor([1 + 2j, 0, *Z.tolist()[2:]]),
        torch.tensor([*Z.tolist()[:2], complex(1, float("nan")), Z[3].item()]),
        torch.tensor([*Z.tolist()[:3], complex(float("inf"), float("nan"))]),
    ],
)
def test_complex_numbers_are_compared_part_by_part(other):
    assert outcomes(Z, Z.clone()) == []
    assert outcomes(Z, other) == [Outcome.VALUE]


def test_complex_numbers_round_as_far_as_their_absolute_value_says():
    def oracle(delta, seed):
        return by_path(torch.tensor([1000 + 1j], dtype=torch.complex128))

    reference = torch.tensor([1000 + 1j])
    assert judged(oracle, reference, reference + 1e-4j) == ([], 0)
    assert judged(oracle, reference, reference + 1e-2j) == ([Outcome.VALUE], 0)


def test_exact_is_the_rule_without_a_judge():
    assert outcomes(X, torch.nextafter(X, X + 1)) == outcomes(X, torch.nextafter(X, X + 1), Exact()) == [Outcome.VALUE]
