"""What Python and the command line say of liquidations through time."""

import json
from datetime import timedelta

import duckdb
import pytest

from tests.cli.inside import refused, run
from tests.rows import batch
from tests.warehouse.flow_rows import HOUR, MINUTE, T0, context, fill
from warehouse import flow, open_lake
from warehouse.contracts.tables import ASSET_CONTEXTS, CANDLES, FILLS
from warehouse.store import land

SPAN = ("--from", "2026-01-08T09:00Z", "--to", "2026-01-08T12:00Z")


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A week of one small liquidation an hour, and one burst at 10:00."""
    lake = tmp_path_factory.mktemp("lake")
    for hours in range(-72, 2):
        start = T0 + hours * HOUR
        rows = [fill(hours + 100, start + MINUTE, "long", 100.0, 0.6)]
        if not hours:
            rows += [fill(500, start + 2 * MINUTE, "long", 90.0, 500.0)]
        land(lake, FILLS, batch(FILLS, rows), f"test-{start:%H}")
    contexts = [context(T0 - HOUR, 100.0, 0.0001), context(T0 + MINUTE, 98.0, 0.0002)]
    land(lake, ASSET_CONTEXTS, batch(ASSET_CONTEXTS, contexts), "test")
    candle = {column.name: None for column in CANDLES.columns}
    candle |= {"venue": "hyperliquid", "coin": "BTC", "interval": "1h", "start_ts": T0}
    candle |= dict.fromkeys(("open_px", "high_px", "low_px", "close_px"), 100.0)
    candle |= {"source": "test", "known_ts": T0 + HOUR}
    land(lake, CANDLES, batch(CANDLES, [candle]), "test")
    return lake


def test_flow_as_json(lake):
    done = run("flow", "BTC", *SPAN, "--json", lake=lake)
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    assert [row["ts"] for row in rows] == [
        f"2026-01-08T{hour}:00:00Z" for hour in ("09", 10, 11)
    ]
    assert [row["liquidations"] for row in rows] == [1, 2, 1]
    assert rows[1]["velocity_ratio"] == pytest.approx(45_060 / 60)
    assert rows[1]["open_interest_change_pct"] == pytest.approx(-2)
    assert rows[1]["cascade_score"] is None  # no book
    assert rows[1]["score_at_least"] == pytest.approx(10 * (0.4 + 0.2 + 0.2 * 0.4))
    assert "4 liquidations; fills are held of 3 of 3 intervals" in done.stderr


def test_cascades_as_a_table(lake):
    done = run("cascades", "BTC", *SPAN, lake=lake)
    assert done.returncode == 0
    assert "2026-01-08 10:02:00Z" in done.stdout
    assert "1 cascade; fills are held of 3 of 3 hours" in done.stderr


def test_hours_that_are_not_held_are_said(lake):
    done = run(
        "flow", "BTC", "--from", "2026-01-08T11:00Z", "--to", "2026-01-08T13:00Z", lake=lake
    )
    assert "fills are held of 1 of 2 intervals" in done.stderr


@pytest.mark.parametrize("verb", ["flow", "cascades"])
def test_where_no_fill_is_held_nothing_is_counted(lake, verb):
    done = run(
        verb, "BTC", "--from", "2026-01-09T12:00Z", "--to", "2026-01-09T13:00Z", lake=lake
    )
    assert " are not known; fills are held of 0 of 1 " in done.stderr
    assert "BTC: 0" not in done.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("flow", "BTC", "--from", "2026-01-08T09:00", "--to", SPAN[3]), "has no time zone"),
        (("flow", "BTC", "--from", SPAN[3], "--to", SPAN[1]), "use a moment after since"),
        (("flow", "BTC", *SPAN, "--every", "1M"), "write 30s, 15m, 1h or 1d"),
        (("flow", "BTC", *SPAN, "--every", "0m"), "write 30s, 15m, 1h or 1d"),
        (("flow", "BTX", *SPAN), "near it: BTC"),
        (("cascades", "", *SPAN), "coin '' is not allowed"),
        (("cascades", "x' or 1=1 --", *SPAN), "is not known by then"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(lake, args, said):
    assert said in refused(run(*args, lake=lake))


def test_moments_without_a_zone_are_refused(lake):
    with open_lake(lake) as con:
        naive = T0.replace(tzinfo=None)
        with pytest.raises(ValueError, match="since 2026-01-08T10:00:00 has no time zone"):
            flow.cascades(con, "BTC", naive, T0)
        with pytest.raises(duckdb.InvalidInputException, match="near it: BTC"):
            flow.liquidation_flow(con, "BTX", T0, T0 + timedelta(hours=1))


def test_any_answer_joins_with_what_was_known_of_the_market(lake):
    with open_lake(lake) as con:
        rows = con.execute(
            "select f.ts, c.open_interest, c.age_seconds, b.close_px, count(i.what) "
            "from liquidation_flow('BTC', $since, $until) as f "
            "left join lateral (from context_asof('BTC', f.until_ts)) as c on true "
            "left join lateral (from candle_asof('BTC', f.until_ts)) as b on true "
            "left join lateral (from incidents_at('fills', 'BTC', f.ts, f.until_ts)) as i "
            "on true "
            "group by all order by f.ts",
            {"since": T0 - HOUR, "until": T0 + HOUR},
        ).fetchall()
    assert rows == [
        (T0 - HOUR, 100.0, 3600.0, None, 0),
        (T0, 98.0, 3540.0, 100.0, 0),
    ]
