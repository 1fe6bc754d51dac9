"""This module replays decisions over bars: checked objects in, trades and equity out.

The arithmetic is in :mod:`backtest.kernels.account`, the rules in docs/replay.md; this module
checks what goes in and names what comes out.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backtest import records
from backtest.drill import Drilled
from backtest.kernels import account
from backtest.leg import Leg, Tiers, lay
from backtest.terms import Terms

READINGS = {
    "pessimistic": records.PESSIMISTIC,
    "optimistic": records.OPTIMISTIC,
    "drilled": records.DRILLED,
}
BOUNDS = ("pessimistic", "optimistic")
REASONS = {
    records.STOP: "stop",
    records.TARGET: "target",
    records.TIME: "time",
    records.END: "end",
    records.TRAIL: "trail",
    records.LEFT: "left",
    records.LIQUIDATION: "liquidation",
}


@dataclass(frozen=True, slots=True)
class Replay:
    """Trades and equity of one account, or of one coin in it, under one reading.

    Attributes
    ----------
    bound
        Reading of ambiguous bars.
    start : datetime64[us][n]
        Grid of bars, UTC.
    trades : TRADE[k]
        In the order in which they ended; see :mod:`backtest.records`.
    equity : float64[n]
        Cash and positions at each close, USD.
    position : float64[n, c]
        Coins at each close, signed.
    outcome : int8[n, c]
        What became of the decision of each bar.
    start_equity
        USD.
    whole
        Replay of the account that this is one coin's share of: its trades and its column, and
        the account's equity, on its own bars.  Null: this is the account.
    drilled
        What trades told of bars without finer ones, one a coin; null: they are not known.
        Empty: not asked, for the reading is another.
    """

    bound: str
    start: np.ndarray
    trades: np.ndarray
    equity: np.ndarray
    position: np.ndarray
    outcome: np.ndarray
    start_equity: float
    whole: "Replay | None" = None
    drilled: tuple[Drilled | None, ...] = ()

    def __len__(self) -> int:
        """Return the number of closed trades."""
        return self.trades.size

    @property
    def account(self) -> "Replay":
        """Return the replay of the account."""
        # One without trades is false.
        return self if self.whole is None else self.whole

    @property
    def unfilled(self) -> int:
        """Return the number of decisions that opened nothing: expired, replaced or refused."""
        return int(np.isin(self.outcome, (records.UNFILLED, records.REFUSED)).sum())

    @property
    def entry_notional(self) -> np.ndarray:
        """Return what each trade was worth at its entry, USD."""
        return np.abs(self.trades["size"]) * self.trades["entry_px"]

    @property
    def trade_returns(self) -> np.ndarray:
        """Return each trade's profit over its entry notional."""
        return self.trades["pnl"] / self.entry_notional

    @property
    def attempts(self) -> int:
        """Return the number of decisions that reached the venue, filled or not."""
        return int((self.outcome != records.NOT_TAKEN).sum())

    @property
    def free(self) -> np.ndarray:
        """Return, bool[n, c], the closes at which an entry could be decided and be filled."""
        could = self.position == 0.0
        could[-1:] = False
        return could


def replay(legs: Sequence[Leg], terms: Terms, *, bound: str) -> Replay:
    """Replay the decisions of one or several coins in one account.

    Parameters
    ----------
    legs
        Coins.
    terms
        What the account is charged and allowed.
    bound
        ``"pessimistic"``, ``"optimistic"``, or ``"drilled"``: ambiguous bars are looked into
        where finer bars are there, or trades that make them up, and read pessimistically where
        not.

    Raises
    ------
    ValueError
        If an argument is out of its range, or limits are to fill by volume and it is missing.
    """
    if bound not in READINGS:
        raise ValueError(f"bound {bound!r} must be one of {', '.join(READINGS)}")
    for leg in legs:
        if terms.limit == "share" and not leg.volume_known:
            coin = leg.bars.coin
            raise ValueError(f"limit 'share' needs every volume, and {coin} lacks some")
    sizes = legs[0].slippage.sizes
    if any(not np.array_equal(leg.slippage.sizes, sizes) for leg in legs):
        raise ValueError("slippage of all coins must be given at the same sizes")
    played, within = _replay(legs, terms, bound)
    if bound != "drilled":
        return played
    legs = list(legs)
    asked = [np.zeros(len(leg.bars), bool) for leg in legs]
    told: list[Drilled | None] = [None] * len(legs)
    # Where nothing happens within a bar, seconds tell nothing new.  What they tell of one bar
    # changes what happens in later ones, so it is asked again until nothing new is.
    while _asks_more(legs, played.start, within, asked, told):
        played, within = _replay(legs, terms, bound)
    return replace(played, drilled=tuple(told))


def _asks_more(
    legs: list[Leg],
    start: np.ndarray,
    within: np.ndarray,
    asked: list[np.ndarray],
    told: list[Drilled | None],
) -> bool:
    """Read the seconds of bars in which something happened; return whether there were more."""
    more = False
    for c, leg in enumerate(legs):
        if leg.drill is None:
            continue
        asked[c] |= within[np.searchsorted(start, leg.bars.start), c] & leg.whole
        before, told[c] = told[c], leg.drill.read(asked[c])
        legs[c] = replace(leg, seconds=told[c].seconds)
        more |= told[c].made > (0 if before is None else before.made)
    return more


def _replay(legs: Sequence[Leg], terms: Terms, bound: str) -> tuple[Replay, np.ndarray]:
    """Return a replay, and in which bars something happened; see the kernel."""
    grid = lay(legs, terms.latency)
    trades, equity, position, outcome, within = account.replay(
        grid.bars,
        grid.fine,
        grid.decisions,
        grid.live_bar,
        grid.live_fine,
        (
            terms.rules(READINGS[bound]),
            legs[0].slippage.sizes,
            np.concatenate([leg.slippage.curves for leg in legs]),
            np.array([leg.decimals for leg in legs]),
            *_tiers([leg.tiers for leg in legs]),
            np.array([min(terms.leverage, leg.max_leverage) for leg in legs]),
        ),
    )
    played = Replay(bound, grid.start, trades, equity, position, outcome, terms.start_equity)
    return played, within


def _tiers(tiers: Sequence[Tiers | None]) -> tuple[np.ndarray, ...]:
    """Return instrument, first, rate and deduction of the coins."""
    given = [one for one in tiers if one is not None]
    first = np.concatenate([[0], np.cumsum([one.rate.size for one in given])]).astype(np.int64)
    number = np.cumsum([one is not None for one in tiers]) - 1
    instrument = np.where([one is not None for one in tiers], number, -1)
    rates = [np.asarray(one.rate, float) for one in given]
    deductions = [np.asarray(one.deduction, float) for one in given]
    nothing = np.zeros(0)
    return (
        instrument,
        first,
        np.concatenate(rates) if rates else nothing,
        np.concatenate(deductions) if deductions else nothing,
    )
