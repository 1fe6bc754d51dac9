"""This module replays a rule under many settings: grids, random draws, coins and periods.

The arithmetic is in :mod:`backtest.kernels.sweep`.  Settings are cut into chunks that threads
work side by side; the kernel holds no lock.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from os import cpu_count

import numpy as np

from backtest.kernels import sweep as kernels
from backtest.leg import Leg
from backtest.records import MARKET, RESULT, SETTING, TRADE
from backtest.terms import Terms

DAY = np.timedelta64(1, "D")
# Settings a thread takes at once: enough that the launch does not count, few enough that
# progress is seen.
CHUNK = 64
PARAMETERS = ("leg", "stop_fraction", "target_fraction", "max_bars", "notional")


@dataclass(frozen=True, slots=True)
class Swept:
    """What came of every setting.

    Attributes
    ----------
    settings : dict of arrays [s]
        What was tried, by parameter.
    results : RESULT[s]
        See :mod:`backtest.records`.
    equity : float64[s, d]
        At the last close of each day, USD; NaN where the setting has no bars.
    day : datetime64[D][d]
        UTC.
    trades : TRADE[t]
        Of all settings in turn, ``coin`` the number of the setting; none unless kept.
    start_equity
        USD.
    """

    settings: dict[str, np.ndarray]
    results: np.ndarray
    equity: np.ndarray
    day: np.ndarray
    trades: np.ndarray
    start_equity: float

    @property
    def daily_returns(self) -> np.ndarray:
        """Return float64[s, d]: each day's profit over the equity at the start of it all.

        Sizes are fixed, so profits are not compounded; NaN where the setting has no bars.
        """
        start = np.full((self.equity.shape[0], 1), self.start_equity)
        return np.diff(np.hstack([start, self.equity]), axis=1) / self.start_equity


def grid(**parameters: Sequence[float]) -> dict[str, np.ndarray]:
    """Return every combination of ``parameters``, the last varying fastest.

    >>> {name: values.tolist() for name, values in grid(leg=[0], stop_fraction=[1, 2]).items()}
    {'leg': [0, 0], 'stop_fraction': [1, 2]}
    """
    rows = list(product(*parameters.values()))
    return {
        name: np.array(column)
        for name, column in zip(parameters, zip(*rows, strict=True), strict=True)
    }


def draws(
    count: int, seed: int, **parameters: Callable[[np.random.Generator, int], np.ndarray]
) -> dict[str, np.ndarray]:
    """Return ``count`` random settings; each parameter is drawn by its own function.

    >>> drawn = draws(3, 1, stop_fraction=lambda rng, n: rng.uniform(0.01, 0.02, n))
    >>> drawn["stop_fraction"].size
    3
    """
    rng = np.random.default_rng(seed)
    return {name: np.asarray(draw(rng, count)) for name, draw in parameters.items()}


def sweep(
    legs: Sequence[Leg],
    settings: Mapping[str, np.ndarray],
    terms: Terms,
    *,
    bound: str = "pessimistic",
    keep_trades: bool = False,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Swept:
    """Replay every setting, each in an account of its own.

    Parameters
    ----------
    legs
        Stretches of bars with their base signals (market entries) and, where they have them,
        target prices.  Legs may share their bars.
    settings
        Arrays of one length: ``leg``, the number of the stretch; ``stop_fraction`` and
        ``target_fraction``, NaN: none; ``max_bars``, 0: any number; ``notional``, USD.  What is
        left out is: leg 0, no level, any number of bars, 10,000 USD.
    terms
        Limits fill by touch, and nothing travels: what else there is, only
        :func:`backtest.replay.replay` does.
    bound
        ``"pessimistic"`` or ``"optimistic"``.
    keep_trades
        Whether every trade is kept.
    threads
        How many; null: one for each core.
    progress
        Told how many settings are done, of how many.

    Raises
    ------
    ValueError
        If an argument is not one that a sweep can follow.

    Notes
    -----
    Nobody is liquidated here.  ``results["closest"]`` is the least of equity over notional that
    any trade came to: above the coin's maintenance rate, nobody would have been.
    """
    tried = _filled(settings, len(legs))
    _check(legs, terms, bound, tried)
    market, sides, upcoming, targets, ends, places, day = _lay(legs)
    rows = _rows(places, tried, terms, bound)
    sizes = legs[0].slippage.sizes
    curves = np.concatenate([leg.slippage.curves for leg in legs])
    costs = terms.costs.taker_fee, terms.costs.maker_fee, sizes, curves

    def work(chunk: np.ndarray) -> tuple[np.ndarray, ...]:
        return kernels.sweep(
            market, sides, upcoming, targets, ends, chunk, costs, day.size, keep_trades
        )

    chunks = [rows[start : start + CHUNK] for start in range(0, rows.size, CHUNK)]
    done, found = 0, []
    with ThreadPoolExecutor(threads or cpu_count() or 1) as pool:
        for chunk, answer in zip(chunks, pool.map(work, chunks), strict=True):
            answer[2]["coin"] += done
            found.append(answer)
            done += chunk.size
            if progress is not None:
                progress(done, rows.size)
    results, equity, trades = (
        np.concatenate(parts) if parts else empty
        for parts, empty in zip(
            zip(*found, strict=True) if found else ((), (), ()),
            (np.zeros(0, RESULT), np.zeros((0, day.size)), np.zeros(0, TRADE)),
            strict=True,
        )
    )
    return Swept(tried, results, equity, day, trades, terms.start_equity)


def _filled(settings: Mapping[str, np.ndarray], legs: int) -> dict[str, np.ndarray]:
    unknown = set(settings) - set(PARAMETERS)
    if unknown:
        names = ", ".join(PARAMETERS)
        raise ValueError(
            f"{sorted(unknown)[0]!r} is no parameter of a sweep; there are {names}"
        )
    count = {len(values) for values in settings.values()}
    if len(count) != 1:
        raise ValueError("settings must be arrays of one length, and at least one of them")
    n = count.pop()
    rest = {
        "leg": np.zeros(n, np.int64),
        "stop_fraction": np.full(n, np.nan),
        "target_fraction": np.full(n, np.nan),
        "max_bars": np.zeros(n, np.int64),
        "notional": np.full(n, 10_000.0),
    }
    filled = {name: np.asarray(settings.get(name, rest[name])) for name in PARAMETERS}
    if n and not ((filled["leg"] >= 0) & (filled["leg"] < legs)).all():
        raise ValueError(f"leg must be from 0 to {legs - 1}")
    return filled


def _check(
    legs: Sequence[Leg], terms: Terms, bound: str, tried: Mapping[str, np.ndarray]
) -> None:
    if bound not in ("pessimistic", "optimistic"):
        raise ValueError(f"bound {bound!r} must be one of pessimistic, optimistic")
    if not legs:
        raise ValueError("a sweep needs a leg")
    if terms.limit != "touch" or terms.latency != np.timedelta64(0, "us"):
        raise ValueError("a sweep fills limits by touch and knows no latency; use replay")
    for leg in legs:
        orders = leg.decisions.orders
        others = ("trail_fraction", "stop_px", "move_stop_px", "move_target_px")
        if (orders["kind"] != MARKET).any() or orders["leave"].any():
            raise ValueError(
                "a sweep enters at the market and leaves by its levels; use replay"
            )
        if any(not np.isnan(orders[name]).all() for name in others):
            raise ValueError(f"a sweep knows none of {', '.join(others)}; use replay")
        if not np.array_equal(leg.slippage.sizes, legs[0].slippage.sizes):
            raise ValueError("slippage of all legs must be given at the same sizes")
    for name in ("stop_fraction", "target_fraction"):
        wrong = tried[name] <= 0
        if wrong.any():
            raise ValueError(f"{name} {tried[name][wrong][0]:g} must be above 0")
    if not (tried["notional"] > 0).all() or (tried["max_bars"] < 0).any():
        raise ValueError("notional must be above 0, and max_bars 0 or more")


def _lay(legs: Sequence[Leg]) -> tuple:
    """Lay legs flat; bars that legs share lie there once."""
    known: dict[tuple[int, ...], tuple[int, int, int]] = {}
    columns: list[tuple[np.ndarray, ...]] = []
    places, sides, starts, targets, ends = [], [], [0], [], []
    used = curves = ending = 0
    days = np.unique(
        np.concatenate([leg.bars.end - np.timedelta64(1, "us") for leg in legs]).astype(
            "datetime64[D]"
        )
    )
    target_start = 0
    for leg in legs:
        n = len(leg.bars)
        key = tuple(map(id, (leg.bars, leg.funding_rate, leg.slippage, leg.oracle_px)))
        if key not in known:
            columns.append(_columns(leg, curves))
            day = (leg.bars.end - np.timedelta64(1, "us")).astype("datetime64[D]")
            last = np.flatnonzero(np.diff(day.astype(np.int64), append=np.iinfo(np.int64).max))
            # A day without bars ends where the one before did.
            whole = np.searchsorted(days, [day[0], day[-1]])
            span = days[whole[0] : whole[1] + 1]
            at = np.searchsorted(day[last], span, side="right") - 1
            ends.append(used + last[at])
            known[key] = used, ending, int(whole[0])
            ending += span.size
            used += columns[-1][0].size
        curves += leg.slippage.curves.shape[0]
        origin, end, first_day = known[key]
        aims = leg.decisions.target_px
        has_targets = not np.isnan(aims).all()
        places.append(
            (
                origin,
                n,
                starts[-1],
                target_start if has_targets else -1,
                end,
                first_day,
                _span(leg, days),
            )
        )
        if has_targets:
            targets.append(aims)
            target_start += n
        sides.append(leg.decisions.side)
        starts.append(starts[-1] + n)
    flat = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    lowest, highest = kernels.blocks(flat[1], flat[2])
    side = np.concatenate(sides)
    return (
        (*flat[:4], lowest, highest, *flat[4:]),
        side,
        kernels.next_signals(side, np.array(starts)),
        np.concatenate(targets) if targets else np.zeros(0),
        np.concatenate(ends),
        places,
        days,
    )


def _span(leg: Leg, days: np.ndarray) -> int:
    edges = (leg.bars.end[[0, -1]] - np.timedelta64(1, "us")).astype("datetime64[D]")
    first, last = np.searchsorted(days, edges)
    return int(last - first + 1)


def _columns(leg: Leg, curves: int) -> tuple[np.ndarray, ...]:
    """Return prices, what funding has come to, and the curve, padded to whole blocks."""
    bars = leg.bars
    paid_on = bars.open_px
    if leg.oracle_px is not None:
        paid_on = np.where(np.isnan(leg.oracle_px), bars.open_px, leg.oracle_px)
    made = (
        bars.open_px,
        bars.high_px,
        bars.low_px,
        bars.close_px,
        np.cumsum(leg.funding_rate * paid_on),
        leg.slippage.row + curves,
    )
    missing = -len(bars) % kernels.BLOCK
    return tuple(np.concatenate([column, np.repeat(column[-1:], missing)]) for column in made)


def _rows(
    places: Sequence[tuple], tried: Mapping[str, np.ndarray], terms: Terms, bound: str
) -> np.ndarray:
    rows = np.zeros(tried["leg"].size, SETTING)
    place = np.array(places)[tried["leg"]]
    rows["origin"] = rows["first"] = place[:, 0]
    rows["last"] = place[:, 0] + place[:, 1]
    for number, name in enumerate(("sides", "targets", "ends", "day", "days"), start=2):
        rows[name] = place[:, number]
    for name in PARAMETERS[1:]:
        rows[name] = tried[name]
    rows["start_equity"], rows["leverage"] = terms.start_equity, terms.leverage
    rows["optimistic"] = bound == "optimistic"
    return rows
