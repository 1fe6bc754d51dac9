"""This module lays out the world's memory: every record, its units, and what happened as rows.

Money is whole micro-USDC and sizes are whole lots (10^-szDecimals coins).  A price is counted
in units of 10^-(6 - szDecimals) USD, the venue's finest: so lots times price is micro-USDC
exactly, sums have no rounding, and conservation can be asked to the last digit.
"""

from typing import NamedTuple

import numpy as np

MICRO = 1_000_000  # micro-USDC of one USDC
LEVELS = 20  # a side of the book, as many as the venue shows


def _codes(count: int) -> list[np.int64]:
    """Return codes as numpy's integers.

    The compiler makes a function anew for every plain integer that it is called with, and only
    once for numpy's: 35 s of compiling instead of a few.
    """
    return [np.int64(code) for code in range(count)]


TRADER, MAKER, VAULT = _codes(3)  # roles of accounts
CROSS, ISOLATED = _codes(2)  # margin modes
NOBODY = np.int64(-1)

# How a trade came about.
BY_CHOICE, BY_MARKET, BY_BACKSTOP, BY_ADL, BY_SETTLEMENT = _codes(5)
# Why money came or went.  Cover: the insurance pays what a liquidated account still owed;
# takeover: what is left of an account goes to the vault with its positions.
DEPOSIT, WITHDRAWAL, COVER, TAKEOVER = _codes(4)
# What put an account under maintenance: the price elsewhere alone; the price only because
# orders here had pushed it; a funding payment; or what its partial liquidation left.
BY_PRICE, BY_CASCADE, BY_FUNDING, BY_REMAINDER = _codes(4)

# Places in ``World.house``, micro-USDC but for the counters.
FEES, INSURANCE, DEPOSITED, WITHDRAWN, ORDERS, NOW = _codes(6)
# Streams of ``World.rng``: more accounts do not change prices.
OF_PRICES, OF_PEOPLE = _codes(2)

COIN = np.dtype(
    [
        # What it is.
        ("size_decimals", "i8"),
        ("listed", "i8"),  # 0: delisted, positions settled
        ("table", "i8"),  # its margin table
        ("max_leverage", "i8"),
        ("old_table", "i8"),  # the table of grandfathered positions, -1: none
        ("old_leverage", "i8"),  # and their maximum leverage
        ("beta", "f8"),  # move for a move of 1 of the market
        ("own_vol", "f8"),  # standard deviation of its own return in a minute
        ("half_spread", "f8"),  # fraction, in calm
        ("depth", "f8"),  # USD within 1 % of a side, in calm
        ("impact", "f8"),  # USD at which impact prices are taken
        # The world outside: prices made elsewhere, USD.
        ("spot", "f8"),
        ("basis", "f8"),  # fraction of the perpetuals elsewhere over spot
        ("own_variance", "f8"),  # of its own return, 1 on average
        ("trend", "f8"),  # of the last hours, a fraction
        ("ret", "f8"),  # of this minute, a fraction, its jump not included
        ("jump", "f8"),  # of this minute: at its start, at once
        ("calm", "f8"),  # standard deviation of a minute's return, a fraction
        # The book here.
        ("pushed", "f8"),  # how far orders have pushed it from elsewhere, a fraction
        ("carried", "f8"),  # how far elsewhere has followed, a fraction
        ("fair", "f8"),  # USD: the middle at the last quoting
        ("stress", "f8"),  # depth is 1 / (1 + stress) of calm
        ("forced", "f8"),  # USD liquidated since the last quoting
        ("ema_num", "f8"),  # of mid less oracle over 150 s, as the venue defines it
        ("ema_den", "f8"),
        # Prices of the venue, in units.
        ("oracle", "i8"),
        ("mark", "i8"),
        ("mark_before", "i8"),
        ("unpushed", "i8"),  # the mark, had no order here pushed any price
        ("bid", "i8"),
        ("ask", "i8"),
        ("last", "i8"),
        ("impact_bid", "i8"),
        ("impact_ask", "i8"),
        # Funding.
        ("premium", "f8"),
        ("premium_sum", "f8"),
        ("premium_count", "f8"),
        ("rate", "f8"),  # hourly, as last paid
        # Trading: lots held long, and this minute's bar in units and lots.
        ("open_interest", "i8"),
        ("open", "i8"),
        ("high", "i8"),
        ("low", "i8"),
        ("volume", "i8"),
        ("trades", "i8"),
    ],
    align=True,
)

ACCOUNT = np.dtype(
    [
        ("first", "i8"),  # its slots are first to end
        ("end", "i8"),
        ("role", "i8"),
        ("held", "i8"),  # open positions
        ("cash", "i8"),  # behind its cross positions, at prices of 0
        ("last_partial", "i8"),  # ms of its last partial liquidation
        ("due", "i8"),  # ms at which it thinks next
        # Its nature.
        ("wealth", "i8"),  # micro-USDC it deposits when it starts anew
        ("pace", "f8"),  # ms between thoughts, mean
        ("leverage", "i8"),  # that it likes
        ("isolating", "f8"),  # share of positions it isolates
        ("herding", "f8"),  # follows the trend; below 0: goes against it
        ("nervous", "f8"),  # share of distresses it reacts to
        ("home", "i8"),  # coin it likes best
        ("old", "i8"),  # 1: keeps the leverage that its coins once allowed
    ],
    align=True,
)

