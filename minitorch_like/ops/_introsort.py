"""Where equal elements end up when an unstable algorithm orders them: as in the C++ library with which torch is built.

`torch.sort` without `stable=True`, `topk`, `mode` and `kthvalue` give the indices that the algorithms of that library leave
behind: introsort and introselect (D. Musser, "Introspective sorting and selection algorithms", 1997), heaps, and Hoare's
quickselect.  Their comparisons are repeated here step by step; but all parts of all rows are divided at the same time, and
the exchanges of one division are found by NumPy at once, since both of its pointers only ever move inwards.

The functions take keys, integers of which only the order counts: (rows, n), and return places, (rows, n): what is put
where, by its number in the row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ._table import Array

_FEW = 16  # elements: so short a part of introsort is left to insertion, which is stable
_FEWEST = 3  # the same in introselect


def introsort(keys: Array) -> Array:
    """The places of a sort in ascending order of `keys`."""
    rows, size = keys.shape
    keys, places = keys.copy(), _identity(rows, size)
    if size > _FEW:
        _divide(keys, places)
    # what is left is insertion sort, whose result is that of any stable sort
    order = np.argsort(keys, axis=1, kind="stable")
    return np.take_along_axis(places, order, 1)


def introselect(keys: Array, nth: int) -> tuple[Array, Array]:
    """Keys and places after the one that belongs at `nth` was put there, less ones before it and greater ones after."""
    rows, size = keys.shape
    keys, places = keys.copy(), _identity(rows, size)
    k, p = keys.reshape(-1), places.reshape(-1)
    start = np.arange(rows) * size
    first, last, target = start.copy(), start + size, start + nth
    depth = 2 * (size.bit_length() - 1)
    while (open_ := np.flatnonzero(last - first > _FEWEST)).size:
        if not depth:
            for row in open_.tolist():
                _select_by_heap(k, p, int(first[row]), int(target[row]), int(last[row]))
            last[open_] = first[open_]
            break
        depth -= 1
        cuts = _partition(k, p, first[open_], last[open_])
        before = cuts <= target[open_]
        first[open_] = np.where(before, cuts, first[open_])
        last[open_] = np.where(before, last[open_], cuts)
    for row in np.flatnonzero(last - first > 1).tolist():
        _insert(k, p, int(first[row]), int(last[row]))
    return keys, places


def partial_sort(keys: Array, count: int) -> Array:
    """The places of the `count` least keys of a row, in order: (n,) -> (count,)."""
    pairs = list(zip(keys[:count].tolist(), range(count), strict=True))
    _make_heap(pairs)
    # the greatest of the heap only ever gets less, so that what is not less than the first one never enters
    for place in (np.flatnonzero(keys[count:] < pairs[0][0]) + count).tolist():
        pair = (int(keys[place]), place)
        if pair[0] < pairs[0][0]:
            _sift(pairs, 0, len(pairs), pair)
    _sort_heap(pairs)
    return np.array([place for _, place in pairs], np.int64)


def quickselect(keys: Array, nth: int) -> int:
    """The place of what belongs at `nth` of a row, by Hoare's quickselect with the median of three: (n,) -> ()."""
    keys, places = keys.copy(), np.arange(keys.size)
    low, high = 0, keys.size - 1

    def exchange(a: Any, b: Any) -> None:
        keys[a], keys[b] = keys[b], keys[a]
        places[a], places[b] = places[b], places[a]

    while high > low:
        if high == low + 1:
            if keys[low] > keys[high]:
                exchange(low, high)
            break
        exchange(low + (high - low) // 2, low + 1)
        for a, b in ((low + 1, high), (low, high), (low + 1, low)):
            if keys[a] > keys[b]:
                exchange(a, b)
        stop = _divide_about(keys, places, low, high)
        exchange(low, stop[1])
        if stop[1] <= nth:
            low = stop[0]
        if stop[1] >= nth:
            high = stop[1] - 1
    return int(places[nth])


def _divide_about(keys: Array, places: Array, low: int, high: int) -> tuple[int, int]:
    """Exchange what is not less than the key at `low` with what is not greater, from both ends; where the pointers stop."""
    pivot = keys[low]
    ups = np.flatnonzero(keys[low + 2 : high + 1] >= pivot) + low + 2
    downs = (np.flatnonzero(keys[low + 1 : high] <= pivot) + low + 1)[::-1]
    both = min(ups.size, downs.size)
    met = int(np.count_nonzero(ups[:both] <= downs[:both]))
    left, right = ups[:met], downs[:met]
    for each in (keys, places):
        each[left], each[right] = each[right], each[left]
    last_up = int(left[-1]) if met else low
    last_down = int(right[-1]) if met else high + 1
    if last_up == last_down:  # they have met, and what both have passed stops the other
        return last_up + 1, last_up - 1
    up = min([*ups[met : met + 1].tolist(), last_down])
    down = max([*downs[met : met + 1].tolist(), last_up])
    return up, down


# -- divisions ---------------------------------------------------------------------------------------------------------


def _identity(rows: int, size: int) -> Array:
    return np.broadcast_to(np.arange(size), (rows, size)).copy()


def _divide(keys: Array, places: Array) -> None:
    """The divisions of introsort, all parts of one depth at once, until only short ones are left."""
    rows, size = keys.shape
    k, p = keys.reshape(-1), places.reshape(-1)
    first = np.arange(rows) * size
    last = first + size
    depth = 2 * (size.bit_length() - 1)
    while first.size:
        if not depth:
            for start, stop in zip(first.tolist(), last.tolist(), strict=True):
                _sort_by_heap(k, p, start, stop)
            return
        depth -= 1
        cuts = _partition(k, p, first, last)
        first, last = np.concatenate([first, cuts]), np.concatenate([cuts, last])
        long = last - first > _FEW
        first, last = first[long], last[long]


def _partition(k: Array, p: Array, first: Array, last: Array) -> Array:
    """Divide each part [first, last) about the median of three of its keys, which is put at its beginning.

    Returns where the second halves begin.
    """
    _median_first(k, p, first, last)
    sizes = last - first - 1
    starts = np.cumsum(sizes) - sizes
    part = np.repeat(np.arange(first.size), sizes)
    place = np.arange(part.size) + (first + 1 - starts)[part]
    found, pivots = k[place], k[first][part]
    ups, downs = np.flatnonzero(found >= pivots), np.flatnonzero(found <= pivots)
    up_counts, down_counts = (np.bincount(part[each], minlength=first.size) for each in (ups, downs))
    up_starts, down_ends = np.cumsum(up_counts) - up_counts, np.cumsum(down_counts)
    # the t-th from the left meets the t-th from the right
    of = part[ups]
    turn = np.arange(ups.size) - up_starts[of]
    partner = down_ends[of] - 1 - turn
    paired = np.flatnonzero(turn < down_counts[of])
    left, right = place[ups[paired]], place[downs[partner[paired]]]
    met = left < right
    left, right = left[met], right[met]
    for each in (k, p):
        each[left], each[right] = each[right], each[left]
    met_counts = np.bincount(of[paired[met]], minlength=first.size)
    beyond = place.size + k.size
    next_up = np.full(first.size, beyond)
    more = met_counts < up_counts
    next_up[more] = place[ups[(up_starts + met_counts)[more]]]
    last_down = np.full(first.size, beyond)
    some = met_counts > 0
    last_down[some] = place[downs[(down_ends - met_counts)[some]]]
    return np.minimum(next_up, last_down)


def _median_first(k: Array, p: Array, first: Array, last: Array) -> None:
    """Exchange the first of each part with the median of the second, the middle one and the last."""
    a, b, c = first + 1, first + (last - first) // 2, last - 1
    ka, kb, kc = k[a], k[b], k[c]
    if_less = np.where(kb < kc, b, np.where(ka < kc, c, a))
    otherwise = np.where(ka < kc, a, np.where(kb < kc, c, b))
    median = np.where(ka < kb, if_less, otherwise)
    for each in (k, p):
        each[first], each[median] = each[median], each[first]


def _insert(k: Array, p: Array, first: int, last: int) -> None:
    order = np.argsort(k[first:last], kind="stable")
    for each in (k, p):
        each[first:last] = each[first:last][order]


# -- heaps: of (key, place), the greatest key at the top ----------------------------------------------------------------

Pair = tuple[int, int]


def _sort_by_heap(k: Array, p: Array, first: int, last: int) -> None:
    pairs = _pairs(k, p, first, last)
    _make_heap(pairs)
    _sort_heap(pairs)
    _put(k, p, first, pairs)


def _select_by_heap(k: Array, p: Array, first: int, nth: int, last: int) -> None:
    """What introselect does with a part that divisions have not made small."""
    pairs = _pairs(k, p, first, last)
    heap, rest = pairs[: nth + 1 - first], pairs[nth + 1 - first :]
    _make_heap(heap)
    for place, pair in enumerate(rest):
        if pair[0] < heap[0][0]:
            rest[place] = heap[0]
            _sift(heap, 0, len(heap), pair)
    heap[0], heap[-1] = heap[-1], heap[0]
    _put(k, p, first, heap + rest)


def _pairs(k: Array, p: Array, first: int, last: int) -> list[Pair]:
    return list(zip(k[first:last].tolist(), p[first:last].tolist(), strict=True))


def _put(k: Array, p: Array, first: int, pairs: list[Pair]) -> None:
    k[first : first + len(pairs)] = [key for key, _ in pairs]
    p[first : first + len(pairs)] = [place for _, place in pairs]


def _make_heap(pairs: list[Pair]) -> None:
    for parent in range((len(pairs) - 2) // 2, -1, -1):
        _sift(pairs, parent, len(pairs), pairs[parent])


def _sort_heap(pairs: list[Pair]) -> None:
    for last in range(len(pairs) - 1, 0, -1):
        pair, pairs[last] = pairs[last], pairs[0]
        _sift(pairs, 0, last, pair)


def _sift(pairs: list[Pair], hole: int, size: int, pair: Pair) -> None:
    """Let the greater children move up into the hole, down to a leaf, and put the pair from there where it belongs."""
    top = child = hole
    while child < (size - 1) // 2:
        child = 2 * (child + 1)
        if pairs[child][0] < pairs[child - 1][0]:
            child -= 1
        pairs[hole] = pairs[child]
        hole = child
    if size % 2 == 0 and child == (size - 2) // 2:
        child = 2 * child + 1
        pairs[hole] = pairs[child]
        hole = child
    while hole > top and pairs[parent := (hole - 1) // 2][0] < pair[0]:
        pairs[hole] = pairs[parent]
        hole = parent
    pairs[hole] = pair
