"""Maps through time, and what was read last: against the obvious version."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference import through_time as obvious
from tests.reference.flow import forced_trades
from tests.reference.maps import bucket
from tests.reference.sweeps import Question
from tests.rows import T0
from tests.warehouse import market_rows, shown_market, whole_market
from tests.warehouse.flow_rows import asked
from warehouse import open_lake

HOUR = timedelta(hours=1)
AGE = timedelta(hours=26)
SINCE, UNTIL, EVERY = T0 + 1.5 * HOUR, T0 + 70 * HOUR, 5.75 * HOUR
MOMENTS = obvious.each(SINCE, UNTIL, EVERY)
SPAN = {"since": SINCE, "until": UNTIL, "every": EVERY}
COINS = ("BTC", "xyz:GOLD")
LATER = [False, True]
TABLES = ("positions", "snapshots", "accounts", "asset_contexts", "fills")


def near(value):
    return value if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)


def said_of(scenarios):
    """Return what a series of scenarios says, as the obvious version does."""
    return {
        (row["ts"], row["direction"], row["pct"]): (
            near(row["notional"]),
            row["positions"],
            near(row["current_px"]),
            row["snapshot_ts"],
        )
        for row in scenarios
    }


@pytest.fixture(scope="module")
def lake():
    """Rows without corrections; each fill once, from whoever told it first."""
    rows = {
        name: [row.values for row in some if row.since_ts is None]
        for name, some in whole_market.made(5).items()
    }
    fills = {}
    for row in sorted(rows["fills"], key=lambda row: row["known_ts"]):
        fills.setdefault((row["time_ts"], row["trade_id"]), row)
    return rows | {"fills": list(fills.values())}


@pytest.fixture(scope="module")
def con(lake, tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        shown_market.put(
            con, {name: [market_rows.Row(row) for row in rows] for name, rows in lake.items()}
        )
        shown_market.show(con, T0 + 99 * HOUR, knowable=False)
        yield con


@pytest.mark.parametrize("knowable", LATER)
@pytest.mark.parametrize("coin", COINS)
def test_what_answers_is_that_of_the_obvious_version(con, lake, coin, knowable):
    for ts in MOMENTS:
        one = {"coin": coin, "at": ts, "knowable": knowable}
        want = Question(lake, coin, ts, AGE, knowable)
        call = "($coin, $at, knowable := $knowable)"
        answering, base = want.answering(), want.base()
        found = asked(con, f"from snapshot_at{call}", **one)
        assert [row["snapshot_ts"] for row in found] == [
            row["snapshot_ts"] for row in [answering] if row
        ]
        states = {
            row["account"]: row["state_ts"]
            for row in asked(con, f"from states_at{call}", **one)
        }
        own = {account: row["state_ts"] for account, row in want.states().items()}
        assert states == own | ({None: base["snapshot_ts"]} if base else {})
        prices = asked(con, f"from current_px{call}", **one)
        mark = want.mark() if answering else None
        assert [row["px"] for row in prices] == ([] if mark is None else [near(mark)])


@pytest.mark.parametrize("knowable", LATER)
@pytest.mark.parametrize("coin", COINS)
def test_positions_at_each_moment_are_those_of_the_obvious_version(con, lake, coin, knowable):
    found = asked(
        con,
        "from positions_at_each($coin, $moments, knowable := $knowable)",
        coin=coin,
        moments=MOMENTS,
        knowable=knowable,
    )
    wanted = {}
    for ts in MOMENTS:
        want = Question(lake, coin, ts, AGE, knowable)
        held = want.positions() if want.answering() else {}
        wanted |= {(ts, account): (row, want.mark()) for account, row in held.items()}
    assert {(row["ts"], row["account"]) for row in found} == set(wanted)
    assert len(found) == len(wanted) > 40
    for row in found:
        own, mark = wanted[row["ts"], row["account"]]
        for name in ("size", "liquidation_px", "mark_px", "leverage"):
            assert row[name] == own[name]
        assert row["current_px"] == near(mark)


@pytest.mark.parametrize("knowable", LATER)
def test_positions_of_a_dex_are_those_of_the_obvious_version(con, lake, knowable):
    for ts in MOMENTS:
        found = asked(
            con,
            "from dex_positions_at('BTC', $at, knowable := $knowable)",
            at=ts,
            knowable=knowable,
        )
        wanted = {}
        for coin in ("BTC", "ETH", "HYPE"):
            want = Question(lake, coin, ts, AGE, knowable)
            if want.answering():
                wanted |= {
                    (coin, account): (row["size"], want.mark())
                    for account, row in want.positions().items()
                }
        assert {
            (row["coin"], row["account"]): (row["size"], near(row["current_px"]))
            for row in found
        } == wanted


@pytest.mark.parametrize("knowable", LATER)
@pytest.mark.parametrize("coin", COINS)
def test_series_of_scenarios_agree_with_the_obvious_version(con, lake, coin, knowable):
    call = "($coin, $since, $until, $every, knowable := $knowable)"
    one = {"coin": coin, "knowable": knowable} | SPAN
    found = asked(con, f"from cascade_scenarios_between{call}", **one)
    wanted = obvious.scenarios(lake, coin, MOMENTS, [5, 10, 15], AGE, knowable)
    assert said_of(found) == wanted
    assert len(found) == len(wanted) > 20
    regimes = asked(con, f"from leverage_regime_between{call}", **one)
    told = obvious.regimes(lake, coin, MOMENTS, 15, AGE, knowable)
    assert {
        row["ts"]: (
            near(row["ratio"]),
            row["regime"],
            near(row["long_notional"]),
            near(row["short_notional"]),
        )
        for row in regimes
    } == told
    for ts in MOMENTS[::4]:
        single = asked(
            con,
            "from leverage_regime($coin, $at, knowable := $knowable)",
            coin=coin,
            at=ts,
            knowable=knowable,
        )
        assert [(near(row["ratio"]), row["regime"]) for row in single] == [
            told[ts][:2] for _ in (1,) if ts in told
        ]


@pytest.mark.parametrize("knowable", LATER)
@pytest.mark.parametrize("coin", COINS)
def test_the_heatmap_agrees_with_the_obvious_version(con, lake, coin, knowable):
    found = asked(
        con,
        "from liquidation_heatmap($coin, $since, $until, every := $every, width_pct := 1.5, "
        "segments := true, knowable := $knowable)",
        coin=coin,
        knowable=knowable,
        **SPAN,
    )
    # The last hour's file is published after it.
    held = range(69 if knowable else market_rows.HOURS)
    hours = {T0 + n * HOUR for n in held if n % 24 != 4}
    wanted = obvious.heatmap(lake, coin, *SPAN.values(), 1.5, hours, AGE, knowable)
    names = ("long_notional", "short_notional", "positions")
    names += ("liquidated_long", "liquidated_short")
    got = {(row["ts"], bucket(row["px_low"] * (1 + 1e-9), 1.5)): row for row in found}
    assert {key: tuple(near(row[name]) for name in names) for key, row in got.items()} == wanted
    assert len(found) == len(wanted) > 40
    for ts in MOMENTS:
        for key, names in obvious.most_hit(lake, coin, ts, 1.5, AGE, knowable).items():
            said = got[ts, key]["most_hit_segment"] or "unknown_size"
            assert names[said] == near(max(names.values()))


def test_a_heatmap_of_real_rows_agrees_with_the_obvious_version(real, tmp_path):
    """And so do its series of scenarios; of fills the lake holds none."""
    from pipelines.steps.positions import land_reservoir
    from warehouse.marts.refresh import refresh

    land_reservoir(str(real), tmp_path, since=date(2026, 2, 5), until=date(2026, 2, 6))
    refresh(tmp_path)
    with open_lake(tmp_path) as con:
        lake = {name: asked(con, f"from {name}") for name in TABLES}
        first, last = asked(
            con, "select min(snapshot_ts) as a, max(snapshot_ts) as b from snapshots"
        )[0].values()
        span = {"since": first - HOUR, "until": last + HOUR, "every": (last - first) / 2}
        for coin in ("ETH", "HYPE"):
            mine = lake | {
                name: [row for row in lake[name] if row["coin"] == coin]
                for name in ("positions", "fills")
            }
            found = asked(
                con,
                "from liquidation_heatmap($coin, $since, $until, every := $every)",
                coin=coin,
                **span,
            )
            wanted = obvious.heatmap(mine, coin, *span.values(), 0.5, set(), AGE)
            assert {
                (row["ts"], bucket(row["px_low"] * (1 + 1e-9), 0.5)): (
                    near(row["long_notional"]),
                    near(row["short_notional"]),
                    row["positions"],
                    row["liquidated_long"],
                    row["liquidated_short"],
                )
                for row in found
            } == wanted
            assert len(wanted) > 100
            binned = asked(con, "from levels_at($c, $at, 0.5, null)", c=coin, at=last)
            assert {(row["side"], row["bucket"]) for row in binned} == {
                (("long", "short")[row["size"] < 0], bucket(row["liquidation_px"], 0.5))
                for row in Question(mine, coin, last, AGE).positions().values()
                if row["liquidation_px"] is not None
            }
            series = asked(
                con,
                "from cascade_scenarios_between($coin, $since, $until, $every)",
                coin=coin,
                **span,
            )
            moments = obvious.each(*span.values())
            told = obvious.scenarios(mine, coin, moments, [5, 10, 15], AGE)
            assert said_of(series) == told


READ = {
    "context_asof": ("asset_contexts", "context_ts", {"venue": "hyperliquid"}, "mark_px"),
    "funding_asof": ("funding", "time_ts", {"venue": "hyperliquid"}, "rate"),
    "candle_asof": (
        "candles",
        "start_ts",
        {"venue": "hyperliquid", "interval": "1h"},
        "close_px",
    ),
    "book_asof": ("order_books", "book_ts", {}, "bids"),
}


@pytest.mark.parametrize("name", READ)
def test_what_was_read_last_is_that_of_the_obvious_version(con, lake, name):
    table, time, equal, value = READ[name]
    length = HOUR if name == "candle_asof" else timedelta(0)
    found = 0
    for minute in range(0, 70 * 60, 137):
        for knowable in LATER:
            for age in (timedelta(minutes=16), 3 * HOUR):
                one = {
                    "at": T0 + timedelta(minutes=minute),
                    "max_age": age,
                    "knowable": knowable,
                }
                got = asked(
                    con,
                    f"from {name}('BTC', $at, max_age := $max_age, knowable := $knowable)",
                    **one,
                )
                # Who tells no mark answers where nobody else did.
                marked = [row for row in lake[table] if row.get("mark_px", 0) is not None]
                want = next(
                    filter(
                        None,
                        (
                            obvious.newest(
                                rows,
                                when=lambda row: row[time] + length,
                                coin="BTC",
                                **one,
                                **equal,
                            )
                            for rows in (marked, lake[table])
                        ),
                    ),
                    None,
                )
                assert [(row[time], row[value]) for row in got] == [
                    (row[time], row[value]) for row in [want] if row
                ]
                found += len(got)
    assert found > 50


def test_incidents_are_those_of_the_obvious_version(con, lake):
    for hours in range(0, 70, 3):
        since, until = T0 + hours * HOUR, T0 + (hours + 2.5) * HOUR
        found = asked(
            con, "from incidents_at('fills', 'BTC', $since, $until)", since=since, until=until
        )
        assert [row["start_ts"] for row in found] == sorted(
            row["start_ts"]
            for row in lake["incidents"]
            if row["start_ts"] < until and row["end_ts"] > since
        )


@pytest.mark.parametrize("coin", COINS)
def test_forced_closings_are_those_of_the_obvious_version(con, lake, coin):
    for since, until in ((SINCE, UNTIL), (T0 + 29 * HOUR, T0 + 29.05 * HOUR)):
        found = asked(
            con,
            "from liquidations_between($coin, $since, $until) order by time_ts, trade_id",
            coin=coin,
            since=since,
            until=until,
        )
        names = ("time_ts", "account", "side", "notional", "method")
        assert sorted(tuple(row[name] for name in names) for row in found) == sorted(
            tuple(row[name] for name in names)
            for row in forced_trades(lake["fills"], coin, since, until)
        )
    assert coin != "BTC" or len(found) == 18


parts = st.lists(
    st.tuples(
        st.sampled_from(["node", "reservoir"]),
        st.sampled_from(["{hour:02}", "xyz-{hour:02}", "hyperliquid-{hour:02}", "import"])
        | st.just("202601{day:02}t{hour:02}-000000000017"),
        st.integers(2, 4),
        st.integers(0, 23),
        st.integers(0, 59),
    ),
    max_size=12,
)


@given(parts=parts, since=st.integers(0, 60), length=st.integers(1, 30))
@settings(max_examples=25)
def test_hours_that_are_held_are_those_of_the_obvious_version(bare, parts, since, length):
    lines = [
        {
            "source": source,
            "part": f"{source}-{name.format(day=day, hour=hour)}",
            "day": date(2026, 1, day),
            "max_ts": T0 + timedelta(days=day - 2, hours=hour, minutes=minute),
        }
        for source, name, day, hour, minute in parts
    ]
    bare.execute("delete from promised.parts")
    for line in lines:
        bare.execute(
            "insert into promised.parts by name select 'fills' as table_name, "
            "$source as source, $part as part, $day as day, $max_ts as max_ts",
            line,
        )
    start = T0 + since * HOUR + timedelta(minutes=7)
    end = start + length * HOUR
    for coin, dex in (("BTC", "hyperliquid"), ("xyz:GOLD", "xyz")):
        found = asked(
            bare, "from fill_hours($c, $since, $until)", c=coin, since=start, until=end
        )
        assert {row["hour_ts"]: row["held_to"] for row in found} == obvious.held_hours(
            lines, start, end, dex
        )


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("bare")) as con:
        yield con
