"""How far our liquidation prices are from the venue's: by hand, real rows, planted faults."""

from datetime import timedelta

import polars as pl
import pytest

from pipelines.steps.margin_errors import land_margin_errors
from tests.reference import margin as venue
from tests.rows import T0, land_snapshot, land_tiers, position
from tests.warehouse.joint_books import MARKS, rates_of, venue_prices
from warehouse import open_lake
from warehouse.cross.margin_error import compare, summed
from warehouse.margin import Tier, TierTable

DOCUMENTED = {
    "BTC": [Tier(0, 40), Tier(150e6, 20)],
    "ETH": [Tier(0, 25), Tier(100e6, 15)],
    "SOL": [Tier(0, 20), Tier(70e6, 10)],
}
TIERS = TierTable.of(DOCUMENTED)
RATES = rates_of(DOCUMENTED)
KINDS = {
    "source": pl.String,
    "scope": pl.String,
    "snapshot_ts": pl.Datetime("us", "UTC"),
    "account": pl.String,
    "coin": pl.String,
    "size": pl.Float64,
    "mark_px": pl.Float64,
    "liquidation_px": pl.Float64,
    "liquidation_px_source": pl.String,
    "leverage_type": pl.String,
    "max_leverage": pl.Float64,
    "margin_used": pl.Float64,
    "account_value": pl.Float64,
    "account_mode": pl.String,
}


def rows_of(rows):
    blank = dict.fromkeys(KINDS) | {
        "source": "test",
        "scope": "hyperliquid",
        "snapshot_ts": T0,
        "liquidation_px_source": "venue",
    }
    return pl.DataFrame([blank | row for row in rows], schema=KINDS)


def held_by(account, book, value, rates=RATES, **others):
    """Return rows of one cross account with the prices the venue would give."""
    prices = venue_prices(book, value, rates)
    return [
        {
            "account": account,
            "coin": coin,
            "size": size,
            "mark_px": MARKS[coin],
            "leverage_type": "cross",
            "liquidation_px": prices[coin],
        }
        | others
        for coin, size in book
    ]


BOOK = [("BTC", 2.0), ("ETH", -80.0), ("SOL", 3000.0)]


def verdicts(*rows, tiers=TIERS):
    return compare(rows_of(rows), tiers)["verdict"].to_list()


def test_prices_of_one_account_are_reproduced_from_one_another():
    got = compare(rows_of(held_by("0xa", BOOK, 100_000.0)), TIERS)
    assert got["verdict"].to_list() == ["close"] * 3
    assert got["error"].max() < 1e-11
    assert got["sibling"].all()
    assert got["agrees"].all()


def test_a_price_that_is_wrong_is_unexplained_and_the_others_stay_close():
    rows = held_by("0xa", BOOK, 100_000.0)
    rows[1]["liquidation_px"] *= 1.001
    got = compare(rows_of(rows), TIERS)
    assert got["verdict"].to_list() == ["close", "unexplained", "close"]
    assert got["error"][1] == pytest.approx(0.001, rel=0.01)
    assert got["agrees"].to_list() == [True, False, True]


def test_a_leverage_that_a_position_kept_explains_its_price():
    rates = {**RATES, "ETH": [(0, 1 / 20)]}
    rows = held_by("0xa", BOOK, 100_000.0, rates)
    assert verdicts(*rows) == ["close", "own_leverage", "close"]
    # Where it is given, and the coin has one tier, there is nothing to explain.
    told = [row | {"max_leverage": 10.0 if row["coin"] == "ETH" else None} for row in rows]
    flat = TierTable.of({**DOCUMENTED, "ETH": [Tier(0, 25)]})
    assert verdicts(*told, tiers=flat) == ["close"] * 3
    # Where the coin has several, its own tiers are not known.
    assert verdicts(*told) == ["close", "own_leverage", "close"]


def test_another_of_the_venues_margin_tables_explains_a_price():
    # At its price more than 3 million USD: what is above counts at 5x.
    rates = {**RATES, "SOL": [(0, 1 / 20), (3e6, 1 / 10)]}
    book = [("BTC", -2.0), ("ETH", -80.0), ("SOL", -30_000.0)]
    rows = held_by("0xa", book, 4e6, rates)
    assert verdicts(*rows) == ["close", "close", "own_leverage"]
    rows[2]["liquidation_px"] *= 1.0001
    assert verdicts(*rows) == ["close", "close", "unexplained"]


