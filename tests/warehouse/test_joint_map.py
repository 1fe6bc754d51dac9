"""The joint map: accounts solved along one move of all coins, each counted once."""

import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.reference import account_path as obvious
from tests.warehouse.joint_books import (
    BOOK,
    KINDS,
    LADDERS,
    MARKS,
    RATES,
    TIERS,
    held_by,
    worth,
)
from warehouse.joint_map import banded, basis, solve
from warehouse.margin import Tier, TierTable


def solved(*rows, betas=None, others=1.0, tiers=TIERS):
    return solve(pl.DataFrame(list(rows), schema=KINDS), tiers, betas or {}, others)


usd = st.floats(1e3, 5e6).flatmap(lambda value: st.sampled_from([value, -value]))
books = st.dictionaries(st.sampled_from(list(MARKS)), usd, min_size=1).map(
    lambda book: [(coin, value / MARKS[coin]) for coin, value in sorted(book.items())]
)
accounts = st.lists(st.tuples(books, st.floats(0.05, 1.5)), min_size=1, max_size=4)


@asked_of_a_lake
@given(accounts=accounts, betas=st.sampled_from([{}, {"ETH": 1.5, "SOL": 0.5}, {"BTC": 0.0}]))
def test_the_map_agrees_with_the_obvious_version(accounts, betas):
    """Which knows what each account is worth; ours has the venue's prices alone."""
    rows, known = [], []
    for number, (book, share) in enumerate(accounts):
        value = worth(book, share)
        mine = held_by(f"0x{number}", book, value, told=True)
        rows += mine
        known.append(([(c, s, MARKS[c], RATES[c]) for c, s in book], value))
    got = banded(solved(*rows, betas=betas), 1000.0)
    want = obvious.joint_map(known, betas, 1000.0)
    near_an_edge = any(
        (
            move := obvious.exhausting_move(
                [(s, p, betas.get(c, 1.0), t) for c, s, p, t in book], value, sign
            )
        )
        is not None
        and abs(move / 10 - round(move / 10)) < 1e-4
        for book, value in known
        for sign in (-1, 1)
    )
    # A band's edge, or prices too near 0 to be told, leave a margin uncertain.
    assume(not near_an_edge)
    cells = {
        (row["direction"], row["low_pct"] / 1000.0, row["coin"], row["side"]): row["notional"]
        for row in got.iter_rows(named=True)
    }
    assert cells.keys() == want.keys()
    for key, notional in want.items():
        assert cells[key] == pytest.approx(notional, rel=1e-6, abs=1e-3)


@asked_of_a_lake
@given(accounts=accounts, width=st.sampled_from([0.5, 1.0, 7.0]))
def test_no_account_is_counted_twice_on_one_way(accounts, width):
    rows = [
        row
        for number, (book, share) in enumerate(accounts)
        for row in held_by(f"0x{number}", book, worth(book, share))
    ]
    answer = solved(*rows)
    for direction, name in (("down", "fall_pct"), ("up", "rise_pct")):
        mine = answer.filter(pl.col(name).is_not_null())
        cells = banded(answer, width).filter(direction=direction)
        assert cells["positions"].sum() == mine.height
        assert cells["size"].sum() == pytest.approx(mine["size"].abs().sum())
        sign = -1 if direction == "down" else 1
        closing = sum(
            abs(row["size"]) * row["current_px"] * max(0, 1 + sign * row[name] / 100)
            for row in mine.iter_rows(named=True)
        )
        assert cells["notional"].sum() == pytest.approx(closing, rel=1e-9)
        for row in mine.iter_rows(named=True):
            band = cells.filter(
                pl.col("low_pct") <= row[name],
                pl.col("high_pct") > row[name],
                coin=row["coin"],
                side=row["side"],
            )
            assert band.height == 1
    assert basis(answer)["positions"].sum() == len(rows)


