"""This module reads the hourly funding that a replay charges; a missing rate is an error."""

from typing import NamedTuple

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc, utc
from backtest.contexts import last_said
from backtest.market import HOME, is_simulated, mixed
from backtest.stamps import Stamps, rows_within

# An oracle price is set every three seconds; beyond some minutes the open says it better.
ORACLE_AGE = np.timedelta64(600_000_000, "us")
NOTHING_WITHIN = Stamps.none()


class Funding(NamedTuple):
    """What was due at each bar's open, and within it.

    Attributes
    ----------
    rate : float64[n]
        Fraction of notional that longs pay at the open: of its own hour, and of those in a hole
        before it.
    source
        Where the rates come from; null: none were read.
    oracle_px : float64[n]
        What is due is taken on, USD; NaN: it is not known, or nothing is due.
    notes
        What was chosen or left out, one sentence each.
    stamps
        Payments within bars.
    """

    rate: np.ndarray
    source: str | None
    oracle_px: np.ndarray
    notes: tuple[str, ...] = ()
    stamps: Stamps = NOTHING_WITHIN

    @classmethod
    def none(cls, n: int) -> "Funding":
        """Return that nothing is due."""
        return cls(np.zeros(n), None, np.full(n, np.nan))


class Payments(NamedTuple):
    """Hourly rates of one source, and what a reader must know of them."""

    source: str | None
    paid: dict[np.datetime64, float]
    notes: tuple[str, ...] = ()


def load_funding(
    lake: duckdb.DuckDBPyConnection, bars: Bars, fine: Bars | None = None
) -> Funding:
    """Read Hyperliquid's hourly funding for ``bars``.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Bars of the period, without a warm-up.
    fine
        Finer bars of the same period; null: there are none.

    Raises
    ------
    LookupError
        If an hour's rate is missing; the message names coin and hour.
    ValueError
        If one source gives two rates for an hour; the message names both.

    Notes
    -----
    Only rates for one hour are read: of a longer or unknown period it cannot be said what was
    due when.  Rates are simulated if the bars are, and not if they are not, where the lake
    holds such.  Of several sources that with the most hours is read.

    A payment's stamp may lie some milliseconds off the hour it is for; it belongs to the
    nearest.  An hour in a hole between bars is due at the bar after the hole, on the oracle
    price of the last hour in it.  An oracle price counts if it was said within ten minutes
    before the hour.  Of an hour within a bar the open of a finer bar stands in for it, and
    otherwise the bar's own.
    """
    rate = np.zeros(len(bars))
    first, end = bars.start[0], bars.end[-1]
    hours = np.arange(first.astype("datetime64[h]"), end.astype("datetime64[h]") + 1)
    hours = hours.astype("datetime64[us]")
    hours = hours[(hours > first) & (hours < end)]
    if hours.size == 0:
        return Funding.none(len(bars))
    source, paid, notes = _payments(lake, bars, hours[0], hours[-1])
    missing = [hour for hour in hours if hour not in paid]
    if missing:
        more = f" and {len(missing) - 1} more hours" if len(missing) > 1 else ""
        why = f" ({' '.join(notes)})" if notes else ""
        raise LookupError(
            f"no funding of {bars.coin} at {HOME} for {utc(missing[0])}{more}{why}; ingest it, "
            "or leave it out (--no-funding)"
        )
    rates = np.array([paid[hour] for hour in hours])
    said, _ = last_said(lake, bars, hours, ORACLE_AGE)
    row = rows_within(bars, hours)
    inside = row >= 0
    due = np.searchsorted(bars.start, hours[~inside], side="left")
    np.add.at(rate, due, rates[~inside])
    oracle_px = np.full(len(bars), np.nan)
    oracle_px[due] = said[~inside]  # of several hours due at one bar the last stands
    if due.size:
        notes = (*notes, _taken_on(bars, due, oracle_px))
    hours, said, row = hours[inside], said[inside], row[inside]
    finer_px = _opens(fine, hours)
    if row.size:
        notes = (*notes, _taken_within(bars.coin, said, finer_px))
    px = np.where(np.isnan(said), finer_px, said)
    px = np.where(np.isnan(px), bars.open_px[row], px)
    return Funding(rate, source, oracle_px, notes, Stamps(hours, rates[inside] * px))


