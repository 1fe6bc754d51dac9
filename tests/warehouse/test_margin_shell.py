import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import margin as obvious
from warehouse.margin import Tier, TierTable, fill_liquidation_px

TIERS = TierTable.of({"BTC": [Tier(0, 40), Tier(1e6, 20)], "ETH": [Tier(0, 25)]})
RATES = {"BTC": [(0, 1 / 80), (1e6, 1 / 40)], "ETH": [(0, 1 / 50)]}
KINDS = {
    "account": pl.String,
    "coin": pl.String,
    "size": pl.Float64,
    "mark_px": pl.Float64,
    "liquidation_px": pl.Float64,
    "leverage_type": pl.String,
    "max_leverage": pl.Float64,
    "margin_used": pl.Float64,
    "account_value": pl.Float64,
    "account_mode": pl.String,
}


def positions(*rows):
    return pl.DataFrame([dict.fromkeys(KINDS) | row for row in rows], schema=KINDS)


def cross(account, coin, size, mark, value=None, px=None, mode=None):
    return {
        "account": account,
        "coin": coin,
        "size": size,
        "mark_px": mark,
        "leverage_type": "cross",
        "account_value": value,
        "liquidation_px": px,
        "account_mode": mode,
    }


def obvious_cross(book, index, value):
    """Return the price of position ``index`` of one account, the others' prices fixed."""
    coin, size, mark = book[index]
    others = sum(
        obvious.maintenance(abs(other) * px, RATES[name])
        for number, (name, other, px) in enumerate(book)
        if number != index
    )
    return obvious.liquidation_px(size, value - others - size * mark, RATES[coin])


sizes = st.floats(0.01, 50).flatmap(lambda size: st.sampled_from([size, -size]))


@given(
    btc=sizes,
    eth=sizes,
    value=st.floats(100.0, 5e6),
    px=st.tuples(st.floats(1e4, 1e5), st.floats(500.0, 5e3)),
)
def test_missing_prices_come_from_the_account_value(btc, eth, value, px):
    book = [("BTC", btc, px[0]), ("ETH", eth, px[1])]
    filled = fill_liquidation_px(
        positions(*(cross("0xa", coin, size, mark, value) for coin, size, mark in book)), TIERS
    )
    for row, got in enumerate(filled.positions["liquidation_px"]):
        want = obvious_cross(book, row, value)
        if want is None or want < 1e-6:
            assert got is None or got < 1e-5
        else:
            assert got == pytest.approx(want, rel=1e-8)
    assert filled.venue == 0
    assert filled.computed == filled.positions["liquidation_px"].count()


def test_the_venues_price_stands():
    filled = fill_liquidation_px(positions(cross("0xa", "BTC", 1.0, 1e5, 2e4, px=123.0)), TIERS)
    assert filled.positions["liquidation_px"].to_list() == [123.0]
    assert filled.positions["liquidation_px_source"].to_list() == ["venue"]


def test_a_sibling_says_more_than_the_account_value():
    """The venue's price of one position tells the margin behind the account's others."""
    true_value, told_value = 30_000.0, 90_000.0
    book = [("BTC", 1.0, 1e5), ("ETH", 10.0, 4e3)]
    px = obvious_cross(book, 0, true_value)
    filled = fill_liquidation_px(
        positions(
            cross("0xa", "BTC", 1.0, 1e5, told_value, px=px),
            cross("0xa", "ETH", 10.0, 4e3, told_value),
        ),
        TIERS,
    )
    want = obvious_cross(book, 1, true_value)
    assert filled.positions["liquidation_px"][1] == pytest.approx(want, rel=1e-9)
    assert filled.positions["liquidation_px_source"].to_list() == ["venue", "computed"]


def test_account_values_that_known_prices_contradict_are_not_believed():
    px = obvious_cross([("BTC", 1.0, 1e5)], 0, 30_000.0)
    rows = positions(
        cross("0xa", "BTC", 1.0, 1e5, 90_000.0, px=px), cross("0xb", "BTC", 1.0, 1e5, 20_000.0)
    )
    filled = fill_liquidation_px(rows, TIERS)
    assert filled.positions["liquidation_px"][1] is None
    assert filled.unknown == 1
    told_truly = rows.with_columns(account_value=pl.Series([30_000.0, 20_000.0]))
    filled = fill_liquidation_px(told_truly, TIERS)
    assert filled.positions["liquidation_px"][1] == pytest.approx(
        obvious_cross([("BTC", 1.0, 1e5)], 0, 20_000.0)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"leverage_type": None},
        {"account_value": None},
        {"account_mode": "portfolio_margin"},
        {"account_mode": "unified"},
        {"max_leverage": 25.0},
        {"account_value": -2e5, "size": -1.0},
        {"coin": "UNHEARD"},
    ],
    ids=str,
)
def test_what_cannot_be_known_stays_unknown(change):
    filled = fill_liquidation_px(positions(cross("0xa", "BTC", 1.0, 1e5, 2e4) | change), TIERS)
    assert filled.positions["liquidation_px"].to_list() == [None]
    assert filled.positions["liquidation_px_source"].to_list() == [None]
    assert (filled.computed, filled.never, filled.unknown) == (0, 0, 1)


