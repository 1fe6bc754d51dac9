"""This module writes hourly market files: candles, funding, open interest, the universe."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.demo_rows.fill_files import HOUR
from pipelines.demo_rows.prices import COINS
from pipelines.demo_rows.world import History

FOLDER = "market"
READ_AT = 2_120  # ms after midnight at which the universe is read each day, before a snapshot
COLUMNS = (
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


def write_market(folder: Path, history: History) -> None:
    """Write the four files."""
    market = folder / FOLDER
    market.mkdir(parents=True, exist_ok=True)
    volume, traded_high, traded_low = _traded(history)
    marks = history.marks.reshape(len(history.rate), 60, len(COINS))
    _write_hourly(
        market / "candles.parquet",
        history,
        # A bar is of marks, which stand where no trade was, and of the trades.
        o=marks[:, 0],
        h=np.maximum(marks.max(axis=1), traded_high),
        l=np.minimum(marks.min(axis=1), traded_low),
        c=marks[:, -1],
        v=volume.round(5),
    )
    notional = history.open_interest * marks[:, 0]
    _write_hourly(market / "funding_rates.parquet", history, funding_rate=history.rate)
    _write_hourly(market / "open_interest.parquet", history, oi_usd=notional)
    _write_universe(market / "universe.csv", history, volume * marks[:, 0])


def _traded(history: History) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each hour's volume, in coins, highest and lowest trade; hours by coins."""
    volume = np.zeros_like(history.rate)
    high, low = np.full_like(volume, -np.inf), np.full_like(volume, np.inf)
    for fill in history.fills:
        hour = (fill.ms - history.start_ms) // HOUR
        # The vault's price is no price of the book.
        if hour < 0 or (fill.liquidation and fill.liquidation.method == "backstop"):
            continue
        at = hour, fill.coin
        volume[at] += fill.size
        high[at], low[at] = max(high[at], fill.px), min(low[at], fill.px)
    return volume, high, low


def _write_hourly(path: Path, history: History, **values: np.ndarray) -> None:
    """Write one row an hour and coin; ``values`` are hours by coins."""
    hours, coins = history.rate.shape
    ms = np.repeat(history.start_ms + HOUR * np.arange(hours), coins)
    columns = {
        "timestamp": pa.array(ms, pa.timestamp("ms", tz="UTC")).cast(TIME),
        "venue": pa.array(["hyperliquid"] * ms.size),
        "coin": pa.array([coin.name for coin in COINS] * hours),
    }
    columns |= {name: pa.array(grid.ravel()) for name, grid in values.items()}
    pq.write_table(pa.table(columns), path, compression="zstd")


def _write_universe(path: Path, history: History, hourly_volume: np.ndarray) -> None:
    """Write a reading of every coin each midnight; the first cannot tell a day's volume."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS)
        for hour in range(0, len(history.rate), 24):
            at = datetime.fromtimestamp((history.start_ms + hour * HOUR + READ_AT) / 1000, UTC)
            day = hourly_volume[hour - 24 : hour].sum(axis=0) if hour else None
            for c, coin in enumerate(COINS):
                mark = history.marks[hour * 60, c]
                interest = history.open_interest[hour, c]
                out.writerow(
                    [
                        f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
                        coin.name,
                        mark,
                        round(float(history.oracle[hour, c]), coin.px_decimals),
                        coin.max_leverage,
                        round(float(interest * mark), 6),
                        round(float(interest), coin.size_decimals),
                        round(float(history.rate[hour, c]) * 100, 10),
                        "" if day is None else round(float(day[c]), 4),
                    ]
                )
