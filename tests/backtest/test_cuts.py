import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.bars import Bars
from backtest.proof.cuts import CUTS, cut_rows, edge_rows

HOUR = np.timedelta64(3_600_000_000, "us")


def bars(hours):
    start = np.datetime64("2026-01-02", "us") + np.array(hours) * HOUR
    px = np.ones(start.size)
    return Bars("BTC", "hyperliquid", "market", "1h", HOUR, start, px, px, px, px, px)


def drawn(hours, side, cuts, seed=0):
    return cut_rows(bars(hours), np.array(side), cuts, np.random.default_rng(seed))


def test_first_and_last_entry_come_first_and_then_the_closes_before_them():
    side = np.zeros(30, int)
    side[[4, 9, 15, 20]] = 1, -1, 1, -1
    assert drawn(range(30), side, 1) == [4]
    assert drawn(range(30), side, 2) == [4, 20]
    assert drawn(range(30), side, 3) == [3, 4, 20]
    assert drawn(range(30), side, 4) == [3, 4, 19, 20]
    assert set(drawn(range(30), side, 12)) > {3, 4, 9, 15, 19, 20}


def test_no_cut_lies_before_a_hole_or_at_the_end():
    assert drawn([0, 1, 3, 4, 5], [1, 1, 1, 1, 1], 9) == [0, 2, 3]


def test_without_entries_any_close_is_drawn():
    assert len(drawn(range(30), np.zeros(30), 5)) == 5
    assert drawn(range(30), np.zeros(30), 5) == drawn(range(30), np.zeros(30), 5)
    assert drawn(range(30), np.zeros(30), 5) != drawn(range(30), np.zeros(30), 5, seed=1)


def test_no_cuts_are_refused():
    with pytest.raises(ValueError, match="cuts 0 must be 1 or more"):
        drawn(range(3), [0, 0, 0], 0)


@given(
    st.lists(st.integers(-1, 1), min_size=1, max_size=40),
    st.integers(1, 60),
    st.integers(0, 9),
)
def test_there_are_as_many_cuts_as_asked_for_or_as_closes(side, cuts, seed):
    rows = drawn(range(len(side)), side, cuts, seed)
    assert rows == sorted(set(rows))
    assert len(rows) == min(cuts, len(side) - 1)
    assert not rows or (rows[0] >= 0 and rows[-1] < len(side) - 1)


def test_entries_are_cut_behind_all_over_the_period():
    side = np.zeros(400, int)
    side[10::4] = 1
    rows = drawn(range(400), side, 8)
    entries = [row for row in rows if side[row]]
    assert len(entries) == 6
    # Of the 96 between the first and the last one of each quarter.
    assert [(row - 14) // 96 for row in entries[1:-1]] == [0, 1, 2, 3]
    assert drawn(range(400), side, 8) != drawn(range(400), side, 8, seed=1)


def test_every_entry_may_be_cut_behind():
    side = np.zeros(30, int)
    side[[4, 9, 15, 20, 29]] = 1, -1, 1, -1, 1
    assert drawn(range(30), side, None) == [3, 4, 9, 15, 19, 20]


def test_behind_every_entry_of_a_rule_that_has_none_closes_are_cut_all_over_the_period():
    """Or nothing would be compared, and the proof would say that nothing changed."""
    rows = drawn(range(80), np.zeros(80), None)
    assert rows == drawn(range(80), np.zeros(80), CUTS)
    assert [row // 10 for row in rows] == list(range(CUTS))
    last_alone = np.zeros(30, int)
    last_alone[29] = 1
    assert len(drawn(range(30), last_alone, None)) == CUTS


def test_the_edges_are_those_that_nobody_draws():
    side = np.zeros(30, int)
    side[[4, 9, 15, 20]] = 1, -1, 1, -1
    assert edge_rows(bars(range(30)), side) == [4, 20, 3, 19]
    assert edge_rows(bars(range(30)), np.zeros(30, int)) == []
