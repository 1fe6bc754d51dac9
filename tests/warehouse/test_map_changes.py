"""What became of a map's mass, against the obvious version; and that the reasons add up."""

from datetime import date, timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import cohorts as obvious
from tests.reference.maps import bucket
from tests.rows import T0
from tests.warehouse.data_cohorts import lakes, rows_of, show
from warehouse import open_lake

AGE = timedelta(hours=26)
ALL_HOURS = range(-30, 60)
REASONS = (
    "from_notional",
    "to_notional",
    "held",
    "held_unasked",
    "resized",
    "repriced",
    "moved_in",
    "moved_out",
    "opened",
    "found",
    "closed",
    "liquidated",
    "not_seen",
)
spans = st.tuples(st.integers(3, 44), st.integers(1, 30)).map(
    lambda span: {
        "from_at": T0 + timedelta(hours=span[0]),
        "to_at": T0 + timedelta(hours=span[0] + span[1]),
    }
)
QUERY = "from map_changes('BTC', $from_at, $to_at, width_pct := $width, knowable := $knowable)"


@settings(max_examples=25)
@given(
    lake=lakes,
    span=spans,
    width=st.sampled_from([0.5, 30.0]),
    knowable=st.booleans(),
    lost=st.sampled_from([range(0), range(0), range(20, 21), range(45, 60), ALL_HOURS]),
)
def test_changes_are_those_of_the_obvious_version(con, lake, span, width, knowable, lost):
    show(con, lake, [hour for hour in ALL_HOURS if hour not in lost])
    got = rows_of(con, QUERY, width=width, knowable=knowable, **span)
    held = obvious.touches(lake, "BTC", max_age=AGE, knowable=knowable, **span)
    held = held is not None and all(T0 + timedelta(hours=hour) not in held for hour in lost)
    assert {row["fills_held"] for row in got} <= {held}
    want = obvious.changes(
        lake,
        "BTC",
        max_age=AGE,
        width_pct=width,
        fills_held=held,
        knowable=knowable,
        **span,
    )
    assert len(got) == len(want)
    for row in got:
        cell = want[row["side"], bucket(row["px_low"] * (1 + 1e-9), width)]
        for reason in REASONS:
            if reason in ("closed", "liquidated") and not row["fills_held"]:
                assert row[reason] is None
            else:
                assert row[reason] == pytest.approx(cell.get(reason, 0), rel=1e-9, abs=1e-9)


@settings(max_examples=15)
@given(lake=lakes, span=spans, held=st.booleans())
def test_the_reasons_add_up_to_both_maps(con, lake, span, held):
    show(con, lake, ALL_HOURS if held else ())
    rows = rows_of(con, QUERY, width=0.5, knowable=False, **span)
    for row in rows:
        from_sum = row["held"] + row["moved_out"] + row["gone"] + row["not_seen"]
        to_sum = row["held"] + row["resized"] + row["repriced"]
        to_sum += row["moved_in"] + row["opened"] + row["found"]
        assert row["from_notional"] == pytest.approx(from_sum, rel=1e-9, abs=1e-9)
        assert row["to_notional"] == pytest.approx(to_sum, rel=1e-9, abs=1e-9)
        if row["fills_held"]:
            assert row["gone"] == pytest.approx(row["closed"] + row["liquidated"], rel=1e-9)
        others = set(REASONS) - {"resized", "repriced"}
        assert all(row[reason] is None or row[reason] >= 0 for reason in others)
    for at, name in (("from_at", "from_notional"), ("to_at", "to_notional")):
        ((mapped,),) = con.sql(
            "select sum(notional) from liquidation_map('BTC', $at)", params={"at": span[at]}
        ).fetchall()
        if rows:
            assert sum(row[name] for row in rows) == pytest.approx(mapped or 0, rel=1e-9)


@settings(max_examples=8)
@given(lake=lakes, span=spans, hours=st.sampled_from([[1, 2, 4, 8], [0.5, 7, 20]]))
def test_decay_is_that_of_the_obvious_version(con, lake, span, hours):
    show(con, lake)
    until = span["from_at"] + timedelta(hours=16)
    got = rows_of(
        con,
        "from mass_decay('BTC', $from_at, $until, hours := $hours)",
        from_at=span["from_at"],
        until=until,
        hours=hours,
    )
    want = obvious.decay(lake, "BTC", span["from_at"], until, AGE, hours, 0.5)
    assert sorted(want) == [(row["side"], row["hours"]) for row in got]
    for row in got:
        shares = want[row["side"], row["hours"]]
        for name, share in zip(("unchanged", "same_bucket", "held"), shares, strict=False):
            close = None if share is None else pytest.approx(share, rel=1e-9, abs=1e-12)
            assert row[name] == close
        assert row["not_seen"] == pytest.approx(shares[3], rel=1e-9, abs=1e-12)
        if row["held"] is not None:
            assert row["unchanged"] <= row["same_bucket"] * (1 + 1e-9)
            assert row["same_bucket"] <= row["held"] * (1 + 1e-9)
            assert row["held"] + row["gone"] + row["not_seen"] == pytest.approx(1)