def test_a_coin_without_tiers_leaves_its_accounts_margin_unknown():
    rows = positions(cross("0xa", "BTC", 1.0, 1e5, 2e4), cross("0xa", "UNHEARD", 1.0, 1e5, 2e4))
    assert fill_liquidation_px(rows, TIERS).unknown == 2


def test_isolated_needs_its_own_margin():
    row = cross("0xa", "BTC", 1.0, 1e5, 1e9) | {"leverage_type": "isolated"}
    assert fill_liquidation_px(positions(row), TIERS).unknown == 1
    filled = fill_liquidation_px(positions(row | {"margin_used": 1e4}), TIERS)
    assert filled.positions["liquidation_px"][0] == pytest.approx(9e4 / (1 - 1 / 80))
    assert filled.computed == 1


def test_the_value_of_an_account_that_also_holds_isolated_positions_says_nothing():
    isolated = cross("0xa", "ETH", 100.0, 4e3, 2e4) | {"leverage_type": "isolated"}
    filled = fill_liquidation_px(positions(cross("0xa", "BTC", 1.0, 1e5, 2e4), isolated), TIERS)
    assert filled.unknown == 2


def test_isolated_positions_take_nothing_from_the_cross_margin_that_siblings_imply():
    px = obvious_cross([("BTC", 1.0, 1e5), ("ETH", 10.0, 4e3)], 0, 30_000.0)
    cross_rows = (cross("0xa", "BTC", 1.0, 1e5, px=px), cross("0xa", "ETH", 10.0, 4e3))
    isolated = cross("0xa", "SOL", 9.0, 150.0) | {"leverage_type": "isolated"}
    lone, beside = positions(*cross_rows), positions(*cross_rows, isolated)
    got = [
        fill_liquidation_px(rows, TIERS).positions["liquidation_px"][1]
        for rows in (lone, beside)
    ]
    assert (
        got[0]
        == got[1]
        == pytest.approx(obvious_cross([("BTC", 1.0, 1e5), ("ETH", 10.0, 4e3)], 1, 30_000.0))
    )


def test_a_position_keeps_its_own_maximum_leverage():
    """20 USD of margin behind 1 coin at 100, of a 25x coin with one tier: 80 / (1 - 1/20)."""
    row = cross("0xa", "ETH", 1.0, 100.0)
    row |= {"leverage_type": "isolated", "margin_used": 20.0}
    px = fill_liquidation_px(positions(row | {"max_leverage": 10.0}), TIERS).positions
    assert px["liquidation_px"][0] == pytest.approx(80 / 0.95)


def test_the_dexes_of_an_account_are_accounts_of_their_own():
    px = obvious_cross([("BTC", 1.0, 1e5)], 0, 30_000.0)
    tiers = TierTable.of(dict(TIERS.tiers) | {"xyz:TSLA": [Tier(0, 10)]})
    rows = positions(cross("0xa", "BTC", 1.0, 1e5, px=px), cross("0xa", "xyz:TSLA", 9.0, 400.0))
    assert fill_liquidation_px(rows, tiers).unknown == 1


@pytest.mark.parametrize(
    "tiers",
    [[], [Tier(5, 10)], [Tier(0, 10), Tier(0, 5)], [Tier(0, 5), Tier(9, 10)], [Tier(0, 0)]],
)
def test_impossible_tiers_are_refused(tiers):
    with pytest.raises(ValueError, match="margin tiers of X"):
        TierTable.of({"X": tiers})


def test_silence_means_never_on_real_rows(real):
    """Where the venue gives an account's other prices, its silences are all confirmed."""
    files = sorted(real.glob("hydromancer-reservoir/by_dex/*/snapshots/perp/date=2026-02-03/*"))
    from datetime import UTC, datetime

    from pipelines.sources.documented_tiers import documented_tiers
    from pipelines.sources.reservoir import SnapshotFile, to_positions

    file = SnapshotFile("f", "hyperliquid", datetime(2026, 2, 3, tzinfo=UTC))
    rows = to_positions(pl.read_parquet(files[0], hive_partitioning=False), file).positions
    filled = fill_liquidation_px(rows, TierTable.of(documented_tiers()))
    given = np.count_nonzero(rows["liquidation_px"].is_not_null())
    assert (filled.venue, filled.computed) == (given, 0)
