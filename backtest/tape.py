"""This module reads what the venue did to a coin in a period: a replay without its rule."""

from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc
from backtest.decisions import Decisions
from backtest.drill import Drill
from backtest.flow import Flow, read_flow
from backtest.funding import Funding, load_funding
from backtest.instrument import Margin, margin_rules, size_decimals
from backtest.intervals import finer
from backtest.leg import Leg
from backtest.maps import Maps, read_maps
from backtest.market import HOME, load_bars
from backtest.notes import delay_of, limits_of
from backtest.slippage import Slippage, load_slippage
from backtest.terms import Terms
from backtest.view import MapReader, View

HOUR = np.timedelta64(3_600_000_000, "us")


@dataclass(frozen=True)
class Tape:
    """What the venue did to one coin in a period, and what was known of it when.

    Attributes
    ----------
    lake
        Catalog the maps are read from.
    bars
        Bars of the period, a warm-up before them.
    fine
        Finer bars of the period; null: the lake holds none.
    funding, slippage
        What is charged.
    decimals
        Decimals of an order's size; null: not known at the first close.
    margin
        Null: not known at the first close.
    terms
        What the account is charged and allowed.
    knowable
        True: maps and flow are known from their publication on.
    live_flow
        True: fills and contexts are known as they happen, whatever ``knowable`` says.
    drill
        What reads trades within bars that have no finer ones; null: they are of another venue.
    """

    lake: duckdb.DuckDBPyConnection
    bars: Bars
    fine: Bars | None
    funding: Funding
    slippage: Slippage
    decimals: int | None
    margin: Margin | None
    terms: Terms
    knowable: bool
    live_flow: bool = False
    drill: Drill | None = None

    @property
    def coin(self) -> str:
        """Return the coin."""
        return self.bars.coin

    @cached_property
    def period(self) -> Bars:
        """Return the bars of the period."""
        return self.bars.period

    @property
    def readings(self) -> tuple[str, ...]:
        """Return how bars that leave open what came first may be read."""
        may_drill = self.fine is not None or self.drill is not None
        return ("pessimistic", "optimistic") + (("drilled",) if may_drill else ())

    def view(self, read_maps: MapReader | None = None) -> View:
        """Return what a strategy may look at; ``read_maps`` puts other maps in its place."""
        return View(
            self.bars,
            self.decimals,
            read_maps or self.read_maps,
            lambda _: self.flow,
        )

    def read_maps(
        self, asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        """Return what the lake's maps said; the same question is read once."""
        key = asked.tobytes(), moments.tobytes(), px.tobytes(), reach_pct
        if key not in self._read:
            self._read[key] = read_maps(
                self.lake,
                self.coin,
                asked,
                moments,
                px,
                reach_pct=reach_pct,
                knowable=self.knowable,
            )
        return self._read[key]

    @cached_property
    def flow(self) -> Flow:
        """Return how liquidations went in each bar, those of the warm-up included."""
        knowable = self.knowable and not self.live_flow
        return read_flow(self.lake, self.bars, knowable=knowable)

    @cached_property
    def _read(self) -> dict[tuple[object, ...], Maps]:
        return {}

    def leg(self, decisions: Decisions) -> Leg:
        """Return ``decisions`` on this coin, as a replay takes them.

        Parameters
        ----------
        decisions
            One per bar, those of the warm-up included.
        """
        return Leg(
            self.period,
            decisions.since(self.bars.warmup),
            self.funding.rate,
            self.slippage,
            oracle_px=self.funding.oracle_px,
            stamps=self.funding.stamps,
            fine=self.fine,
            drill=self.drill,
            size_decimals=self.decimals,
            tiers=None if self.margin is None else self.margin.tiers,
            max_leverage=np.inf if self.margin is None else self.margin.max_leverage,
        )

    def notes(self) -> list[str]:
        """Return what was chosen and what a reader must know of it, one sentence each."""
        said = [*self.bars.notes, *self.funding.notes]
        if self.decimals is None:
            said.append(
                f"{self.coin}: the decimals of its sizes are not known at the first close, so "
                "ticks follow from five significant figures alone."
            )
        if not self.knowable:
            said.append(
                f"{self.coin}: maps and flow are used from the moment they describe, which no "
                "follower of an archive could have done."
            )
        elif self.live_flow:
            said.append(
                f"{self.coin}: fills and contexts count as heard live, as who listened to the "
                "venue had them, whenever the lake's sources published them."
            )
        if self.terms.costs.funding == "none":
            said.append(f"{self.coin}: funding is left out, as asked.")
        said.append(f"{self.coin}: slippage: {self.slippage.basis}.")
        said.append(limits_of(self.coin, self.margin, self.terms))
        if late := delay_of(self.period, self.fine, self.terms.latency):
            said.append(late)
        return said


def load_tape(
    lake: duckdb.DuckDBPyConnection,
    coin: str,
    since: np.datetime64,
    until: np.datetime64,
    terms: Terms,
    *,
    interval: str = "1h",
    venue: str | None = None,
    warmup: int = 0,
    knowable: bool = True,
    live_flow: bool = False,
) -> Tape:
    """Read a coin's tape.

    Parameters
    ----------
    lake
        Catalog of a lake.
    coin
        Venue symbol.
    since, until : datetime64[us]
        Period, UTC, half-open.
    terms
        What is charged, and the most leverage wanted.
    interval, venue, warmup
        As in :func:`backtest.market.load_bars`.
    knowable
        False: as if every snapshot and fill had been there at its own moment.
    live_flow
        True: fills and contexts as if heard live, whatever ``knowable`` says of maps.

    Raises
    ------
    LookupError
        If there are no such bars, an hour's funding is missing, or no slippage is known.
    ValueError
        If an argument is not allowed.
    """
    bars = load_bars(lake, coin, since, until, interval=interval, venue=venue, warmup=warmup)
    period = bars.period
    n = len(period)
    charged = terms.costs
    fine = _finer(lake, period, until)
    # Nothing is decided before the first close.
    first = period.end[0]
    margin = margin_rules(lake, coin, first, knowable=knowable)
    return Tape(
        lake,
        bars,
        fine,
        Funding.none(n) if charged.funding == "none" else load_funding(lake, period, fine),
        Slippage.none(n) if charged.slippage == "none" else load_slippage(lake, period),
        size_decimals(lake, coin, first, knowable=knowable),
        margin,
        terms,
        knowable,
        live_flow,
        Drill(lake, period) if period.venue == HOME else None,
    )


def _finer(lake: duckdb.DuckDBPyConnection, bars: Bars, until: np.datetime64) -> Bars | None:
    """Return the finest bars that the same source has of the same period; null: it has none.

    Of bars longer than an hour, the finest that reach over most of them, and only those that
    reach over a bar from its open to its close.
    """
    held = lake.sql(
        """
        select distinct interval
        from candles
        where
            coin = $coin and venue = $venue and source = $source
            and start_ts >= $since and start_ts < $until
            and day >= ($since at time zone 'UTC')::date
            and day <= ($until at time zone 'UTC')::date
        """,
        params={
            "coin": bars.coin,
            "venue": bars.venue,
            "source": bars.source,
            "since": as_utc(bars.start[0]),
            "until": as_utc(until),
        },
    ).fetchall()
    there = [name for name in finer(bars.interval) if (name,) in held]
    read = [
        load_bars(lake, bars.coin, bars.start[0], until, interval=name, venue=bars.venue)
        # Of an hour the finest tells most; of a day it may be held for its last hours alone.
        for name in (there[-1:] if bars.width <= HOUR else reversed(there))
    ]
    read = [fine for fine in read if fine.source == bars.source]
    if bars.width <= HOUR or not read:
        return read[0] if read else None
    return max((_reaching(fine, bars) for fine in read), key=lambda one: one[0])[1]


def _reaching(fine: Bars, bars: Bars) -> tuple[int, Bars]:
    """Return how many bars finer ones reach over from open to close, and those of them."""
    first = np.searchsorted(fine.start, bars.start)
    last = np.searchsorted(fine.start, bars.end) - 1
    there = last >= first
    there[there] = (fine.start[first[there]] == bars.start[there]) & (
        fine.end[last[there]] == bars.end[there]
    )
    kept = np.zeros(len(fine) + 1, np.int64)
    np.add.at(kept, first[there], 1)
    np.add.at(kept, last[there] + 1, -1)
    return int(there.sum()), fine.only(np.cumsum(kept)[:-1] > 0)
