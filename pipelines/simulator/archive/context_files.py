"""This module writes the daily CSV of what each coin showed, a row a minute and coin."""

from collections.abc import Iterator
from datetime import UTC, datetime

import lz4.frame
import numpy as np
import polars as pl

from pipelines.simulator.archive.hours import MINUTE_MS, Hour
from pipelines.simulator.archive.text import decimals
from pipelines.simulator.records import BY_CHOICE, BY_MARKET
from pipelines.simulator.world import Simulation

FOLDER = "hyperliquid-archive/asset_ctxs"
HEADER = (
    "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,"
    "impact_bid_px,impact_ask_px"
)
DAY = 1440  # minutes
RATE_PLACES = 10


class ContextFiles:
    """What the coins showed, on its way to a file a day; the end's own instant is in none."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        coins = sim.world.coins
        # By minute of the day: what was the case a day ago, until it is overwritten.
        self._value = np.zeros((DAY, coins.size), np.int64)
        self._mark = np.tile(coins["mark"], (DAY, 1))
        self._sum = np.zeros(coins.size, np.int64)
        self._names = pl.Series("coin", [coin.name for coin in sim.coins])
        self._waiting: list[pl.DataFrame] = []

    def files(self, hour: Hour) -> Iterator[tuple[str, bytes]]:
        """Take an hour, and yield the day's file once the day is over."""
        self._waiting.append(self._rows(hour))
        if hour.ends_day:
            rows = pl.concat(self._waiting)
            self._waiting = [rows.filter(pl.col("ms") >= hour.end_ms)]
            lines = _text(rows.filter(pl.col("ms") < hour.end_ms))
            body = "\n".join([HEADER, *lines]) + "\n"
            yield day_path(hour.start_ms), lz4.frame.compress(body.encode())

    def _rows(self, hour: Hour) -> pl.DataFrame:
        given = hour.told.contexts
        coins = self._sim.world.coins
        minutes = given.size // coins.size
        ms = given["ms"][:: coins.size]
        traded = _traded(hour, minutes, coins.size)
        before, value = np.empty((2, minutes, coins.size), np.int64)
        marks = given["mark"].reshape(minutes, coins.size)
        for minute in range(minutes):
            place = ms[minute] // MINUTE_MS % DAY
            self._sum += traded[minute] - self._value[place]
            before[minute], value[minute] = self._mark[place], self._sum
            self._value[place], self._mark[place] = traded[minute], marks[minute]
        frame = pl.DataFrame(
            {name: given[name] for name in _TAKEN}
            | {
                "lots": coins["size_decimals"][given["coin"]],
                "name": self._names.gather(given["coin"]),
                "before": before.ravel(),
                "value": value.ravel(),
                "funding": np.rint(given["rate"] * 10**RATE_PLACES).astype(np.int64),
                "premium": np.rint(given["premium"] * 10**RATE_PLACES).astype(np.int64),
                "two_sided": (given["bid_depth"] > 0) & (given["ask_depth"] > 0),
            }
        )
        return frame.filter(pl.col("listed") == 1)


_TAKEN = ("ms", "listed", "oracle", "mark", "bid", "ask", "impact_bid", "impact_ask")
_TAKEN = (*_TAKEN, "open_interest")


def day_path(ms: int) -> str:
    """Return the path of the file of the day that ``ms`` lies in."""
    return f"{FOLDER}/{datetime.fromtimestamp(ms / 1000, UTC):%Y%m%d}.csv.lz4"


def _traded(hour: Hour, minutes: int, coins: int) -> np.ndarray:
    """Return what traded in the book, micro-USDC, by minute and coin."""
    trades = hour.told.trades
    trades = trades[np.isin(trades["kind"], [BY_CHOICE, BY_MARKET])]
    minute = np.minimum((trades["ms"] - hour.start_ms) // MINUTE_MS, minutes - 1)
    out = np.zeros((minutes, coins), np.int64)
    np.add.at(out, (minute, trades["coin"]), trades["px"] * trades["size"])
    return out


def _text(rows: pl.DataFrame) -> list[str]:
    """Return the lines of some rows."""
    units = 6 - pl.col("lots")
    known = pl.col("two_sided")
    fields = [
        (pl.col("ms") * 1000).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        pl.col("name"),
        decimals(pl.col("funding"), RATE_PLACES, bare=True),
        decimals(pl.col("open_interest"), pl.col("lots"), bare=True),
        decimals(pl.col("before"), units, bare=True),
        decimals(pl.col("value"), 6, bare=True),
        pl.when(known).then(decimals(pl.col("premium"), RATE_PLACES, bare=True)),
        decimals(pl.col("oracle"), units, bare=True),
        decimals(pl.col("mark"), units, bare=True),
        # Halves of a unit are five of the next.
        pl.when(known).then(
            decimals(5 * (pl.col("bid") + pl.col("ask")), units + 1, bare=True)
        ),
        pl.when(known).then(decimals(pl.col("impact_bid"), units, bare=True)),
        pl.when(known).then(decimals(pl.col("impact_ask"), units, bare=True)),
    ]
    texts = [field.fill_null("") for field in fields]
    return rows.select(pl.concat_str(*texts, separator=",")).to_series().to_list()