def test_two_prices_that_disagree_count_against_both():
    rows = held_by("0xa", BOOK[:2], 100_000.0)
    rows[0]["liquidation_px"] *= 1.01
    got = compare(rows_of(rows), TIERS)
    assert got["verdict"].to_list() == ["unexplained"] * 2
    assert not got["agrees"].any()


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("no_other_price", {}),
        ("shared_collateral", {"account_mode": "unified", "account_value": 9e4}),
        ("no_margin", {"leverage_type": "isolated"}),
        ("no_tiers", {"coin": "UNHEARD"}),
        ("no_other_price", {"leverage_type": None}),
        ("close", {"account_value": 90_000.0}),
    ],
    ids=str,
)
def test_a_lone_price_says_why_it_cannot_be_compared(why, change):
    assert verdicts(*[row | change for row in held_by("0xa", BOOK[:1], 90_000.0)]) == [why]


def test_reported_values_that_known_prices_contradict_are_not_compared_with():
    known = held_by("0xb", BOOK, 100_000.0, account_value=150_000.0)
    lone = held_by("0xa", BOOK[:1], 90_000.0, account_value=90_000.0)
    assert verdicts(*known, *lone) == ["close"] * 3 + ["no_other_price"]


def test_a_margin_mode_that_is_not_recorded_is_shown_by_agreement_alone():
    rows = [row | {"leverage_type": None} for row in held_by("0xa", BOOK, 100_000.0)]
    assert verdicts(*rows) == ["close"] * 3
    rows[1]["liquidation_px"] *= 1.001
    assert verdicts(*rows) == ["close", "margin_mode_unknown", "close"]
    assert verdicts(*rows[:2]) == ["margin_mode_unknown"] * 2


def test_a_price_that_no_mode_is_recorded_of_does_not_vouch_for_a_cross_one():
    rows = held_by("0xa", BOOK[:2], 100_000.0)
    isolated = rows[1] | {"leverage_type": None, "liquidation_px": 2_500.0}
    got = compare(rows_of([rows[0], isolated]), TIERS)
    assert got["verdict"].to_list() == ["no_other_price", "margin_mode_unknown"]
    assert got["sibling"].to_list() == [False, True]
    # One that agrees does, whatever is recorded of it.
    unsaid = rows[1] | {"leverage_type": None}
    assert verdicts(rows[0], unsaid) == ["close", "close"]


def test_prices_of_our_own_are_not_compared_with_ourselves():
    rows = held_by("0xa", BOOK, 100_000.0, liquidation_px_source="computed")
    assert verdicts(*rows) == [None] * 3


def test_silence_of_the_venue_is_held_against_ours():
    rows = held_by("0xa", BOOK, 100_000.0)
    silent = rows[2] | {"liquidation_px": None}
    got = compare(rows_of([*rows[:2], silent]), TIERS)
    assert got["silent"].to_list() == [False, False, True]
    assert got["confirmed"].to_list() == [False, False, False]  # there is a price


def test_an_isolated_price_follows_from_its_margin():
    px = venue.liquidation_px(50.0, 9_000.0 - 50 * 2_000.0, RATES["ETH"])
    row = {
        "account": "0xa",
        "coin": "ETH",
        "size": 50.0,
        "mark_px": 2_000.0,
        "leverage_type": "isolated",
        "margin_used": 9_000.0,
        "liquidation_px": px,
    }
    assert verdicts(row) == ["close"]
    assert verdicts(row | {"liquidation_px": px * 1.001}) == ["unexplained"]


def test_a_days_errors_by_hand():
    rows = [
        *held_by("0xa", BOOK, 100_000.0),
        *held_by("0xb", BOOK, 110_000.0),
        *held_by("0xc", BOOK, 120_000.0),
        *held_by("0xd", BOOK[:1], 100_000.0),
    ]
    rows[0]["liquidation_px"] *= 1.001
    day = summed([compare(rows_of(rows[:6]), TIERS), compare(rows_of(rows[6:]), TIERS)])
    btc = day.filter(coin="BTC").row(0, named=True)
    assert btc["positions"] == btc["venue"] == 4
    assert (btc["compared"], btc["within_1e6"], btc["unexplained"]) == (3, 2, 1)
    assert (btc["no_other_price"], btc["sibling"], btc["agrees"]) == (1, 3, 2)
    assert btc["median_error"] < 1e-11
    assert btc["p99_error"] == pytest.approx(0.98 * 0.000999, rel=1e-2)


