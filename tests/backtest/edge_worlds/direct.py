"""This module holds simple bets against their placebos, without a replay, on many markets.

A bet is entered at a close and left some hours later at another, which is all that the tests
of random times and of shuffled maps look at; replays of every draw take ten times as long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from backtest.bars import Bars
from backtest.findings.against import among
from backtest.placebos.days_alike import days_alike
from backtest.placebos.shuffled import turns
from backtest.pooled import Attempts, pooled
from tests.backtest.edge_worlds.world import FREE, World

DRAWS = 99
FALLS = 0.15  # sudden ones, a day

Signal = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Market:
    """Coins without an edge.

    Attributes
    ----------
    bars
        Of each coin, those of a week before the period included.
    heavier
        Of each coin, every four hours, the side on which the map holds more; NaN: unknown.
    rng
        Where draws come from.
    """

    bars: list[Bars]
    heavier: list[np.ndarray]
    rng: np.random.Generator


def market(seed: int, coins: int = 8, days: int = 90, sudden: float = 0.0) -> Market:
    """Return coins of a made-up market, which may all fall at once now and then.

    Parameters
    ----------
    seed
        Of all draws.
    coins, days
        How many.
    sudden
        Least fall of some single hours, fraction; a drift upwards makes up for them.
    """
    tapes = World(seed=seed, terms=FREE, coins=coins, days=days).tapes()
    rng = np.random.default_rng([seed, 1])
    hours = len(tapes[0].bars)
    fallen = np.where(
        rng.random(hours) < FALLS / 24, sudden * (1 + rng.exponential(1, hours)), 0
    )
    made_up = np.cumprod((1 - fallen) * (1 + FALLS / 24 * 2 * sudden))
    bars = []
    for tape in tapes:
        close = tape.bars.close_px * made_up
        opened = np.concatenate([close[:1], close[:-1]])
        bars.append(replace(tape.bars, open_px=opened, close_px=close))
    heavier = []
    for tape in tapes:
        asked = np.arange(hours) % 4 == 0
        maps = tape.read_maps(asked, tape.bars.end, tape.bars.close_px, 15.0)
        heavier.append(np.sign(maps.short_above - maps.long_below)[asked])
    return Market(bars, heavier, rng)


def falls(px: np.ndarray) -> np.ndarray:
    """Buy what fell 3 % in six hours."""
    return (moved(px, 6) < -0.03).astype(int)


def moves(px: np.ndarray) -> np.ndarray:
    """Bet against 3 % in six hours."""
    return -np.sign(np.where(np.abs(moved(px, 6)) > 0.03, moved(px, 6), 0)).astype(int)


def breaks(px: np.ndarray) -> np.ndarray:
    """Follow a close beyond those of a day."""
    day = sliding_window_view(px, 24)[:-1]
    out = np.zeros(px.size, int)
    out[24:] = (px[24:] > day.max(axis=1)).astype(int) - (px[24:] < day.min(axis=1))
    return out


# What is bet on, and for how many hours.
BETS: dict[str, tuple[Signal, int]] = {
    "buy falls": (falls, 12),
    "fade moves": (moves, 6),
    "follow breaks": (breaks, 24),
}


def moved(px: np.ndarray, hours: int) -> np.ndarray:
    """Return how far each close lies from that some hours before; 0: there is none."""
    return np.concatenate([np.zeros(hours), px[hours:] / px[:-hours] - 1])


def bets(bars: Bars, signal: Signal, hold: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of the bars and sides of bets, of which one is held at a time."""
    side = signal(bars.close_px)
    rows, free = [], bars.warmup
    for row in np.flatnonzero(side[: len(bars) - hold]):
        if row >= free:
            rows.append(row)
            free = row + hold
    return np.array(rows, int), side[rows]


def earned(bars: Bars, rows: np.ndarray, side: np.ndarray, hold: int) -> Attempts:
    """Return what bets earn, one attempt each."""
    px, last = bars.close_px, np.minimum(rows + hold, len(bars) - 1)
    days = (bars.start[rows] + bars.width).astype("datetime64[D]")
    held = (bars.start[last] - bars.start[rows]) / np.timedelta64(1, "D")
    returns = side * (px[last] / px[rows] - 1)
    return Attempts(returns, days, np.ones(rows.size, bool), held)


def better(own: Attempts, gain: float) -> Attempts:
    """Return attempts that each earn so much more."""
    return replace(own, returns=own.returns + gain)


def random_times_p(of: Market, bet: str, gains: Sequence[float] = (0.0,)) -> list[float | None]:
    """Return p of bets that earn so much more than chance among those of days alike."""
    signal, hold = BETS[bet]
    made = [bets(bars, signal, hold) for bars in of.bars]
    closes = [bars.end[bars.warmup : len(bars) - hold] for bars in of.bars]
    alike = days_alike(of.bars, closes)
    draws = []
    for _ in range(DRAWS):
        to, parts = alike.drawn(of.rng), []
        for bars, (rows, side) in zip(of.bars, made, strict=True):
            day = bars.end[rows].astype("datetime64[D]")
            on = (to[np.searchsorted(alike.day, day)] - day) // np.timedelta64(1, "h")
            there = rows + on.astype(int)
            held = (there >= bars.warmup) & (there < len(bars) - hold)
            parts.append(earned(bars, there[held], side[held], hold))
        draws.append(pooled(parts))
    own = _own(of, made, hold)
    return [among(better(own, gain), draws, of.rng, in_place=False) for gain in gains]


def moved_as_one_p(of: Market, bet: str, gains: Sequence[float] = (0.0,)) -> list[float]:
    """Return p as it was: entries moved on by one number of closes, and the mean alone."""
    signal, hold = BETS[bet]
    made = [bets(bars, signal, hold) for bars in of.bars]
    own, means = _own(of, made, hold).mean, []
    for _ in range(DRAWS):
        parts, share = [], of.rng.random()
        for bars, (rows, side) in zip(of.bars, made, strict=True):
            n = len(bars) - hold - bars.warmup
            there = (rows - bars.warmup + 1 + int(share * (n - 1))) % n + bars.warmup
            parts.append(earned(bars, there, side, hold))
        means.append(pooled(parts).mean)
    return [(1 + (np.array(means) >= own + gain).sum()) / (1 + DRAWS) for gain in gains]


def shuffled_p(of: Market, gains: Sequence[float] = (0.0,)) -> list[float | None]:
    """Return p of breaks on the heavier side among those on that of other moments.

    Each coin knows the maps at its own breaks, as a rule's placebos do.
    """
    made = [bets(bars, breaks, 24) for bars in of.bars]
    known = [np.unique(rows // 4) for rows, _ in made]
    moments = [bars.start[4 * one] for bars, one in zip(of.bars, known, strict=True)]
    turned = turns(moments, DRAWS, of.rng)

    def told(draw: int | None) -> Attempts:
        parts = []
        for bars, heavier, held, own, (rows, side) in zip(
            of.bars, of.heavier, known, moments, made, strict=True
        ):
            shown = held if draw is None else held[turned.others(own, draw)]
            said = heavier[shown[np.searchsorted(held, rows // 4)]]
            parts.append(earned(bars, rows[said == side], side[said == side], 24))
        return pooled(parts)

    draws = [told(draw) for draw in range(turned.on.size)]
    own = told(None)
    return [among(better(own, gain), draws, of.rng, in_place=True) for gain in gains]


def _own(of: Market, made: list[tuple[np.ndarray, np.ndarray]], hold: int) -> Attempts:
    return pooled([earned(bars, *one, hold) for bars, one in zip(of.bars, made, strict=True)])