# A position.  Makers and the vault have one slot a coin, in the coins' order; others have a few
# that take any coin.  An empty slot has size 0 and remembers the coin, for its funding.
SLOT = np.dtype(
    [
        ("coin", "i8"),  # -1: never used
        ("size", "i8"),  # lots, signed
        ("entry", "i8"),  # units, average
        ("margin", "i8"),  # USDC behind an isolated position at a price of 0; else 0
        ("isolated", "i8"),  # 1 or 0
        ("leverage", "i8"),
        ("table", "i8"),  # margin table; a grandfathered position's is its own
        ("max_leverage", "i8"),
        ("funding", "i8"),  # paid since it was opened; below 0: received
        ("funding_changed", "i8"),  # since its size last changed
        ("funding_ever", "i8"),  # in this coin
        ("rank", "f8"),  # scratch of deleveraging
    ],
    align=True,
)

TRADE = np.dtype(
    [
        ("ms", "i8"),
        ("coin", "i8"),
        ("px", "i8"),
        ("size", "i8"),
        ("buyer", "i8"),
        ("seller", "i8"),
        ("buyer_slot", "i8"),
        ("seller_slot", "i8"),
        ("buyer_start", "i8"),
        ("seller_start", "i8"),
        ("buyer_fee", "i8"),
        ("seller_fee", "i8"),
        ("buyer_pnl", "i8"),
        ("seller_pnl", "i8"),
        ("buyer_order", "i8"),
        ("seller_order", "i8"),
        ("buyer_isolated", "i8"),
        ("seller_isolated", "i8"),
        ("taker_buys", "i8"),
        ("kind", "i8"),
        ("liquidated", "i8"),  # account, -1: none
        ("mark", "i8"),
    ],
    align=True,
)

TRANSFER = np.dtype(
    [("ms", "i8"), ("account", "i8"), ("kind", "i8"), ("amount", "i8")], align=True
)

FUNDING = np.dtype(
    [("ms", "i8"), ("coin", "i8"), ("oracle", "i8"), ("rate", "f8"), ("premium", "f8")],
    align=True,
)

# One an order, takeover or deleveraging of a position.
LIQUIDATION = np.dtype(
    [
        ("ms", "i8"),
        ("account", "i8"),
        ("coin", "i8"),
        ("kind", "i8"),
        ("cause", "i8"),
        ("isolated", "i8"),
        ("mark", "i8"),
        ("equity", "i8"),  # behind it when it was found
        ("maintenance", "f8"),  # micro-USDC
        ("size", "i8"),  # of the position before, signed
        ("sent", "i8"),  # lots
        ("filled", "i8"),  # lots
        ("value", "i8"),  # micro-USDC that the filled lots traded for
    ],
    align=True,
)

# What each coin showed at the end of each step.
CONTEXT = np.dtype(
    [
        ("ms", "i8"),
        ("coin", "i8"),
        ("listed", "i8"),
        ("oracle", "i8"),
        ("mark", "i8"),
        ("bid", "i8"),
        ("ask", "i8"),
        ("impact_bid", "i8"),
        ("impact_ask", "i8"),
        ("open", "i8"),
        ("high", "i8"),
        ("low", "i8"),
        ("close", "i8"),
        ("volume", "i8"),
        ("trades", "i8"),
        ("open_interest", "i8"),
        ("premium", "f8"),
        ("rate", "f8"),  # that would be paid now
        ("bid_depth", "f8"),  # USD within 1 % of the middle
        ("ask_depth", "f8"),
        ("pushed", "f8"),
        ("carried", "f8"),
        ("stress", "f8"),
    ],
    align=True,
)


class World(NamedTuple):
    """The state of the world; kernels change it in place.

    Attributes
    ----------
    accounts, slots, coins
        Records.
    level_px, level_size
        int64[coins, 2, LEVELS]: the book in units and lots, bids first, best first.
    tier_first, tier_rate, tier_deduction
        Margin tables, deductions in micro-USDC.
    popularity
        Cumulated over coins, up to 1.
    market
        [variance of the market's return, 1 on average; its standard deviation in a minute].
    house
        The places above.
    rng
        uint64: states of the streams.
    """

    accounts: np.ndarray
    slots: np.ndarray
    coins: np.ndarray
    level_px: np.ndarray
    level_size: np.ndarray
    tier_first: np.ndarray
    tier_rate: np.ndarray
    tier_deduction: np.ndarray
    popularity: np.ndarray
    market: np.ndarray
    house: np.ndarray
    rng: np.ndarray


class Tape(NamedTuple):
    """Where kernels write what happened; ``used`` counts the rows of each, in this order."""

    trades: np.ndarray
    transfers: np.ndarray
    liquidations: np.ndarray
    fundings: np.ndarray
    contexts: np.ndarray
    books: np.ndarray  # int64[steps, coins, 2, LEVELS, 2]: px and size; no steps: not wanted
    used: np.ndarray


TRADES, TRANSFERS, LIQUIDATIONS, FUNDINGS, CONTEXTS = _codes(5)  # places in ``Tape.used``
