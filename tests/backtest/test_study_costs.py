"""Trades of a study pay what the lake says: funding, slippage, margin."""

import numpy as np
import pytest

from backtest.slippage import SlippageUnknown
from backtest.strategies.breakout import Breakout
from tests.backtest.data_studies import (
    ENTRY,
    FILTER,
    TARGET,
    only,
    replayed,
    trades_of,
    without,
)
from tests.backtest.small_lake import (
    HOURS,
    VOLUME,
    at,
    land_bars,
    land_book,
    land_context,
    land_funding,
    land_instrument,
    land_lake,
    walk,
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return land_lake(tmp_path_factory.mktemp("lake"))


def test_missing_funding_is_an_error_unless_it_is_left_out(tmp_path):
    land_bars(tmp_path, walk(), volume=VOLUME)
    with pytest.raises(
        LookupError, match="no funding of BTC at hyperliquid for 2026-01-02 07:00"
    ):
        replayed(tmp_path)
    free = replayed(tmp_path, FILTER, terms=without("funding"))
    assert all((run.replay.trades["funding"] == 0).all() for run in free.runs)
    assert any("funding is left out" in note for note in free.notes)
    # Nothing is known of any map: the filter takes nothing, and says why.
    figures = only(free, "optimistic").figures()
    assert (figures["trades"], figures["unmapped"]) == (0, figures["signals"])
    assert figures["mean_trade"] is None


def test_slippage_is_charged_unless_it_is_left_out(lake, tmp_path):
    played = replayed(lake, TARGET)
    for run in played.runs:
        assert (run.replay.trades["slippage"] > 0).all()
    free = replayed(lake, TARGET, terms=without("slippage"))
    assert all((run.replay.trades["slippage"] == 0).all() for run in free.runs)
    assert "BTC: slippage: none, as asked." in free.notes
    one, other = (only(one).figures() for one in (played, free))
    assert one["slippage"] > 0 == other["slippage"]
    land_bars(tmp_path, walk())
    land_funding(tmp_path, [0.0] * (HOURS + 1))
    with pytest.raises(SlippageUnknown, match="slippage of BTC is not known for the bar of"):
        replayed(tmp_path)


def test_recorded_books_change_what_market_orders_pay_and_nothing_else(tmp_path):
    """One level of a million coins, 1 % from the mid: every market order pays 1 %."""
    root = land_lake(tmp_path)
    for hour in range(6, HOURS):
        land_book(root, hour, [(99.0, 1e6)], [(101.0, 1e6)])
    other = replayed(root, ENTRY)
    assert any(
        "194 of 194 bars from recorded books (median age 0 min)" in n for n in other.notes
    )
    trades = trades_of(other)
    bars = only(other).bars
    opened = dict(zip(bars.start, bars.open_px, strict=True))
    for trade in trades:
        px = opened[bars.start[trade["entered"]]]
        assert trade["entry_px"] == pytest.approx(px * (1 + 0.01 * np.sign(trade["size"])))


def test_the_account_is_held_to_the_coins_leverage_and_tiers(lake, tmp_path):
    said = " ".join(replayed(lake, ENTRY).notes)
    assert "50 times equity; the coin's margin tiers are not known at the first close" in said
    root = land_lake(tmp_path)
    land_instrument(root, 5, tiers=[(0.0, 2.0)])
    # Twice the equity is allowed; half of that is its maintenance, so a fall of 1/3 ends it.
    held = {"stop_pct": 90.0, "target_pct": 90.0, "max_bars": 200, "lookback": 6}
    for notional, trades in ((19_000.0, 1), (21_000.0, 0)):
        other = replayed(root, Breakout(notional=notional, **held))
        assert len(trades_of(other)) == trades
    assert any("2 times equity; the account is liquidated by the" in n for n in other.notes)


@pytest.mark.parametrize(("hour", "known"), [(6, True), (7, True), (8, False)])
def test_tiers_count_if_they_are_known_before_anything_is_decided(tmp_path, hour, known):
    """The first bar is that of hour 6, and closes at 7."""
    root = land_lake(tmp_path)
    land_instrument(root, 5, hours=hour, tiers=[(0.0, 2.0)])
    played = replayed(root, ENTRY)
    assert only(played).bars.start[0].item() == at(6).replace(tzinfo=None)
    assert (played.tapes[0].margin is not None) is known


def test_funding_is_taken_on_the_oracle_price(lake, tmp_path):
    root = land_lake(tmp_path)
    for hour in range(6, HOURS):
        land_context(root, hour, oracle=200.0)
    other = replayed(root, ENTRY)
    one, two = trades_of(replayed(lake, ENTRY)), trades_of(other)
    assert np.abs(one["funding"]).sum() > 10
    # Prices wander around 100.
    np.testing.assert_allclose(two["funding"], 2 * one["funding"], rtol=0.2)
