"""This module runs the world: it makes one from a seed, lets time pass, and keeps its rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np

from pipelines.simulator.coins import Coin, listed
from pipelines.simulator.kernels.advance import MINUTE, advance
from pipelines.simulator.kernels.book import quote
from pipelines.simulator.kernels.genesis import settle_in, take_positions
from pipelines.simulator.kernels.prices import elsewhere, set_prices
from pipelines.simulator.kernels.settlement import delist
from pipelines.simulator.records import (
    ACCOUNT,
    COIN,
    CONTEXT,
    CONTEXTS,
    DEPOSITED,
    FUNDING,
    LEVELS,
    LIQUIDATION,
    MAKER,
    NOW,
    SLOT,
    TRADE,
    TRANSFER,
    VAULT,
    Tape,
    World,
)
from pipelines.simulator.shocks import Shock, shock_returns
from warehouse.margin import Tier, TierTable

MAKERS = 6
SLOTS = 8  # of a trader
MINUTES_PER_YEAR = 525_600
MARKET_VOL = 0.42  # a year
DEPTH_OF_INTEREST = 1 / 15  # depth within 1 % of a side, of the coin's open interest
LEAST_DEPTH = 20_000.0  # USD
BIG_IMPACT, IMPACT = 20_000.0, 6_000.0  # USD; the venue's for BTC and ETH, and the others
# The venue sends a fifth first since this moment (measured on liquidation orders).
PARTIAL_SINCE = int(datetime(2025, 3, 15, 4, 31, tzinfo=UTC).timestamp()) * 1000
# The venue's liquidator vault has this one of its children's addresses.
VAULT_ADDRESS = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14"


class Delisting(NamedTuple):
    """The end of a coin: its positions are settled at the mark of ``at_ms``, a minute."""

    coin: str
    at_ms: int


class WorldSpec(NamedTuple):
    """What a world is made from; the same makes the same, on every machine.

    Attributes
    ----------
    seed
        Of all its randomness.
    start
        First day.
    coins, accounts
        How many; accounts beside makers and the vault.
    shocks
        Moves of the whole market that are sure to come.
    delistings
        Coins that the venue takes off its list, and settles.
    """

    seed: int = 7
    start: date = date(2026, 1, 5)
    coins: int = 20
    accounts: int = 2_000
    shocks: tuple[Shock, ...] = ()
    delistings: tuple[Delisting, ...] = ()

    @property
    def start_ms(self) -> int:
        """First moment, ms."""
        return int(datetime.combine(self.start, time(), UTC).timestamp()) * 1000


class Told(NamedTuple):
    """What happened in a stretch of time: rows of :mod:`pipelines.simulator.records`."""

    trades: np.ndarray
    transfers: np.ndarray
    liquidations: np.ndarray
    fundings: np.ndarray
    contexts: np.ndarray
    books: np.ndarray


class Moment(NamedTuple):
    """What every account held at a moment; copies."""

    ms: int
    accounts: np.ndarray
    slots: np.ndarray
    coins: np.ndarray


class Simulation:
    """A world and its clock.

    Parameters
    ----------
    spec
        What to make it from.

    Attributes
    ----------
    coins
        The listed coins.
    addresses
        Of every account, ``0x`` and 40 digits.
    tiers
        Margin tables: one a coin, in order, then those of grandfathered positions.
    world
        Its state; what happened is written to the tape that is passed.
    """

    def __init__(self, spec: WorldSpec) -> None:
        if not 1 <= spec.coins <= 400 or not 1 <= spec.accounts <= 1_000_000:
            raise ValueError(
                f"a world of {spec.coins} coins and {spec.accounts} accounts: "
                "takes 1 to 400 coins, 1 to 1,000,000 accounts"
            )
        self.spec = spec
        self.coins = listed(spec.coins)
        names = [coin.name for coin in self.coins]
        for each in spec.delistings:
            if each.coin not in names:
                raise ValueError(f"delisting of {each.coin}: no such coin; has {names}")
        self.vault = MAKERS
        count = MAKERS + 1 + spec.accounts
        names = np.random.PCG64(spec.seed).random_raw(3 * count)
        self.addresses = [
            f"0x{a:016x}{b:016x}{c % 2**32:08x}" for a, b, c in names.reshape(-1, 3).tolist()
        ]
        self.addresses[self.vault] = VAULT_ADDRESS
        self.tiers = _tier_table(self.coins)
        self.world = _empty_world(spec, self.coins, self.tiers)
        _settle(self.world, spec)

    @property
    def now_ms(self) -> int:
        """The world's clock."""
        return int(self.world.house[NOW])

    def run(self, minutes: int, books: bool = False) -> Told:
        """Let ``minutes`` pass and return what happened; ``books``: with every minute's."""
        parts, left = [], minutes
        while left > 0:
            first = (self.now_ms - self.spec.start_ms) // MINUTE
            stretch = min(left, 1440, self._until_delisting())
            tape = _tape(self.world, stretch, books)
            self._delist(tape)
            extra = shock_returns(self.spec.shocks, self.spec.start_ms, first, stretch)
            passed = advance(self.world, tape, stretch, extra, self.vault, PARTIAL_SINCE)
            parts.append(_told(tape))
            left -= passed
        if not parts:
            return _told(_tape(self.world, 0, books))
        if len(parts) == 1:
            return parts[0]
        return Told(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))

    def _until_delisting(self) -> int:
        """Return the minutes until the next delisting after now."""
        later = [each.at_ms for each in self.spec.delistings if each.at_ms > self.now_ms]
        return min(((at - self.now_ms) // MINUTE for at in later), default=1440) or 1

    def _delist(self, tape: Tape) -> None:
        """Settle the coins whose time has come."""
        names = [coin.name for coin in self.coins]
        for name, at_ms in self.spec.delistings:
            c = names.index(name)
            if at_ms <= self.now_ms and self.world.coins["listed"][c]:
                delist(self.world, tape, self.now_ms, c)

    def moment(self) -> Moment:
        """Return a copy of what every account holds now."""
        w = self.world
        return Moment(self.now_ms, w.accounts.copy(), w.slots.copy(), w.coins.copy())

    def days(self, count: int) -> Iterator[tuple[date, Told]]:
        """Yield each day and what happened on it."""
        for number in range(count):
            yield self.spec.start + timedelta(days=number), self.run(1440)


def _tier_table(coins: tuple[Coin, ...]) -> TierTable:
    tiers = {coin.name: coin.tiers for coin in coins}
    for coin in coins:
        if coin.old_leverage:
            tiers[f"{coin.name} at {coin.old_leverage}"] = [Tier(0.0, float(coin.old_leverage))]
    return TierTable.of(tiers)


def _empty_world(spec: WorldSpec, coins: tuple[Coin, ...], tiers: TierTable) -> World:
    """Return a world with coins and accounts, before anyone has paid anything in."""
    house = MAKERS + 1
    accounts = np.zeros(house + spec.accounts, ACCOUNT)
    width = np.full(accounts.size, SLOTS)
    width[:house] = len(coins)
    accounts["end"] = np.cumsum(width)
    accounts["first"] = accounts["end"] - width
    accounts["role"][:MAKERS] = MAKER
    accounts["role"][MAKERS] = VAULT
    accounts["last_partial"] = -(10**15)
    slots = np.zeros(int(width.sum()), SLOT)
    slots["coin"] = -1
    slots["coin"][: house * len(coins)] = np.tile(np.arange(len(coins)), house)
    slots["leverage"] = 1
    weights = np.array([coin.weight for coin in coins])
    world = World(
        accounts,
        slots,
        _coin_records(coins, tiers),
        np.zeros((len(coins), 2, LEVELS), np.int64),
        np.zeros((len(coins), 2, LEVELS), np.int64),
        tiers.first,
        tiers.rate,
        tiers.deduction * 1e6,
        np.round(np.cumsum(weights) / weights.sum(), 9),
        np.array([1.0, round(MARKET_VOL / MINUTES_PER_YEAR**0.5, 9)]),
        np.zeros(6, np.int64),
        np.random.PCG64(spec.seed).random_raw(8)[6:].copy(),
    )
    world.house[NOW] = spec.start_ms
    for s in range(house * len(coins)):
        slots[s]["table"] = world.coins[slots[s]["coin"]]["table"]
        slots[s]["max_leverage"] = world.coins[slots[s]["coin"]]["max_leverage"]
    return world


def _coin_records(coins: tuple[Coin, ...], tiers: TierTable) -> np.ndarray:
    rows = np.zeros(len(coins), COIN)
    for row, coin in zip(rows, coins, strict=True):
        old = f"{coin.name} at {coin.old_leverage}"
        row["listed"] = 1
        row["size_decimals"], row["table"] = coin.size_decimals, tiers.row_of[coin.name]
        row["max_leverage"] = coin.max_leverage
        row["old_table"], row["old_leverage"] = tiers.row_of.get(old, -1), coin.old_leverage
        row["beta"], row["spot"], row["own_variance"] = coin.beta, coin.px, 1.0
        row["own_vol"] = round(coin.own_vol / MINUTES_PER_YEAR**0.5, 9)
        row["half_spread"] = coin.half_spread / 1e4
        row["impact"] = BIG_IMPACT if coin.name in {"BTC", "ETH"} else IMPACT
        market = MARKET_VOL * coin.beta
        row["calm"] = round((market**2 + coin.own_vol**2) ** 0.5 / MINUTES_PER_YEAR**0.5, 9)
        row["depth"] = 1e6
    return rows


def _settle(w: World, spec: WorldSpec) -> None:
    """Set first prices, let the accounts take their first positions, and fit books to them."""
    for _ in range(2):  # the second time, with the depth that open interest asks for
        w.level_size[:] = 0
        w.coins["fair"] = 0.0
        w.coins["ema_num"] = w.coins["ema_den"] = 0.0
        for c in range(w.coins.size):
            quote(w, c, elsewhere(w, c), 40)
            w.coins["last"][c] = (w.coins["bid"][c] + w.coins["ask"][c]) // 2
            set_prices(w, c, 20)
        w.coins["mark_before"] = w.coins["mark"]
        if w.house[DEPOSITED]:
            break
        settle_in(w, WEALTH, PACE)
        take_positions(w, _tape(w, 1, False), HELD)
        interest = w.coins["open_interest"] * w.coins["mark"] / 1e6
        w.coins["depth"] = np.maximum(LEAST_DEPTH, interest * DEPTH_OF_INTEREST)
    w.coins["premium_sum"] = w.coins["premium_count"] = 0.0


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Round a table, so that no processor's last digit is in it."""
    return np.array([float(f"{value:.6g}") for value in values])


_P = (np.arange(1024) + 0.5) / 1024
# Heavy tails: half of all accounts begin with less than 1,200 USD, one in a thousand with
# millions; half think twice a day or more, some once in weeks.
WEALTH = _quantiles(np.minimum(500 * (1 - _P) ** (-1 / 0.8), 3e6))
PACE = _quantiles(np.minimum(4.0 * (1 - _P) ** (-1 / 1.2), 500.0))
# As many as 100 of 100 accounts try to hold; about three in four attempts find a free coin.
HELD = np.repeat(np.arange(13), [1, 5, 11, 15, 15, 14, 12, 9, 7, 6, 3, 1, 1])


def _tape(w: World, minutes: int, books: bool) -> Tape:
    busy = 200_000 + 60 * w.accounts.size
    many = 50_000 + 4 * w.accounts.size
    steps = minutes if books else 0
    return Tape(
        np.zeros(busy, TRADE),
        np.zeros(many, TRANSFER),
        np.zeros(many, LIQUIDATION),
        np.zeros((minutes // 60 + 2) * w.coins.size, FUNDING),
        np.zeros(minutes * w.coins.size, CONTEXT),
        np.zeros((steps, w.coins.size, 2, LEVELS, 2), np.int64),
        np.zeros(5, np.int64),
    )


def _told(tape: Tape) -> Told:
    rows = [
        table[:used].copy() for table, used in zip(tape[:5], tape.used.tolist(), strict=True)
    ]
    steps = int(tape.used[CONTEXTS]) // max(1, tape.books.shape[1])
    return Told(*rows, tape.books[:steps].copy())