def _opens(fine: Bars | None, moments: np.ndarray) -> np.ndarray:
    """Return the opens of the finer bars that begin at moments, USD; NaN: none does."""
    out = np.full(moments.size, np.nan)
    if fine is not None and len(fine):
        at = np.minimum(np.searchsorted(fine.start, moments), len(fine) - 1)
        found = fine.start[at] == moments
        out[found] = fine.open_px[at[found]]
    return out


def _taken_within(coin: str, said: np.ndarray, finer_px: np.ndarray) -> str:
    """Return the sentence on which price the funding within bars is taken."""
    known = np.isfinite(said)
    by_finer = int((~known & np.isfinite(finer_px)).sum())
    rest = said.size - int(known.sum()) - by_finer
    others = [
        f", on the open of {what} at {count}"
        for what, count in (("a finer bar", by_finer), ("the whole bar", rest))
        if count
    ]
    return (
        f"{coin}: {said.size} payments fall due within bars, taken on the oracle price at "
        f"{int(known.sum())}{''.join(others)}; who held a bar through pays them all, of who "
        "entered or left in it they are bounded, and the trade counts as ambiguous."
    )


def _taken_on(bars: Bars, due: np.ndarray, oracle_px: np.ndarray) -> str:
    """Return the sentence on which price the funding is taken."""
    stamps = np.unique(due)
    known = int(np.isfinite(oracle_px[stamps]).sum())
    rest = "" if known == stamps.size else ", on the open at the others"
    return (
        f"{bars.coin}: funding is taken on the oracle price at {known} of {stamps.size} "
        f"openings where it is due{rest}."
    )


def _payments(
    lake: duckdb.DuckDBPyConnection, bars: Bars, first: np.datetime64, last: np.datetime64
) -> Payments:
    """Return the chosen source and its rate of every hour it has."""
    found = lake.sql(
        """
        select
            source,
            time_bucket(interval 1 hour, time_ts + interval 30 minute)::timestamp as hour,
            rate,
            period_hours is not distinct from 1 as hourly
        from funding
        where
            coin = $coin and venue = $venue
            and time_ts >= $first - interval 30 minute and time_ts < $last + interval 30 minute
            and day >= (($first - interval 30 minute) at time zone 'UTC')::date
            and day <= (($last + interval 30 minute) at time zone 'UTC')::date
        order by all
        """,
        params={
            "coin": bars.coin,
            "venue": HOME,
            "first": as_utc(first),
            "last": as_utc(last),
        },
    ).fetchall()
    by_source: dict[str, dict[np.datetime64, set[float]]] = {}
    for source, hour, rate, hourly in found:
        if hourly:
            rates = by_source.setdefault(source, {})
            rates.setdefault(np.datetime64(hour, "us"), set()).add(rate)
    notes = []
    if other := sum(not hourly for *_, hourly in found):
        notes.append(
            f"{bars.coin}: {other} funding rates of {HOME} are not for one hour, or do not say "
            "for how long, and were not read."
        )
    if not by_source:
        return Payments(None, {}, tuple(notes))
    made_up = is_simulated(bars.source)
    alike = [name for name in by_source if is_simulated(name) == made_up]
    source = min(alike or by_source, key=lambda name: (-len(by_source[name]), name))
    if len(alike) not in (0, len(by_source)):
        which = "not simulated" if made_up else "simulated"
        notes.append(
            f"{bars.coin}: funding is read from source {source}; the lake holds rates that are "
            f"{which} too, which candles of {bars.source} do not go with."
        )
    if not alike:
        notes.append(mixed(bars.coin, bars.source, "funding", source))
    for hour, given in by_source[source].items():
        if len(given) > 1:
            low, high = min(given), max(given)
            raise ValueError(
                f"funding of {bars.coin} at {HOME} for {utc(hour)}: source {source} gives both "
                f"{low:g} and {high:g}, one rate an hour is allowed"
            )
    paid = {hour: given.pop() for hour, given in by_source[source].items()}
    return Payments(source, paid, tuple(notes))