def test_a_cross_account_closes_all_at_once_and_not_where_the_static_map_says():
    """2 BTC and 50 ETH long, 60,000 USD: statically 41 % and more away, jointly 24 %.

    Maintenance is 1/80 of 140,000 and 1/50 of 100,000, so 60,000 = 240,000 x + 3,750 (1 - x)
    at the move x that exhausts it.
    """
    rows = held_by("0xa", [("BTC", 2.0), ("ETH", 50.0)], 60_000.0)
    answer = solved(*rows)
    x = (60_000 - 3_750) / (240_000 - 3_750)
    assert answer["fall_pct"].to_list() == pytest.approx([100 * x] * 2)
    assert answer["rise_pct"].to_list() == [None, None]
    static = [1 - row["liquidation_px"] / row["mark_px"] for row in rows]
    assert min(static) > 0.4 > 1.6 * x
    cells = banded(answer, 1.0)
    assert cells.select("direction", "low_pct", "coin", "positions").rows() == [
        ("down", 23.0, "BTC", 1),
        ("down", 23.0, "ETH", 1),
    ]
    assert cells["notional"].to_list() == pytest.approx([140_000 * (1 - x), 100_000 * (1 - x)])
    assert cells["with_others"].to_list() == cells["notional"].to_list()


def test_isolated_positions_close_on_their_own_at_the_venues_price():
    own = held_by("0xa", [("ETH", 50.0)], 10_000.0, mode="isolated")
    cross = held_by("0xa", [("BTC", 2.0)], 60_000.0)
    answer = solved(*own, *cross).sort("coin")
    assert answer["basis"].to_list() == ["own_price"] * 2
    for row, got in zip([*cross, *own], answer["fall_pct"], strict=True):
        assert got == pytest.approx(
            100 - 100 * row["liquidation_px"] / row["mark_px"], rel=1e-9
        )


def test_an_isolated_position_without_a_price_is_solved_from_its_margin():
    row = held_by("0xa", [("ETH", 50.0)], 10_000.0, mode="isolated")[0]
    told = solved(row | {"liquidation_px": None, "margin_used": 10_000.0})
    assert told["fall_pct"][0] == pytest.approx(
        100 - 100 * row["liquidation_px"] / row["mark_px"], rel=1e-9
    )
    assert solved(row | {"liquidation_px": None})["basis"][0] == "no_price_and_no_value"


def test_if_one_coin_alone_moves_the_venues_prices_come_back():
    rows = held_by("0xa", [("BTC", 2.0), ("ETH", -80.0), ("SOL", 3000.0)], 100_000.0)
    for row in rows:
        got = solved(*rows, betas={row["coin"]: 1.0}, others=0.0).filter(coin=row["coin"])
        name, sign = ("fall_pct", -1) if row["size"] > 0 else ("rise_pct", 1)
        px = row["mark_px"] * (1 + sign * got[name][0] / 100)
        assert px == pytest.approx(row["liquidation_px"], rel=1e-9)


