"""No account outlives a bar at whose worst prices, of all coins at once, its margin is gone."""

import numpy as np
import pytest

from backtest.kernels import account
from tests.backtest.case import by_kernel
from tests.reference.replay_bar import Bar
from tests.reference.replay_words import Decision, Market, Venue

COINS, BARS, RATE = 3, 7, 0.02
MARKETS = [Market(leverage=25.0, tiers=((RATE, 0.0),))] * COINS
VENUE = Venue(start_equity=10_000.0, taker=0.0005, maker=0.0002)


def world(rng):
    """Bars of three coins, each entered once, at the market or where the bars may reach."""
    px, bars = np.full(COINS, 100.0), []
    for _ in range(BARS):
        first = np.round(px * (1 + rng.normal(0, 0.004, COINS)), 2)
        px = np.round(first * (1 + rng.normal(0, 0.02, COINS)), 2)
        high = np.maximum(first, px) * (1 + np.abs(rng.normal(0, 0.01, COINS)))
        low = np.minimum(first, px) * (1 - np.abs(rng.normal(0, 0.01, COINS)))
        bars.append([Bar(*map(float, one)) for one in zip(first, high, low, px, strict=True)])
    wanted = [[Decision()] * COINS for _ in range(BARS)]
    for coin in range(COINS):
        row, side = int(rng.integers(0, 4)), int(rng.choice([1, -1]))
        kind = str(rng.choice(["market", "limit", "stop"]))
        away = {"market": 0.0, "limit": -0.005, "stop": 0.005}[kind]
        wanted[row][coin] = Decision(
            side,
            kind=kind,
            px=bars[row][coin].close * (1 + side * away),
            notional=float(rng.choice([40e3, 70e3])),
            good_for=3,
        )
    return bars, wanted


def outlived(worlds, **words):
    """Return how many accounts were liquidated, and how many bars were outlived."""
    rng = np.random.default_rng(1)
    liquidated = survived = 0
    for _ in range(worlds):
        bars, wanted = world(rng)
        trades, equity, position, _ = by_kernel(bars, wanted, MARKETS, VENUE, **words)
        liquidated += any(trade.reason == "liquidation" for trade in trades)
        # At the last close all is closed.
        for row, had, coins in zip(bars[:-1], equity[:-1], position[:-1], strict=True):
            held = [(one, size) for one, size in zip(row, coins, strict=True) if size]
            worst = [(one.low if size > 0 else one.high) for one, size in held]
            left, need = had, 0.0
            for (one, size), px in zip(held, worst, strict=True):
                left += size * (px - one.close)
                need += abs(size) * px * RATE
            survived += bool(held) and left < need - 1e-6
    return liquidated, survived


def test_no_account_outlives_the_worst_of_all_its_coins():
    liquidated, survived = outlived(500)
    assert liquidated > 30
    assert survived == 0


@pytest.mark.parametrize("spared", ["go_down", "worth"])
def test_one_that_does_is_caught(monkeypatch, spared):
    """Who went through the bar before is spared, or who entered within it taken at its open."""
    instead = {"go_down": lambda *_: None, "worth": lambda h, b, px, reading: px}[spared]
    monkeypatch.setattr(account, spared, instead)
    _, survived = outlived(60, implementation=account.replay.py_func)
    assert survived > 0
