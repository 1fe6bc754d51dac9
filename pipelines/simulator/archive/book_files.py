"""This module writes order books as the venue archives them, a line a minute and coin."""

from collections.abc import Iterator
from datetime import UTC, datetime

import lz4.frame
import numpy as np
import polars as pl

from pipelines.simulator.archive.hours import Hour
from pipelines.simulator.archive.scatter import scatter
from pipelines.simulator.archive.text import decimals, instants
from pipelines.simulator.records import LEVELS
from pipelines.simulator.world import Simulation

FOLDER = "hyperliquid-archive/market_data"
MOST_ORDERS = 9  # that share a level
DELAY = (150_000_000, 900_000_000)  # ns after which the recorder has a book, from and to


class BookFiles:
    """The books of a world, on their way to files; the end's own instant is in none."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._ms = np.zeros(0, np.int64)
        self._books = np.zeros((0, len(sim.coins), 2, LEVELS, 2), np.int64)

    def files(self, hour: Hour) -> Iterator[tuple[str, bytes]]:
        """Take an hour's books and yield the hour's files, one a coin that has a book."""
        coins = len(self._sim.coins)
        ms = np.concatenate([self._ms, hour.told.contexts["ms"][::coins]])
        books = np.concatenate([self._books, hour.told.books])
        due = ms < hour.end_ms
        self._ms, self._books = ms[~due], books[~due]
        at = datetime.fromtimestamp(hour.start_ms / 1000, UTC)
        for c, lines in self._lines(ms[due], books[due]):
            path = f"{FOLDER}/{at:%Y%m%d}/{at.hour}/l2Book/{self._sim.coins[c].name}.lz4"
            yield path, lz4.frame.compress(("\n".join(lines) + "\n").encode())

    def _lines(self, ms: np.ndarray, books: np.ndarray) -> Iterator[tuple[int, list[str]]]:
        """Yield each coin that has a book, and its lines: of all coins at once, for speed."""
        coins = len(self._sim.coins)
        minute, coin = np.indices((ms.size, coins)).reshape(2, -1)
        number = ms[minute] // 1000 * coins + coin
        per = 2 * LEVELS
        numbers = number[:, None] * per + np.arange(per)
        orders = scatter(self._sim.spec.seed, "n", numbers.ravel()) % np.uint64(MOST_ORDERS)
        lots = np.array([coin.size_decimals for coin in self._sim.coins])
        levels = pl.DataFrame(
            {
                "line": np.repeat(np.arange(coin.size), per),
                "bid": np.tile(np.arange(per) < LEVELS, coin.size),
                "px": books[..., 0].ravel(),
                "size": books[..., 1].ravel(),
                "n": orders.astype(np.int64) + 1,
                "lots": np.repeat(lots[coin], per),
            }
        ).filter(pl.col("size") > 0)
        level = pl.concat_str(
            pl.lit('{"px":"'),
            decimals(pl.col("px"), 6 - pl.col("lots")),
            pl.lit('","sz":"'),
            decimals(pl.col("size"), pl.col("lots")),
            pl.lit('","n":'),
            "n",
            pl.lit("}"),
        )
        sides = levels.select("line", "bid", level=level).group_by("line", maintain_order=True)
        text = pl.col("level")
        sides = sides.agg(
            bids=text.filter(pl.col("bid")).str.join(","),
            asks=text.filter(~pl.col("bid")).str.join(","),
        )
        drawn = scatter(self._sim.spec.seed, "book delay", number)
        delay = DELAY[0] + (drawn % np.uint64(DELAY[1] - DELAY[0])).astype(np.int64)
        heads = pl.DataFrame(
            {
                "line": np.arange(coin.size),
                "coin": coin,
                "name": pl.Series([coin.name for coin in self._sim.coins]).gather(coin),
                "ms": ms[minute],
                "local": ms[minute] * 1_000_000 + delay,
            }
        )
        lines = heads.join(sides, on="line", maintain_order="left").select(
            "coin",
            text=pl.concat_str(
                pl.lit('{"time":"'),
                instants(pl.col("local")),
                pl.lit('","ver_num":1,"raw":{"channel":"l2Book","data":{"coin":"'),
                "name",
                pl.lit('","time":'),
                "ms",
                pl.lit(',"levels":[['),
                "bids",
                pl.lit("],["),
                "asks",
                pl.lit("]]}}}"),
            ),
        )
        for (c,), rows in lines.group_by("coin", maintain_order=True):
            yield c, rows["text"].to_list()
