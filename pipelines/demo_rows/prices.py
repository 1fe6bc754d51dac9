"""This module draws correlated mark prices and funding rates."""

from typing import NamedTuple

import numpy as np

from pipelines.sources.documented_tiers import size_decimals

MINUTES_PER_YEAR = 525_600


class Coin(NamedTuple):
    """One coin of the world.

    Attributes
    ----------
    name, start_px
        Symbol, and its first mark in USD.
    beta
        Move for a move of 1 of the market.
    own_vol
        Volatility of its own, a fraction per square root of a year.
    max_leverage
        Of its lowest margin tier.
    share
        Of the accounts' trades.
    """

    name: str
    start_px: float
    beta: float
    own_vol: float
    max_leverage: int
    share: float

    @property
    def size_decimals(self) -> int:
        """Decimals of an order's size."""
        decimals = size_decimals(self.name)
        assert decimals is not None
        return decimals

    @property
    def px_decimals(self) -> int:
        """Decimals that a price may have, by the venue's rule for ticks."""
        return 6 - self.size_decimals


COINS = (
    Coin("BTC", 91_400.0, 1.00, 0.12, 40, 0.42),
    Coin("ETH", 3_140.0, 1.25, 0.25, 25, 0.28),
    Coin("SOL", 137.0, 1.45, 0.35, 20, 0.17),
    Coin("HYPE", 25.6, 1.50, 0.60, 10, 0.13),
)


class Shock(NamedTuple):
    """A sudden move of the market.

    Attributes
    ----------
    at
        When it starts, as a fraction of the world's time.
    minutes
        How long it takes.
    log_move
        How far it goes, natural logarithm.
    """

    at: float
    minutes: int
    log_move: float


# Two falls and a squeeze between them.  On 10 October 2025 BTC fell 12 % in half an hour.
SHOCKS = (Shock(0.35, 50, -0.085), Shock(0.55, 40, 0.055), Shock(0.72, 70, -0.13))
MARKET_VOL = 0.42
JUMPS_PER_DAY = 1.5
JUMP_SIZE = 0.004
REBOUND = 0.35  # share of a shock that is won back
REBOUND_MINUTES = 480


def mark_paths(rng: np.random.Generator, warm_up: int, minutes: int) -> np.ndarray:
    """Draw one mark a minute and coin.

    Parameters
    ----------
    rng
        Where the randomness comes from.
    warm_up
        Minutes before the world's time, without shocks.
    minutes
        Minutes of the world's time, within which the shocks fall.

    Returns
    -------
    float64[warm_up + minutes, coins]
        USD, on the coins' ticks.
    """
    total = warm_up + minutes
    per_minute = 1 / np.sqrt(MINUTES_PER_YEAR)
    market = rng.standard_normal(total) * MARKET_VOL * per_minute * _calm_and_storm(rng, total)
    jumps = rng.random(total) < JUMPS_PER_DAY / 1440
    market += jumps * rng.standard_normal(total) * JUMP_SIZE
    for shock in SHOCKS:
        first = warm_up + int(shock.at * minutes) + int(rng.integers(-20, 20))
        market[first : first + shock.minutes] += _bursts(
            rng, shock.minutes, shock.log_move, total - first
        )
        back = first + shock.minutes
        length = min(REBOUND_MINUTES, total - back)
        market[back : back + length] -= REBOUND * shock.log_move / REBOUND_MINUTES
    own = (
        rng.standard_normal((total, len(COINS))) * [coin.own_vol for coin in COINS] * per_minute
    )
    moves = np.outer(market, [coin.beta for coin in COINS]) + own
    moves[0] = 0.0
    paths = np.exp(np.cumsum(moves, axis=0)) * [coin.start_px for coin in COINS]
    return np.column_stack(
        [paths[:, i].round(coin.px_decimals) for i, coin in enumerate(COINS)]
    )


def _calm_and_storm(rng: np.random.Generator, total: int) -> np.ndarray:
    """Return a factor on volatility that wanders from hour to hour, 1 at the median."""
    hours = total // 60 + 1
    level = np.zeros(hours)
    for hour, noise in enumerate(rng.standard_normal(hours)):
        level[hour] = 0.95 * level[hour - 1] + 0.15 * noise
    return np.repeat(np.exp(level), 60)[:total]


def _bursts(rng: np.random.Generator, minutes: int, log_move: float, room: int) -> np.ndarray:
    """Return moves that add up to ``log_move``, most of it in few minutes."""
    weights = rng.gamma(0.6, size=minutes)
    return (log_move * weights / weights.sum())[:room]


def premiums(rng: np.random.Generator, marks: np.ndarray) -> np.ndarray:
    """Draw each hour's premium of the mark over the oracle, which leans after the price.

    Returns
    -------
    float64[hours, coins]
        Fraction.
    """
    hourly = marks[::60]
    moves = np.diff(np.log(hourly), axis=0, prepend=np.log(hourly[:1]))
    noise = rng.standard_normal(hourly.shape) * 1.2e-4
    premium = np.zeros_like(hourly)
    for hour in range(1, len(hourly)):
        premium[hour] = 0.9 * premium[hour - 1] + 0.004 * moves[hour] + noise[hour]
    return premium


def funding_rates(premium: np.ndarray) -> np.ndarray:
    """Return the hourly rate for each hour's premium, by the venue's formula.

    >>> funding_rates(np.array([0.0, 0.0001, 0.004])).round(9).tolist()
    [1.25e-05, 1.25e-05, 0.0004375]
    """
    eight_hours = premium + np.clip(1e-4 - premium, -5e-4, 5e-4)
    return np.clip(eight_hours / 8, -0.04, 0.04)