def test_what_is_past_its_margin_closes_without_a_move():
    late = held_by("0xa", [("BTC", 1.0), ("ETH", 1.0)], 20_000.0)
    fallen = [row | {"current_px": 0.5 * row["mark_px"]} for row in late]
    lone = held_by("0xb", [("BTC", 1.0)], 20_000.0)[0] | {"current_px": 35_000.0}
    answer = solved(*fallen, lone)
    assert answer["fall_pct"].to_list() == [0.0] * 3
    assert answer["rise_pct"].to_list() == [0.0] * 3


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("no_price_and_no_value", {"liquidation_px": None}),
        ("margin_mode_not_recorded", {"liquidation_px": None, "leverage_type": None}),
        ("portfolio_margin", {"account_mode": "portfolio_margin"}),
        ("no_tiers", {"coin": "UNHEARD"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_known_is_said(why, change):
    rows = [row | change for row in held_by("0xa", BOOK, 60_000.0)]
    if why == "no_tiers":
        rows[0]["coin"] = "BTC"
    answer = solved(*rows, *held_by("0xb", BOOK, 60_000.0))
    mine = answer.filter(account="0xa")
    assert mine["basis"].to_list() == [why] * 2
    assert mine["fall_pct"].to_list() == [None, None]
    assert answer.filter(account="0xb")["basis"].to_list() == ["solved"] * 2
    said = basis(answer).filter(basis=why)
    assert said["positions"].sum() == 2


def test_prices_that_contradict_one_another_are_not_averaged():
    rows = held_by("0xa", BOOK, 60_000.0)
    rows[0]["liquidation_px"] *= 0.99
    assert solved(*rows)["basis"].to_list() == ["prices_disagree"] * 2


def test_prices_that_agree_show_a_margin_mode_that_was_not_recorded():
    rows = held_by("0xa", BOOK, 60_000.0)
    bare = [row | {"leverage_type": None} for row in rows]
    assert solved(*bare)["fall_pct"].to_list() == solved(*rows)["fall_pct"].to_list()
    bare[0]["liquidation_px"] *= 0.99
    assert solved(*bare)["basis"].to_list() == ["margin_mode_not_recorded"] * 2


def test_a_price_shows_the_leverage_that_a_position_kept():
    """ETH at 10x of a 25x coin, SOL at its own 20x and BTC at 40x agree on one margin."""
    book = [*BOOK, ("SOL", 2000.0)]
    old = {**RATES, "ETH": [(0, 1 / 20)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RATES, "ETH", old["ETH"])
        rows = held_by("0xa", book, 80_000.0)
    got = solved(*rows)
    want = solved(*rows, tiers=TierTable.of({**LADDERS, "ETH": [Tier(0, 10)]}))
    assert got["basis"].to_list() == ["solved"] * 3
    assert got["fall_pct"].to_list() == pytest.approx(want["fall_pct"].to_list(), rel=1e-9)


def test_on_real_rows_one_coins_move_gives_back_the_venues_prices(real):
    """And every position is solved, tells its own price, or says why not."""
    from datetime import UTC, datetime

    from pipelines.sources.documented_tiers import tiers_of
    from pipelines.sources.reservoir import SnapshotFile, to_positions

    levers = (
        pl.read_csv(real / "market/universe.csv")
        .group_by("name")
        .agg(pl.col("maxLeverage").last())
    )
    tiers = TierTable.of({coin: tiers_of(coin, most) for coin, most in levers.iter_rows()})
    path = sorted(real.glob("hydromancer-reservoir/by_dex/*/snapshots/perp/date=2026-02-04/*"))
    file = SnapshotFile("f", "hyperliquid", datetime(2026, 2, 4, tzinfo=UTC))
    rows = to_positions(pl.read_parquet(path[0], hive_partitioning=False), file).positions
    held = rows.with_columns(
        current_px=pl.col("mark_px"),
        side=pl.when(pl.col("size") > 0).then(pl.lit("long")).otherwise(pl.lit("short")),
    )
    whole = solve(held, tiers, {})
    counted = basis(whole)
    assert counted["positions"].sum() == rows.height
    known = counted.filter(pl.col("basis").is_in(["solved", "own_price", "never"]))
    assert known["notional"].sum() > 0.8 * counted["notional"].sum()
    alone = solve(held, tiers, {"BTC": 1.0}, 0.0)
    joined = alone.with_columns(venue=held["liquidation_px"]).filter(
        pl.col("venue").is_not_null(), coin="BTC", basis="solved"
    )
    assert joined.height > 50
    ours = joined.select(
        pl.when(pl.col("size") > 0)
        .then(pl.col("current_px") * (1 - pl.col("fall_pct") / 100))
        .otherwise(pl.col("current_px") * (1 + pl.col("rise_pct") / 100))
    ).to_series()
    assert ((ours / joined["venue"] - 1).abs() <= 2e-6).all()
