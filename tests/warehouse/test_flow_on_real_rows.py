"""Liquidations through time, beside the obvious version, on real and on simulated rows."""

from datetime import UTC, datetime, time, timedelta

import pytest

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import WorldSpec
from pipelines.steps.fills import land_hourly_fills
from tests.reference import flow as obvious
from tests.rows import hold
from tests.warehouse.flow_rows import HOUR, MINUTE, asked, close, hold_hours, same_cascades
from warehouse import open_lake
from warehouse.contracts.tables import FILLS


@pytest.fixture(scope="module")
def october(real, tmp_path_factory):
    """The real fills of 9 to 11 October 2025: the lake, and its rows."""
    lake = tmp_path_factory.mktemp("october")
    land_hourly_fills(str(real), lake)
    with open_lake(lake) as con:
        rows = asked(con, "from fills")
        yield con, rows, [datetime(2025, 10, 9, tzinfo=UTC) + n * HOUR for n in range(72)]


CRASH = datetime(2025, 10, 10, 20, tzinfo=UTC), datetime(2025, 10, 10, 23, tzinfo=UTC)


def of_coin(rows, coin):
    return [row for row in rows if row["coin"] == coin]


@pytest.mark.parametrize("coin", ["BTC", "SOL", "FARTCOIN"])
def test_real_flow_agrees_with_the_obvious_version(october, coin):
    con, rows, hours = october
    rows = of_coin(rows, coin)
    query = "from liquidation_flow($coin, $since, $until, every := $every)"
    for since, until, every in (
        (*CRASH, 5 * MINUTE),
        (hours[0], hours[-1] + 4 * HOUR, 5 * HOUR),
    ):
        found = asked(con, query, coin=coin, since=since, until=until, every=every)
        close(found, obvious.flow(rows, hours, coin, since, until, every))


@pytest.mark.parametrize("coin", ["BTC", "ETH", "SOL", "HYPE", "XRP", "DOGE"])
def test_the_cascade_of_10_october_is_found(october, coin):
    con, rows, hours = october
    rows = of_coin(rows, coin)
    since, until = CRASH[0], datetime(2025, 10, 11, 2, tzinfo=UTC)
    found = asked(
        con, "from cascades($coin, $since, $until)", coin=coin, since=since, until=until
    )
    largest = max(found, key=lambda row: row["notional"])
    assert largest["side"] == "long"
    assert largest["start_ts"] <= datetime(2025, 10, 10, 21, 15, tzinfo=UTC)
    assert largest["end_ts"] >= datetime(2025, 10, 10, 21, 18, tzinfo=UTC)
    assert largest["move_pct"] < -10
    assert largest["recovery_pct"] > 0
    wanted = obvious.cascades(rows, hours, coin, since, until)
    assert [row.keys() for row in found] == [want.keys() for want in wanted]
    same_cascades(found, wanted)


def test_what_is_forced_out_is_what_the_view_tells(october):
    con, _, hours = october
    span = {"coin": "BTC", "since": hours[0], "until": hours[-1] + HOUR}
    key = "select time_ts, trade_id, account, side, notional, method"
    found = asked(
        con, f"{key} from liquidations_between($coin, $since, $until) order by all", **span
    )
    told = asked(con, f"{key} from liquidations where coin = 'BTC' order by all")
    assert found == told


def test_cascades_do_not_depend_on_where_the_question_begins(october):
    con, _, _ = october
    query = "from cascades('SOL', $since, $until)"
    until = datetime(2025, 10, 11, 2, tzinfo=UTC)
    whole = asked(con, query, since=CRASH[0] - timedelta(days=1), until=until)
    some = asked(con, query, since=CRASH[0] + 17 * timedelta(seconds=1), until=until)
    assert some
    same_cascades(some, [row for row in whole if row["start_ts"] > CRASH[0]])


@pytest.mark.parametrize("minutes", [14, 16, 31])
def test_what_happened_later_changes_no_cascade(october, tmp_path, minutes):
    """Neither how it is found nor what is told of it, in its midst and after its end."""
    con, rows, hours = october
    cut = CRASH[0] + HOUR + minutes * MINUTE
    span = {"since": CRASH[0], "until": cut}
    told = asked(con, "from cascades('SOL', $since, $until)", **span)
    with open_lake(tmp_path) as past:
        hold(past, FILLS, [row for row in of_coin(rows, "SOL") if row["time_ts"] < cut])
        hold_hours(past, [hour for hour in hours if hour < cut])
        known = asked(past, "from cascades('SOL', $since, $until)", **span)
    assert told
    same_cascades(known, told)


@pytest.mark.slow
def test_flow_of_a_simulated_venue_agrees_with_the_obvious_version(tmp_path):
    spec = WorldSpec(coins=4, accounts=200)
    write_archive(spec, 3, tmp_path / "archive", snapshot_every=24, books=False, contexts=False)
    land_hourly_fills(str(tmp_path / "archive"), tmp_path / "lake")
    first = datetime.combine(spec.start, time(), UTC)
    hours = [first + n * HOUR for n in range(72)]
    ends = {"since": first + 60 * HOUR, "until": first + 72 * HOUR}
    span = ends | {"every": 10 * MINUTE}
    with open_lake(tmp_path / "lake") as con:
        rows = asked(con, "from fills")
        told = 0
        for coin in ("BTC", "SOL"):
            query = f"from liquidation_flow('{coin}', $since, $until, every := $every)"
            found = asked(con, query, **span)
            assert any(row["liquidations"] for row in found)
            close(found, obvious.flow(rows, hours, coin, *span.values()))
            found = asked(con, f"from cascades('{coin}', $since, $until)", **ends)
            wanted = obvious.cascades(rows, hours, coin, span["since"], span["until"])
            assert [row.keys() for row in found] == [want.keys() for want in wanted]
            same_cascades(found, wanted)
            told += len(found)
    assert told
