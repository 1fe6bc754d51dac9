"""Maps from sweeps, and what they cover: against the obvious version, on many small lakes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.reference.sweeps import BANDS, Question
from tests.rows import T0
from tests.warehouse.data_sweeps import HOURS, LATE, ask, contexts, fill, lake_of, sweeps

AGES = [timedelta(hours=hours) for hours in (0, 5, 26)]


questions = st.fixed_dictionaries(
    {
        "minute": st.tuples(st.integers(15, HOURS + 5), st.sampled_from([-1, 0, 30])).map(
            lambda moment: 60 * moment[0] + moment[1]
        ),
        "coin": st.sampled_from(["BTC", "BTC", "xyz:TSLA"]),
        "max_age": st.sampled_from(AGES),
        "knowable": st.booleans(),
        "untrusted": st.sampled_from([False, False, True]),
    }
)


def question_of(lake, asked):
    at = T0 + timedelta(minutes=asked["minute"])
    others = {name: value for name, value in asked.items() if name != "minute"}
    return Question(lake, at=at, **others)


@asked_of_a_lake
@given(sweeps=sweeps, contexts=contexts, asked=questions)
def test_positions_are_those_of_the_obvious_version(con, sweeps, contexts, asked):
    lake = lake_of(sweeps, contexts)
    fill(con, lake)
    want = question_of(lake, asked)
    held, answering = want.positions(), want.answering()
    got = ask(con, "positions_at", **asked)
    assert len(got) == len(held)
    for row in got:
        other = held[row["account"]]
        assert row["state_ts"] == other["snapshot_ts"]
        for name in ("size", "mark_px", "liquidation_px", "source"):
            assert row[name] == other[name]
        assert row["snapshot_ts"] == answering["snapshot_ts"]
        assert row["current_px"] == want.mark()


@asked_of_a_lake
@given(sweeps=sweeps, contexts=contexts, asked=questions)
def test_coverage_is_that_of_the_obvious_version(con, sweeps, contexts, asked):
    lake = lake_of(sweeps, contexts)
    fill(con, lake)
    want = question_of(lake, asked)
    got = ask(con, "map_coverage", **asked)
    if want.answering() is None:
        assert got == []
        return
    sums, shares = want.coverage()
    assert len(got) == len(sums) == 2 * (len(BANDS) + 2)
    for row in got:
        key = row["band"] if row["low_pct"] is None else row["low_pct"]
        size, positions = sums[row["side"], key]
        assert (row["mapped_size"], row["positions"]) == (
            pytest.approx(size, rel=1e-9),
            positions,
        )
        share = shares[row["side"], key]
        assert row["coverage"] == (None if share is None else pytest.approx(share, rel=1e-9))
        if row["mark_px"] is not None:
            assert row["mapped_notional"] == pytest.approx(size * row["mark_px"], rel=1e-9)
    for side in ("long", "short"):
        parts = {row["band"]: row["coverage"] for row in got if row["side"] == side}
        whole = parts.pop("all")
        if whole is not None:
            assert sum(parts.values()) == pytest.approx(whole, rel=1e-9)
    answering, base = want.answering(), want.base()
    (row,) = {
        tuple(row[name] for name in ("snapshot_ts", "base_ts", "complete")) for row in got
    }
    assert row == (
        answering["snapshot_ts"],
        base and base["snapshot_ts"],
        answering["complete"],
    )
    asked_for = None if answering["complete"] else len(want.states())
    assert {row["accounts_asked"] for row in got} == {asked_for}


@asked_of_a_lake
@given(sweeps=sweeps, later=sweeps, contexts=contexts, asked=questions)
def test_what_comes_later_changes_nothing(con, sweeps, later, contexts, asked):
    """Later at the venue or, asked for what was knowable, later published."""
    asked |= {"knowable": True}
    fill(con, lake_of(sweeps, contexts))
    before = [ask(con, macro, **asked) for macro in ("positions_at", "map_coverage")]
    used = {one["minute"] for one in sweeps}
    late = int(LATE.total_seconds()) // 60
    later = [
        one | {"minute": minute, "late": minute <= asked["minute"]}
        for one in later
        for minute in [one["minute"] % (late + 60 * HOURS) + asked["minute"] - late + 100]
        if minute not in used and minute >= 0
    ]
    # An answer is up to 90 minutes older than its sweep's end; published 7 h after, it is late.
    fill(con, lake_of([*sweeps, *later], contexts))
    after = [ask(con, macro, **asked) for macro in ("positions_at", "map_coverage")]
    assert [sorted(rows, key=str) for rows in after] == [
        sorted(rows, key=str) for rows in before
    ]