@settings(max_examples=6)
@given(lake=lakes, more=lakes, span=spans)
def test_what_comes_later_changes_nothing(con, lake, more, span):
    """Later at the venue, or published later."""
    queries = (
        "from map_changes('BTC', $from_at, $to_at, knowable := true)",
        "from mass_decay('BTC', $from_at, $to_at, knowable := true)",
    )
    show(con, lake, ALL_HOURS)
    before = [rows_of(con, query, **span) for query in queries]
    known = {
        name: rows
        + [row | {"source": "later"} for row in more[name] if row["known_ts"] > span["to_at"]]
        for name, rows in lake.items()
    }
    show(con, known, ALL_HOURS)
    assert [rows_of(con, query, **span) for query in queries] == before


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A few days of a small simulated venue, in which some are liquidated."""
    from pipelines.simulator.archive.write import write_archive
    from pipelines.simulator.shocks import Shock
    from pipelines.simulator.world import WorldSpec
    from pipelines.steps.fills import land_hourly_fills
    from pipelines.steps.positions import land_reservoir

    folder = tmp_path_factory.mktemp("simulated")
    spec = WorldSpec(coins=2, accounts=80)
    spec = spec._replace(shocks=(Shock(spec.start_ms + 30 * 3_600_000, -15.0),))
    write_archive(
        spec, 2, folder / "archive", snapshot_every=6, books=False, contexts=False, market=False
    )
    land_reservoir(str(folder / "archive"), folder / "lake", source="simulated")
    land_hourly_fills(str(folder / "archive"), folder / "lake", label="simulated")
    with open_lake(folder / "lake") as con:
        yield folder / "lake", con


def test_simulated_rows_give_what_the_obvious_version_gives(simulated):
    _, con = simulated
    compare(con, "BTC", knowable=False)
    changes = compare(con, "BTC", knowable=True)
    assert sum(row["liquidated"] for row in changes if row["fills_held"]) > 0


def test_real_rows_give_what_the_obvious_version_gives(real, tmp_path):

    from pipelines.steps.positions import land_reservoir

    # A day is enough for the slow version.
    land_reservoir(str(real), tmp_path / "lake", since=date(2026, 2, 5), until=date(2026, 2, 6))
    with open_lake(tmp_path / "lake") as con:
        changes = compare(con, "ETH", knowable=False)
        assert not any(row["fills_held"] for row in changes)
        assert {row["closed"] for row in changes} == {None}


def compare(con, coin, knowable):
    """Hold changes, decay, segments and risk of a lake against the obvious version."""
    moments = con.sql("select snapshot_ts from snapshots order by all").fetchall()
    (from_at,), (to_at,) = moments[len(moments) // 2 - 2], moments[-1]
    if knowable:  # what is published a day later still answers
        from_at, to_at = from_at + timedelta(hours=26), to_at + timedelta(hours=48)
    tables = ("positions", "snapshots", "accounts", "asset_contexts", "fills")
    lake = {name: rows_of(con, f"from {name} order by all") for name in tables}
    span = {"from_at": from_at, "to_at": to_at}
    got = rows_of(
        con,
        f"from map_changes('{coin}', $from_at, $to_at, knowable := $knowable)",
        knowable=knowable,
        **span,
    )
    assert got
    held = got[0]["fills_held"]
    want = obvious.changes(
        lake, coin, max_age=AGE, width_pct=0.5, fills_held=held, knowable=knowable, **span
    )
    assert len(got) == len(want)
    for row in got:
        cell = want[row["side"], bucket(row["px_low"] * (1 + 1e-9), 0.5)]
        for reason in REASONS:
            if row[reason] is not None:
                assert row[reason] == pytest.approx(cell.get(reason, 0), rel=1e-9, abs=1e-6)
    book = obvious.book(lake, to_at, AGE, knowable)
    for segment in ("all", "fish", "unknown_profit"):
        risk = obvious.risk(book, segment)
        for row in rows_of(
            con,
            "from liquidation_risk($segment, $at, knowable := $knowable)",
            segment=segment,
            at=to_at,
            knowable=knowable,
        ):
            for name, value in risk.pop(row["coin"]).items():
                assert row[name] == (None if value is None else pytest.approx(value, rel=1e-9))
        assert risk == {}
    return got


def test_the_command_line_says_what_became_of_a_map(simulated):
    from warehouse.cohorts_cli import changes, risk

    lake, con = simulated
    times = [
        f"{at:%Y-%m-%dT%H:%M:%S.%fZ}"
        for (at,) in con.sql("select snapshot_ts from snapshots order by all").fetchall()
    ]
    where = ["--lake", str(lake)]
    said = CliRunner().invoke(
        changes, ["BTC", "--from", times[0], "--to", times[-1], *where], catch_exceptions=False
    )
    assert said.exit_code == 0
    assert "liquidated" in said.output
    assert "every fill between them is held" in said.output
    said = CliRunner().invoke(risk, ["all", "--at", times[-1], *where], catch_exceptions=False)
    assert "at risk from 75 % of the way" in said.output
    said = CliRunner().invoke(risk, ["whales", "--at", times[-1], *where])
    assert "segment 'whales' is not known; use all, shrimp" in str(said.exception)