def test_the_days_errors_land_once_and_the_view_shows_them(tmp_path):
    lake = str(tmp_path / "lake")
    land_tiers(lake, DOCUMENTED)
    days = [(T0 + timedelta(days=n)).date() for n in (0, 1)]

    def run():
        return land_margin_errors(lake, days, lambda: T0 + timedelta(days=9))[0]

    def snapshot(at, wrong=1.0):
        rows = held_by("0xa", BOOK, 100_000.0)
        rows[0]["liquidation_px"] *= wrong
        named = [{key: row[key] for key in row if key != "account"} for row in rows]
        land_snapshot(lake, [position(holder=1, **row) for row in named], at)

    def seen():
        with open_lake(lake) as con:
            return con.sql(
                "select day, coin, venue_prices, within_1e6_share, explained_share "
                "from margin_error order by day, coin"
            ).fetchall()

    snapshot(T0 + timedelta(hours=1))
    assert run().rows == 3
    first = [(days[0], coin, 1, 1.0, None) for coin in ("BTC", "ETH", "SOL")]
    assert seen() == first
    held = {path: path.read_bytes() for path in (tmp_path / "lake").rglob("*.parquet")}
    run()
    assert {path: path.read_bytes() for path in held} == held
    # What came later for the day replaces what was said of it.
    snapshot(T0 + timedelta(hours=2), wrong=1.001)
    run()
    assert seen() == [
        (days[0], "BTC", 2, 0.5, 0.0),
        *[(*row[:2], 2, *row[3:]) for row in first[1:]],
    ]


def real_isolated(real):
    rows = pl.read_csv(real / "margin/isolated_positions.csv")
    side = pl.when(pl.col("side") == "long").then(1.0).otherwise(-1.0)
    return rows.select(
        source=pl.lit("real"),
        scope=pl.lit("hyperliquid"),
        snapshot_ts=pl.lit(T0),
        account=pl.int_range(pl.len()).cast(pl.String),
        # Each is of its own time, and keeps its own maximum leverage.
        coin=pl.col("symbol") + pl.lit(" ") + pl.col("maxLeverage").cast(pl.String),
        size=pl.col("contracts") * side,
        mark_px=pl.col("entryPrice"),
        liquidation_px=pl.col("liquidationPrice"),
        liquidation_px_source=pl.lit("venue"),
        leverage_type=pl.lit("isolated"),
        max_leverage=pl.col("maxLeverage").cast(pl.Float64),
        margin_used=pl.col("collateral"),
        account_value=pl.lit(None, pl.Float64),
        account_mode=pl.lit(None, pl.String),
    )


def isolated_tiers(rows):
    pairs = rows.select("coin", "max_leverage").unique().iter_rows()
    return {coin: [Tier(0, most)] for coin, most in pairs}


def test_every_real_isolated_price_is_within_1e4_and_all_but_near_zero_ones_within_1e6(real):
    rows = real_isolated(real)
    got = compare(rows, TierTable.of(isolated_tiers(rows)))
    assert got.height == 15
    assert (got["error"] <= 1e-4).all()
    assert set(got["verdict"]) <= {"close", "near_zero"}
    wrong = {
        coin: [Tier(0, steps[0].max_leverage * 1.01)]
        for coin, steps in isolated_tiers(rows).items()
    }
    planted = compare(rows.with_columns(max_leverage=None), TierTable.of(wrong))
    assert (planted["verdict"] == "unexplained").sum() >= 13


def real_cross(real):
    rows = pl.read_parquet(real / "margin/cross_positions.parquet")
    return rows.filter(pl.col("levType") == "cross").select(
        source=pl.lit("real"),
        scope=pl.lit("hyperliquid"),
        snapshot_ts=pl.col("ts").str.to_datetime(time_unit="us", time_zone="UTC"),
        account=pl.col("addr"),
        coin=pl.col("coin"),
        size=pl.col("szi"),
        mark_px=pl.col("notional") / pl.col("szi").abs(),
        liquidation_px=pl.col("liqPx"),
        liquidation_px_source=pl.lit("venue"),
        leverage_type=pl.lit("cross"),
        max_leverage=pl.lit(None, pl.Float64),
        margin_used=pl.lit(None, pl.Float64),
        account_value=pl.col("av"),
        # Positions in other coins are not in the file, so a value explains no price.
        account_mode=pl.lit("unified"),
    )


def test_all_real_cross_positions_of_an_account_imply_one_margin(real):
    got = compare(real_cross(real), TIERS)
    assert got["sibling"].sum() > 1300
    assert (got["agrees"] == got["sibling"]).all()
    assert (got["confirmed"] == got["silent"]).all()
    assert got["silent"].sum() > 300
    assert set(got["verdict"].drop_nulls()) <= {"close", "near_zero", "shared_collateral"}
    planted = TierTable.of({**DOCUMENTED, "ETH": [Tier(0, 25.25), Tier(100e6, 15)]})
    faulty = compare(real_cross(real), planted)
    assert (faulty["agrees"] != faulty["sibling"]).sum() > 300
    assert "unexplained" in set(faulty["verdict"])
