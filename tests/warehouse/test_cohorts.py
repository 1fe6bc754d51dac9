"""Segments of accounts and how near liquidation they are, against the obvious version."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import cohorts as obvious
from tests.reference.maps import bucket
from tests.rows import T0, account, position, snapshot
from tests.warehouse.data_cohorts import NOTHING, cohort_lake, lakes, rows_of, show

AGE = timedelta(hours=26)
NAMES = [name for name, _ in (*obvious.SIZES, *obvious.PROFITS)]
moments = st.fixed_dictionaries(
    {
        "at": st.integers(10, 45).map(lambda hours: T0 + timedelta(hours=hours)),
        "knowable": st.booleans(),
        "untrusted": st.sampled_from([False, False, True]),
    }
)
OPTIONS = "$at, knowable := $knowable, untrusted := $untrusted"


@given(
    kind=st.sampled_from(["size", "profit"]),
    amounts=st.lists(
        st.none()
        | st.floats(-1e7, 1e7)
        | st.sampled_from([end for _, end in (*obvious.SIZES, *obvious.PROFITS) if end < 1e9]),
        min_size=20,
        max_size=60,
    ),
)
def test_every_amount_has_the_segment_of_the_obvious_version(con, kind, amounts):
    got = con.sql(
        "select list_transform($amounts::double[], lambda one: segment_of($kind, one)) as s",
        params={"amounts": amounts, "kind": kind},
    ).fetchall()[0][0]
    assert got == [obvious.segment(kind, amount) for amount in amounts]


def test_segments_of_a_kind_meet_without_hole_or_overlap(con):
    for kind in ("size", "profit"):
        rows = con.sql(
            "select at_least, below from segments where kind = $kind and nth <= 8 order by nth",
            params={"kind": kind},
        ).fetchall()
        assert len(rows) == 8
        assert rows[0][0] is rows[-1][1] is None
        assert [below for _, below in rows[:-1]] == [low for low, _ in rows[1:]]


@settings(max_examples=20)
@given(lake=lakes, asked=moments)
def test_the_whole_book_is_every_coins_map(con, lake, asked):
    show(con, lake)
    got = rows_of(con, f"from all_positions_at({OPTIONS})", **asked)
    want = {
        (row["coin"], row["account"]): row for row in obvious.book(lake, max_age=AGE, **asked)
    }
    assert len(got) == len(want)
    for row in got:
        other = want[row["coin"], row["account"]]
        for name in ("size", "entry_px", "mark_px", "liquidation_px"):
            assert row[name] == other[name]
        assert row["state_ts"] == other["snapshot_ts"]
        assert row["snapshot_ts"] == other["answered"]
        assert (row["current_px"], row["account_value"]) == (other["mark"], other["value"])


@settings(max_examples=20)
@given(lake=lakes, asked=moments)
def test_segments_are_those_of_the_obvious_version(con, lake, asked):
    show(con, lake)
    held = obvious.book(lake, max_age=AGE, **asked)
    got = rows_of(con, f"from account_segments({OPTIONS})", **asked)
    assert [row["account"] for row in got] == sorted({row["account"] for row in held})
    for row in got:
        own = [one for one in held if one["account"] == row["account"]]
        assert row["account_value"] == own[0]["worth"]
        assert row["size_segment"] == obvious.segment("size", own[0]["worth"])
        assert row["profit"] == own[0]["profit"]
        assert row["profit_segment"] == obvious.segment("profit", own[0]["profit"])
        assert row["first_fill_ts"] == own[0]["since"]
        assert row["positions"] == len(own)
        assert row["notional"] == pytest.approx(
            sum(abs(one["size"]) * one["mark_px"] for one in own), rel=1e-9
        )


@settings(max_examples=20)
@given(
    lake=lakes,
    asked=moments,
    segment=st.sampled_from(["all", "all", "unknown_size", "unknown_profit", *NAMES]),
    threshold=st.sampled_from([75, 75, 10, 100, 0.5]),
)
def test_risk_is_that_of_the_obvious_version(con, lake, asked, segment, threshold):
    show(con, lake)
    held = obvious.book(lake, max_age=AGE, **asked)
    want = obvious.risk(held, segment, threshold)
    got = rows_of(
        con,
        "from liquidation_risk($segment, $at, knowable := $knowable, "
        "untrusted := $untrusted, threshold_pct := $threshold)",
        segment=segment,
        threshold=threshold,
        **asked,
    )
    assert [row["coin"] for row in got] == sorted(want)
    for row in got:
        for name, value in want[row["coin"]].items():
            assert row[name] == (None if value is None else pytest.approx(value, rel=1e-9))


@settings(max_examples=10)
@given(lake=lakes, asked=moments, kind=st.sampled_from(["size", "profit"]))
def test_segments_of_a_kind_share_the_open_interest_out(con, lake, asked, kind):
    show(con, lake)
    query = (
        "select coin, sum(open_interest) as interest, sum(at_risk) as at_risk "
        "from segments as s, lateral liquidation_risk(s.segment, $at, knowable := $knowable, "
        "untrusted := $untrusted) as r where s.kind = $kind group by coin order by coin"
    )
    parts = rows_of(con, query, kind=kind, **asked)
    whole = rows_of(con, f"from liquidation_risk('all', {OPTIONS})", **asked)
    assert [row["coin"] for row in parts] == [row["coin"] for row in whole]
    for part, one in zip(parts, whole, strict=True):
        assert part["interest"] == pytest.approx(one["open_interest"], rel=1e-9)
        assert part["at_risk"] == pytest.approx(one["at_risk"], rel=1e-9)


@settings(max_examples=20)
@given(
    entry=st.floats(50, 200),
    px=st.floats(50, 200),
    mark=st.floats(50, 200),
    further=st.floats(0, 50),
    size=st.sampled_from([1.0, -1.0]),
)
def test_a_mark_nearer_to_liquidation_is_never_safer(con, entry, px, mark, further, size):
    risks = []
    for now in (mark, mark - further * size):
        row = position(size=size, mark_px=max(now, 1e-3), liquidation_px=px, entry_px=entry)
        show(
            con,
            NOTHING | {"positions": [row], "snapshots": [snapshot(rows=[row])]},
        )
        ((risk,),) = con.sql(
            "select risk_pct from liquidation_risk('all', $at)", params={"at": T0}
        ).fetchall()
        risks.append(risk)
    # What is not known stays so until the price is met, and is never what was known before.
    assert risks == sorted(risks, key=lambda risk: -1.0 if risk is None else risk)
    assert None not in risks or (px >= entry if size > 0 else px <= entry)


@settings(max_examples=20)
@given(lake=lakes, asked=moments, kind=st.sampled_from(["size", "profit"]))
def test_the_map_by_segment_is_that_of_the_obvious_version(con, lake, asked, kind):
    show(con, lake)
    held = obvious.book(lake, max_age=AGE, **asked)
    want = obvious.segment_map(held, "BTC", 5.0, kind)
    got = rows_of(
        con,
        "from segment_map('BTC', $at, width_pct := 5, kind := $kind, knowable := $knowable, "
        "untrusted := $untrusted)",
        kind=kind,
        **asked,
    )
    assert len(got) == sum(len(cell) for cell in want.values())
    for row in got:
        cell = want[row["side"], bucket(row["px_low"] * (1 + 1e-9), 5.0)]
        assert row["notional"] == pytest.approx(cell[row["segment"]], rel=1e-9)
        assert row["share"] == pytest.approx(row["notional"] / sum(cell.values()), rel=1e-9)
        most = max(cell.values())
        if row["most_hit_segment"] is None:
            assert cell[f"unknown_{kind}"] == pytest.approx(most)
        else:
            assert cell[row["most_hit_segment"]] == pytest.approx(most)


@settings(max_examples=15)
@given(lake=lakes, asked=moments, more=lakes)
def test_what_comes_later_changes_no_segment(con, lake, asked, more):
    """Later at the venue, or published later."""
    asked |= {"knowable": True, "untrusted": False}
    queries = (
        f"from account_segments({OPTIONS})",
        f"from liquidation_risk('all', {OPTIONS}) order by coin",
        f"from segment_map('BTC', {OPTIONS}, kind := 'profit')",
    )
    show(con, lake)
    before = [rows_of(con, query, **asked) for query in queries]
    known = {name: [*rows] for name, rows in lake.items()}
    for name, rows in more.items():
        known[name] += [
            row | {"source": "later"} for row in rows if row["known_ts"] > asked["at"]
        ]
    show(con, known)
    assert [rows_of(con, query, **asked) for query in queries] == before


def test_moments_of_a_lateral_join_are_answered_as_if_asked_alone(con):
    from tests.warehouse.data_sweeps import sweep_at

    swept = [
        sweep_at(0, [("BTC", 2.0, 80.0)], [("ETH", -1.0, 130.0)]),
        sweep_at(100, [], [("BTC", 1.5, 90.0)]),
    ]
    show(con, cohort_lake(swept, [], [], [(100.0, 900.0, None)] * 5, (None,) * 3))
    times = [T0 + timedelta(minutes=minute) for minute in (-5, 5, 150, 5000)]
    for call, column in (
        ("liquidation_risk('fish', {})", "open_interest"),
        ("account_segments({})", "notional"),
        ("segment_map('BTC', {})", "notional"),
        ("all_positions_at({})", "size"),
        ("map_changes('BTC', {}, timestamptz '2026-02-01')", "held + gone"),
        ("mass_decay('BTC', {}, timestamptz '2026-02-01')", "not_seen"),
    ):
        alone = [
            con.sql(
                f"select sum({column}) from {call.format('$at')}", params={"at": at}
            ).fetchall()[0]
            for at in times
        ]
        # Names that our own macros use inside: none may be taken for ours.
        for alias, name in (("q", "moment"), ("d", "dex")):
            moment = f"{alias}.{name}"
            together = con.sql(
                f"select answer.n from (select unnest($times) as {name}) as {alias}, lateral "
                f"(select sum({column}) as n from {call.format(moment)}) as answer "
                f"order by {moment}",
                params={"times": times},
            ).fetchall()
            assert together == alone
        assert len(set(alone)) > 1


def test_positions_of_a_dex_without_snapshots_of_its_own_are_read_from_those_of_all(con):
    rows = [position("xyz:TSLA", 1, scope="all"), position("BTC", 2, scope="all")]
    lake = NOTHING
    show(con, lake | {"positions": rows, "snapshots": [snapshot(rows=rows, scope="all")]})
    got = rows_of(
        con, "select coin, account, dex from all_positions_at($at) order by coin", at=T0
    )
    assert got == [
        {"coin": "BTC", "account": account(2), "dex": "hyperliquid"},
        {"coin": "xyz:TSLA", "account": account(1), "dex": ""},
    ]
