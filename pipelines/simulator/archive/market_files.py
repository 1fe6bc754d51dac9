"""This module writes hourly market files: candles, funding, open interest, the universe.

They are small, a row an hour and coin, and are written once the world has ended.  Open interest
is read with each position snapshot too.
"""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO, StringIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.simulator.archive.hours import DAY_MS, Hour
from pipelines.simulator.records import BY_CHOICE, BY_MARKET
from pipelines.simulator.values import px_usd, size_coins, usd
from pipelines.simulator.world import Simulation

FOLDER = "market"
READ_AT = 2_120  # ms after midnight at which the universe is read each day
UNIVERSE = (
    "ts",
    "name",
    "markPx",
    "indexPx",
    "maxLeverage",
    "openInterest",
    "openInterestCoins",
    "funding",
    "volume24h",
)
TIME = pa.timestamp("us", tz="UTC")


class MarketFiles:
    """What an hour of each coin was like, on its way to four files."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._candles: list[pl.DataFrame] = []
        self._funding: list[pl.DataFrame] = []
        self._interest: list[pl.DataFrame] = []
        self._universe: list[list[object]] = []
        self._day = np.zeros(len(sim.coins))  # USD that traded since midnight

    def take(self, hour: Hour) -> None:
        """Take an hour."""
        # A coin that goes at the very hour has gone already.
        minutes = hour.told.contexts.reshape(-1, len(self._sim.coins))
        listed = minutes["listed"][0] == 1
        self._take_candles(hour, listed)
        paid = hour.told.fundings
        rates = self._rows(hour.start_ms, paid["coin"], funding_rate=paid["rate"])
        self._funding.append(rates)
        at = np.flatnonzero(listed)
        self._take_interest(hour.start_ms, hour.before, at)
        if hour.snapshot is not None:
            # Read with the positions too, so that what they cover can be told exactly.
            coins = hour.snapshot.coins
            self._take_interest(hour.snapshot.ms, coins, np.flatnonzero(coins["listed"]))
        if hour.start_ms % DAY_MS == 0:
            rates = np.zeros(listed.size)
            rates[paid["coin"]] = paid["rate"]
            self._take_universe(hour, at, rates)
            self._day[:] = 0.0
        trades = hour.told.trades
        book = trades[np.isin(trades["kind"], [BY_CHOICE, BY_MARKET])]
        np.add.at(self._day, book["coin"], usd(book["px"] * book["size"]))

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield the four files."""
        for name, parts in (
            ("candles", self._candles),
            ("funding_rates", self._funding),
            ("open_interest", self._interest),
        ):
            out = BytesIO()
            pq.write_table(pl.concat(parts).to_arrow(), out, compression="zstd")
            yield f"{FOLDER}/{name}.parquet", out.getvalue()
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows([UNIVERSE, *self._universe])
        yield f"{FOLDER}/universe.csv", text.getvalue().encode()

    def _take_candles(self, hour: Hour, listed: np.ndarray) -> None:
        minutes = hour.told.contexts.reshape(-1, listed.size)
        # A coin that goes within the hour has no bar after that.
        there = minutes["listed"] == 1
        at = np.flatnonzero(listed)
        decimals = self._sim.world.coins["size_decimals"]
        last = there[:, at].sum(axis=0) - 1
        high = np.where(there, minutes["high"], 0)[:, at].max(axis=0)
        low = np.where(there, minutes["low"], np.iinfo(np.int64).max)[:, at].min(axis=0)
        volume = np.where(there, minutes["volume"], 0)[:, at].sum(axis=0)
        bar = {
            "o": minutes["open"][0, at],
            "h": high,
            "l": low,
            "c": minutes["close"][last, at],
        }
        usd_of = {name: px_usd(units, at, decimals) for name, units in bar.items()}
        volume = size_coins(volume, at, decimals)
        self._candles.append(self._rows(hour.start_ms, at, **usd_of, v=volume))

    def _take_interest(self, ms: int, coins: np.ndarray, at: np.ndarray) -> None:
        value = usd(coins["open_interest"] * coins["mark"])
        self._interest.append(self._rows(ms, at, oi_usd=value[at]))

    def _rows(self, ms: int, at: np.ndarray, **values: np.ndarray) -> pl.DataFrame:
        """Return a row of a moment for each of the coins ``at``."""
        names = np.array([coin.name for coin in self._sim.coins])
        start = pl.lit(ms * 1000).cast(pl.Datetime("us", "UTC"))
        frame = pl.DataFrame({"coin": names[at], **values})
        key = {"timestamp": start, "venue": pl.lit("hyperliquid"), "coin": "coin"}
        return frame.select(**key, **{name: name for name in values})

    def _take_universe(self, hour: Hour, at: np.ndarray, rates: np.ndarray) -> None:
        """Read every coin; the first reading cannot tell a day's volume."""
        moment = datetime.fromtimestamp((hour.start_ms + READ_AT) / 1000, UTC)
        first = hour.start_ms == self._sim.spec.start_ms
        before = hour.before
        every = np.arange(before.size)
        decimals = before["size_decimals"]
        mark, oracle = (px_usd(before[px], every, decimals) for px in ("mark", "oracle"))
        interest = size_coins(before["open_interest"], every, decimals)
        value = usd(before["open_interest"] * before["mark"])
        for c in at.tolist():
            self._universe.append(
                [
                    f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z",
                    self._sim.coins[c].name,
                    float(mark[c]),
                    float(oracle[c]),
                    self._sim.coins[c].max_leverage,
                    float(value[c]),
                    float(interest[c]),
                    round(float(rates[c]) * 100, 10),
                    "" if first else round(float(self._day[c]), 4),
                ]
            )
