from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.statistics.splits import combinatorial, paths, walk_forward

lives = st.lists(st.tuples(st.integers(-50, 100), st.integers(0, 30)), min_size=1, max_size=30)
spans = st.integers(1, 40)
embargoes = st.integers(0, 15)


def arrays(rows):
    start = np.array([start for start, _ in rows], dtype=np.int64)
    return start, start + np.array([length for _, length in rows], dtype=np.int64)


def touch(one, other, start, end):
    return start[one] <= end[other] and start[other] <= end[one]


START = np.array([0, 5, 10, 12, 20, 25, 31])
END = np.array([4, 10, 11, 22, 21, 29, 40])


def as_lists(splits):
    return [(split.train.tolist(), split.test.tolist()) for split in splits]


def test_a_walk_forward_by_hand():
    """Spans [10, 20), [20, 30), [30, 40).  Trade 1 ends as the first span begins, and is
    purged; trade 3 lives into the second; no trade is alive at 30."""
    rolling = as_lists(walk_forward(START, END, train=10, test=10))
    assert rolling == [([0], [2, 3]), ([2], [4, 5]), ([4, 5], [6])]
    anchored = as_lists(walk_forward(START, END, train=10, test=10, anchored=True))
    assert anchored == [([0], [2, 3]), ([0, 1, 2], [4, 5]), ([0, 1, 2, 3, 4, 5], [6])]
    # Nothing may live within 6 before a span: from 4, 14 and 24 on.
    held = as_lists(walk_forward(START, END, train=10, test=10, embargo=6))
    assert held == [([], [2, 3]), ([2], [4, 5]), ([4], [6])]


def test_combinations_by_hand():
    """Groups {0, 1, 2}, {3, 4}, {5, 6} live over [0, 11], [12, 22], [25, 40]."""
    found = list(combinatorial(START, END, groups=3, tested=1))
    assert as_lists(found) == [
        ([3, 4, 5, 6], [0, 1, 2]),
        ([0, 1, 2, 5, 6], [3, 4]),
        ([0, 1, 2, 3, 4], [5, 6]),
    ]
    # Trade 3 starts 1 after the first group, trade 5 starts 3 after the second.
    held = as_lists(combinatorial(START, END, groups=3, tested=1, embargo=3))
    assert held == [([4, 5, 6], [0, 1, 2]), ([0, 1, 2, 6], [3, 4]), ([0, 1, 2, 3, 4], [5, 6])]
    both = list(combinatorial(START, END, groups=3, tested=2))
    assert as_lists(both)[1] == ([3, 4], [0, 1, 2, 5, 6])
    # {0, 1}, {0, 2}, {1, 2}: each group is on path 0 first and on path 1 then.
    assert [split.path.tolist() for split in both] == [
        [0, 0, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 1, 1],
    ]


def test_a_long_trade_is_purged_from_both_sides():
    """Trade 1 lives through all the others of the middle: whoever tests it fits on none."""
    start, end = np.array([0, 10, 20, 30]), np.array([5, 35, 25, 31])
    train = [split.train.tolist() for split in combinatorial(start, end, 4, 1)]
    assert train == [[1, 2, 3], [0], [0, 3], [0, 2]]


@given(rows=lives, train=spans, test=spans, embargo=embargoes, anchored=st.booleans())
def test_a_walk_forward_fits_on_the_past_alone(rows, train, test, embargo, anchored):
    start, end = arrays(rows)
    splits = list(walk_forward(start, end, train, test, embargo, anchored))
    tested = np.concatenate([split.test for split in splits]) if splits else np.array([])
    # Every trade from the first span on is tested once.
    assert sorted(tested) == np.flatnonzero(start >= start.min() + train).tolist()
    first = start.min() + train
    for split in splits:
        assert split.test.size
        low = first + (start[split.test[0]] - first) // test * test
        assert ((start[split.test] >= low) & (start[split.test] < low + test)).all()
        since = start.min() if anchored else low - train
        fitted = [
            number
            for number in range(start.size)
            if since <= start[number] and end[number] + embargo < low
        ]
        assert split.train.tolist() == fitted
        for one in split.train:
            assert not any(touch(one, other, start, end) for other in split.test)
        assert not split.path.any()


@given(rows=lives, embargo=embargoes, data=st.data())
def test_combinations_leak_nothing_and_test_all(rows, embargo, data):
    start, end = arrays(rows + rows[:1] * 2)
    groups = data.draw(st.integers(2, min(start.size, 6)))
    tested = data.draw(st.integers(1, groups - 1))
    splits = list(combinatorial(start, end, groups, tested, embargo))
    assert len(splits) == comb(groups, tested)
    # As the paths go, each holds every trade once.
    number = paths(groups, tested)
    assert number * groups == len(splits) * tested
    walked = sorted(
        (int(path), int(trade))
        for split in splits
        for path, trade in zip(split.path, split.test, strict=True)
    )
    assert walked == [(path, trade) for path in range(number) for trade in range(start.size)]
    for split in splits:
        assert not set(split.train) & set(split.test)
        for one in split.train:
            assert not any(touch(one, other, start, end) for other in split.test)
            # Nothing starts in the embargo after a trade under test.
            late = start[one] - end[split.test]
            assert not ((late > 0) & (late <= embargo)).any()


@given(rows=lives, data=st.data())
def test_no_more_is_purged_than_must_be(rows, data):
    """Of short trades that do not meet, all that are not tested are fitted on."""
    start = np.arange(len(rows) + 2) * 10
    groups = data.draw(st.integers(2, start.size))
    for split in combinatorial(start, start + 5, groups, 1):
        assert split.train.size + split.test.size == start.size


def test_a_long_silence_costs_nothing():
    """Ten years without a trade, in spans of a microsecond."""
    start = np.array([0, 10 * 365 * 86_400_000_000])
    (split,) = walk_forward(start, start, train=1, test=1)
    assert (split.train.size, split.test.tolist()) == (0, [1])
    assert list(walk_forward(start[:0], start[:0], 1, 1)) == []


def combine(start, end, *how, **more):
    return list(combinatorial(np.array(start), np.array(end), *how, **more))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: combine([1, 2], [2, 3], 2, 2), "tested must"),
        (lambda: combine([1, 2], [2, 3], 2, 0), "tested must"),
        (lambda: combine([1, 2], [2, 3], 3, 1), "as many as trades"),
        (lambda: combine([1, 2], [2, 1], 2, 1), "trade at 1 ends before"),
        (lambda: combine([1, 2], [2], 2, 1), "end must have the shape"),
        (lambda: combine([1.0, 2.0], [2.0, 3.0], 2, 1), "start must be whole"),
        (lambda: combine([1, 2], [2, 3], 2, 1, embargo=-1), "embargo must"),
        (lambda: list(walk_forward(START, END, 0, 1)), "train and test must"),
        (lambda: list(walk_forward(START, END, 1, 0)), "train and test must"),
        (lambda: list(walk_forward(START, END, 1, 1, -1)), "embargo must"),
        (lambda: list(walk_forward(START[None], END, 1, 1)), "start must have 1 dim"),
    ],
)
def test_what_cannot_be_split_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
