"""This module says what a lake is changed to in order to prove that a study never looked ahead.

A cut is a moment.  What happened after it, and what was known only after it if the study asks
for what was knowable, either is gone or is garbage.
"""

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from backtest.bars import as_utc
from backtest.liquidity import interval_read
from backtest.market import HOME
from backtest.tape import Tape
from warehouse.attach import quoted

TRUNCATED = "truncated"
SCRAMBLED = "scrambled"
OPENED = "scrambled within a bar"
UNPUBLISHED = "unpublished"
HOUR = np.timedelta64(3_600_000_000, "us")
KINDS = (TRUNCATED, SCRAMBLED, OPENED, UNPUBLISHED)


@dataclass(frozen=True, slots=True)
class Pin:
    """Which rows a tape was made of; of a longer period others might have been chosen.

    Attributes
    ----------
    coin
        Whose tape it is.
    venue, source
        Of its candles.
    intervals
        Of its candles, of the finer ones that it has, and of those that costs follow from.
    width
        Length of its bars.
    home
        Source of Hyperliquid's candles, of which the volume is taken; null: there are none.
    funding
        Source of its payments; null: none are read.
    """

    coin: str
    venue: str
    source: str
    intervals: tuple[str, ...]
    width: np.timedelta64
    home: str | None
    funding: str | None

    @classmethod
    def of(cls, tape: Tape) -> "Pin":
        """Return what a tape was made of."""
        bars = tape.bars
        read = [bars.made_of or bars.interval]
        read += [] if tape.fine is None else [tape.fine.interval]
        read.append(interval_read(tape.lake, tape.period, bars.venue, bars.source))
        home = bars.source
        if bars.venue != HOME:
            read.append(interval_read(tape.lake, tape.period, HOME, None))
            home = _fullest(tape, read[-1])
        intervals = tuple(dict.fromkeys(read))
        width, paid = bars.width, tape.funding.source
        return cls(bars.coin, bars.venue, bars.source, intervals, width, home, paid)


def _fullest(tape: Tape, interval: str) -> str | None:
    """Return the source of Hyperliquid's candles that the volume of a day is taken from."""
    bars = tape.period
    found = tape.lake.sql(
        "select source from candles where coin = $coin and venue = $venue "
        "and interval = $interval and start_ts < $last "
        "and start_ts >= $first::timestamptz - interval 1 day "
        "group by all order by count(*) desc, source limit 1",
        params={
            "coin": bars.coin,
            "venue": HOME,
            "interval": interval,
            "first": as_utc(bars.start[0]),
            "last": as_utc(bars.start[-1]),
        },
    ).fetchall()
    return found[0][0] if found else None


@dataclass(frozen=True, slots=True)
class Last:
    """The last bar of a coin that had closed by a cut.

    Attributes
    ----------
    pin
        Which rows its tape was made of.
    row
        Bar of the period; -1: none had.
    close_px
        Its close, USD; where there is none, the first open.
    """

    pin: Pin
    row: int
    close_px: float


# What a study with live flow knows as it happens.
HEARD = ("fills", "asset_contexts", "funding", "order_books")


@dataclass(frozen=True, slots=True)
class World:
    """One change of a lake.

    Attributes
    ----------
    kind
        ``truncated``: nothing exists that happened, or was known, after the cut, but one empty
        bar at the last close, for nothing is asked of a map at a close that nothing follows.
        ``scrambled``: it exists, with other numbers that are as possible.  ``scrambled within a
        bar``: likewise, but the bar that opens at the cut keeps its open.  ``unpublished``: as
        truncated, and what was published after the cut is gone even where an account is charged
        by it; but the bars that are traded on are seen live.
    row
        Bar of the period whose close is the cut.
    cut
        That close.
    close_px
        USD.
    seed
        Of the garbage.
    knowable
        True: what was known only after the cut counts as after it.
    live_flow
        True: but not what is heard live, see :data:`HEARD`.
    pin
        Whose bars they are.
    others
        The other coins of the account.
    """

    kind: str
    row: int
    cut: np.datetime64
    close_px: float
    seed: int
    knowable: bool
    live_flow: bool
    pin: Pin
    others: tuple[Last, ...] = ()

    @property
    def lasts(self) -> tuple[Last, ...]:
        """Return the last bar of each coin of the account."""
        return (Last(self.pin, self.row, self.close_px), *self.others)

    def row_of(self, coin: str) -> int:
        """Return the last bar of a coin of the account; -1: none had closed."""
        (row,) = (one.row for one in self.lasts if one.pin.coin == coin)
        return row

    @property
    def ends(self) -> bool:
        """Return whether nothing is there after the cut."""
        return self.kind in (TRUNCATED, UNPUBLISHED)

    def waits(self, table: str) -> bool:
        """Return whether rows of a table count from their publication on."""
        return self.knowable and not (self.live_flow and table in HEARD)

    @property
    def block(self) -> int:
        """Return how long candles are garbage alike: a bar, an hour at least; microseconds."""
        longest = max(self.pin.width, HOUR)
        return int(longest / np.timedelta64(1, "us"))

    @property
    def sql(self) -> str:
        """Return the cut as SQL."""
        return f"{quoted(self.moment.isoformat())}::timestamptz"

    @property
    def moment(self) -> datetime:
        """Return the cut as UTC time."""
        return as_utc(self.cut)
