"""This module reads market files: candles, funding, open interest and the venue's universe.

A folder ``market/`` with up to four files, as public recorders of several venues keep them:

``candles.parquet``
    timestamp, venue, coin, o, h, l, c, v.  The file does not say how long a bar is nor which
    end its timestamp marks.  Measured on 275 marks of Hyperliquid position snapshots (3 to 12
    February 2026, five coins): read as the *start* of a one-hour bar, the bar that contains
    the mark's moment spans it in 275 of 275 cases on binance, bybit and okx; read as the end,
    in 207.  Hyperliquid's own bars of 2025 agree with binance's of the same timestamp to 0.02 %
    at the median, with the neighbouring hours' to 0.4 %.
``funding_rates.parquet``
    timestamp, venue, coin, funding_rate.  Hyperliquid pays hourly and gives the hourly rate;
    the file does not give the other venues' period.
``open_interest.parquet``
    timestamp, venue, coin, oi_usd: one-sided, at mark (it agrees with the universe's to 3 %
    over half an hour).
``universe.csv``
    ts, name, markPx, indexPx, maxLeverage, openInterest (USD), openInterestCoins, funding,
    and volume24h (USD) where given: readings of every coin of Hyperliquid.  ``funding`` is per
    cent an hour: its commonest value is 0.00125, where the venue's baseline is 0.0000125.

A reading is known at its own instant, a bar once it has ended.
"""

from datetime import timedelta
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from pipelines.sources.archive import Archive
from pipelines.sources.documented_tiers import size_decimals, tiers_of
from pipelines.sources.errors import SourceError
from pipelines.sources.imports.raw_file import read_csv
from pipelines.sources.parquet_files import frame, whole
from pipelines.sources.typed_columns import NUMBER, TEXT, TIME, Field, RowsOf, typed
from pipelines.sources.unknown import odd_columns

CANDLES_FILE = "candles.parquet"
FUNDING_FILE = "funding_rates.parquet"
OPEN_INTEREST_FILE = "open_interest.parquet"
UNIVERSE_FILE = "universe.csv"
FILES = (CANDLES_FILE, FUNDING_FILE, OPEN_INTEREST_FILE, UNIVERSE_FILE)
FOLDER = "market"
VENUE = "hyperliquid"

BAR = timedelta(hours=1)
_KEY = (Field("timestamp", TIME), Field("venue", TEXT), Field("coin", TEXT))
_CANDLE_FIELDS = (*_KEY, *(Field(name, NUMBER) for name in "ohlc"), Field("v", NUMBER, True))
_FUNDING_FIELDS = (*_KEY, Field("funding_rate", NUMBER))
_OPEN_INTEREST_FIELDS = (*_KEY, Field("oi_usd", NUMBER))
_UNIVERSE_FIELDS = (
    Field("ts", TIME),
    Field("name", TEXT),
    Field("markPx", NUMBER, null=True),
    Field("indexPx", NUMBER, null=True),
    Field("maxLeverage", NUMBER),
    Field("openInterest", NUMBER, null=True),
    Field("openInterestCoins", NUMBER, null=True),
    Field("funding", NUMBER, null=True),
    Field("volume24h", NUMBER, null=True, optional=True),
)


class Read(NamedTuple):
    """A translated file: rows of a table without ``source``, and what was odd about it."""

    rows: pl.DataFrame
    unknown_fields: dict[str, int]
    duplicates: int


def market_files(root: str) -> Archive:
    """Return the archive that holds market files: ``root``, or its folder ``market``.

    Raises
    ------
    FileNotFoundError
        If neither holds one of the files.
    """
    outer = Archive(root)
    folders = [outer]
    if outer.has(FOLDER):
        folders.append(Archive(f"{outer.root.rstrip('/')}/{FOLDER}"))
    for archive in folders:
        if any(archive.has(name) for name in FILES):
            return archive
    raise FileNotFoundError(
        f"root {root}: neither it nor its folder {FOLDER}/ holds any of {', '.join(FILES)}"
    )


def read_candles(archive: Archive) -> Read:
    """Read ``candles.parquet`` as rows of ``candles``."""
    return to_candles(_parquet(archive, CANDLES_FILE, _CANDLE_FIELDS))


def read_funding(archive: Archive) -> Read:
    """Read ``funding_rates.parquet`` as rows of ``funding``."""
    return to_funding(_parquet(archive, FUNDING_FILE, _FUNDING_FIELDS))


def read_open_interest(archive: Archive) -> Read:
    """Read ``open_interest.parquet`` as rows of ``asset_contexts``."""
    return to_open_interest(_parquet(archive, OPEN_INTEREST_FILE, _OPEN_INTEREST_FIELDS))


def read_universe(archive: Archive) -> tuple[Read, Read]:
    """Read ``universe.csv`` as rows of ``asset_contexts`` and of ``instruments``."""
    # As text: a type guessed from the first rows would blame a later one.
    raw = read_csv(archive.read(UNIVERSE_FILE), UNIVERSE_FILE).rows
    return to_universe(_documented(raw, UNIVERSE_FILE, _UNIVERSE_FIELDS))


def to_candles(raw: pl.DataFrame, file: str = CANDLES_FILE) -> Read:
    """Translate one-hour bars.  Pure.

    >>> from datetime import UTC, datetime
    >>> raw = pl.DataFrame({
    ...     "timestamp": [datetime(2026, 1, 1, 7, tzinfo=UTC)], "venue": "okx", "coin": "BTC",
    ...     "o": 70.0, "h": 72.0, "l": 69.0, "c": 71.0, "v": 3.5,
    ... })
    >>> read = to_candles(raw)
    >>> read.rows.select("interval", "open_px", "volume").row(0)
    ('1h', 70.0, 3.5)
    >>> str(read.rows["known_ts"][0])
    '2026-01-01 08:00:00+00:00'
    """
    given, unknown = typed(raw, _CANDLE_FIELDS, file)
    start = pl.col("timestamp")
    given.refuse(start.dt.truncate("1h") != start, "timestamp", "must start a full hour")
    given.refuse(pl.col("l") <= 0, "l", "must be above 0")
    given.refuse(pl.col("h") < pl.max_horizontal("o", "l", "c"), "h", "must be the highest")
    given.refuse(pl.col("l") > pl.min_horizontal("o", "c"), "l", "must be the lowest")
    given.refuse(pl.col("v") < 0, "v", "must be 0 or more")
    rows, duplicates = _once(given, ("timestamp", "venue", "coin"))
    rows = rows.with_columns(pl.col("venue").str.to_lowercase())
    _refuse_other_bars(rows, file)
    candles = rows.select(
        venue="venue",
        coin="coin",
        interval=pl.lit("1h"),
        start_ts="timestamp",
        open_px="o",
        high_px="h",
        low_px="l",
        close_px="c",
        volume="v",
        known_ts=start + BAR,
    )
    return Read(candles, unknown, duplicates)


def _refuse_other_bars(rows: pl.DataFrame, file: str) -> None:
    """Raise if the bars of one series are not an hour apart where they are closest.

    A longer bar that is taken for one of an hour would count as known before it has ended.
    """
    steps = (
        rows.sort("timestamp")
        .group_by("venue", "coin")
        .agg(step=pl.col("timestamp").diff().min())
        .filter(pl.col("step") != BAR)
        .sort("venue", "coin")
    )
    for venue, coin, step in steps.iter_rows():
        raise SourceError(
            f"{file}: bars of {coin} on {venue} are {step} apart, only bars of one hour are "
            "known"
        )


def to_funding(raw: pl.DataFrame, file: str = FUNDING_FILE) -> Read:
    """Translate funding rates; their instants are kept as given, jitter and all.  Pure.

    >>> from datetime import UTC, datetime
    >>> raw = pl.DataFrame({
    ...     "timestamp": [datetime(2026, 1, 1, 8, tzinfo=UTC)] * 2, "coin": "BTC",
    ...     "venue": ["binance", "hyperliquid"], "funding_rate": [1e-4, 1.25e-5],
    ... })
    >>> to_funding(raw).rows.select("venue", "rate", "period_hours").rows()
    [('binance', 0.0001, None), ('hyperliquid', 1.25e-05, 1.0)]
    """
    given, unknown = typed(raw, _FUNDING_FIELDS, file)
    rows, duplicates = _once(given, ("timestamp", "venue", "coin"))
    venue = pl.col("venue").str.to_lowercase()
    funding = rows.select(
        venue=venue,
        coin="coin",
        time_ts="timestamp",
        rate="funding_rate",
        period_hours=pl.when(venue == VENUE).then(1.0),
        known_ts="timestamp",
    )
    return Read(funding, unknown, duplicates)


def to_open_interest(raw: pl.DataFrame, file: str = OPEN_INTEREST_FILE) -> Read:
    """Translate open interest to contexts that say nothing else.  Pure."""
    given, unknown = typed(raw, _OPEN_INTEREST_FIELDS, file)
    given.refuse(pl.col("oi_usd") < 0, "oi_usd", "must be 0 or more")
    rows, duplicates = _once(given, ("timestamp", "venue", "coin"))
    venue = pl.col("venue").str.to_lowercase()
    return Read(
        _contexts(rows, venue, "coin", "timestamp", oi_usd="oi_usd"), unknown, duplicates
    )


def to_universe(raw: pl.DataFrame, file: str = UNIVERSE_FILE) -> tuple[Read, Read]:
    """Translate readings of the universe to contexts and to instruments.  Pure.

    A coin has an instrument from its first reading on, and another from each reading that
    says something else than the one before.

    >>> raw = pl.DataFrame({
    ...     "ts": ["2026-02-03T12:00:00Z", "2026-02-03T18:00:00Z", "2026-02-04T00:00:00Z"],
    ...     "name": "SOL", "markPx": "97.5", "indexPx": "97.6", "openInterest": "975.0",
    ...     "openInterestCoins": "10.0", "funding": "0.00125",
    ...     "maxLeverage": ["20", "20", "10"],
    ... })
    >>> contexts, instruments = to_universe(raw)
    >>> contexts.rows.select("oracle_px", "open_interest", "funding_rate").row(0)
    (97.6, 10.0, 1.25e-05)
    >>> [(f"{row[1]:%d %H}h", row[2]) for row in instruments.rows.iter_rows()]
    [('03 12h', 20.0), ('04 00h', 10.0)]
    """
    given, unknown = typed(raw, _UNIVERSE_FIELDS, file, as_text=True)
    for name in ("markPx", "indexPx", "maxLeverage"):
        given.refuse(pl.col(name) <= 0, name, "must be above 0")
    for name in ("openInterest", "openInterestCoins", "volume24h"):
        given.refuse(pl.col(name) < 0, name, "must be 0 or more")
    rows, duplicates = _once(given, ("ts", "name"))
    contexts = _contexts(
        rows,
        pl.lit(VENUE),
        "name",
        "ts",
        mark_px="markPx",
        oracle_px="indexPx",
        oi_coins="openInterestCoins",
        oi_usd="openInterest",
        funding_rate=pl.col("funding") / 100,
        volume="volume24h",
    )
    leverage = pl.col("maxLeverage")
    changed = rows.sort("name", "ts").filter(
        leverage.ne_missing(leverage.shift().over("name", order_by="ts"))
    )
    tiers = [
        [tier._asdict() for tier in tiers_of(coin, held)]
        for coin, held in changed.select("name", "maxLeverage").iter_rows()
    ]
    tier = pl.Struct({"lower_bound": pl.Float64, "max_leverage": pl.Float64})
    decimals = [size_decimals(coin) for coin in changed["name"]]
    instruments = changed.select(
        coin="name",
        effective_ts="ts",
        max_leverage="maxLeverage",
        size_decimals=pl.Series(decimals, dtype=pl.Int32),
        margin_tiers=pl.Series(tiers, dtype=pl.List(tier)),
        known_ts="ts",
    )
    return Read(contexts, unknown, duplicates), Read(instruments, {}, 0)


def _contexts(
    rows: pl.DataFrame, venue: pl.Expr, coin: str, ts: str, **given: str | pl.Expr
) -> pl.DataFrame:
    """Return rows of ``asset_contexts``; what is not ``given`` is null."""
    lacking = pl.lit(None, pl.Float64)
    return rows.select(
        venue=venue,
        coin=coin,
        context_ts=ts,
        mark_px=given.get("mark_px", lacking),
        oracle_px=given.get("oracle_px", lacking),
        open_interest=given.get("oi_coins", lacking),
        open_interest_notional=given.get("oi_usd", lacking),
        funding_rate=given.get("funding_rate", lacking),
        premium=lacking,
        mid_px=lacking,
        impact_bid_px=lacking,
        impact_ask_px=lacking,
        prev_day_px=lacking,
        day_notional_volume=given.get("volume", lacking),
        known_ts=ts,
    )


def _once(given: RowsOf, key: tuple[str, ...]) -> tuple[pl.DataFrame, int]:
    """Return each row once, and how many were repeated; refuse two that disagree."""
    rows = given.rows.unique(maintain_order=True)
    if rows.select(key).is_duplicated().any():
        row = pl.struct(given.rows.columns)
        differs = row.ne_missing(row.first().over(key))
        given.refuse(
            differs, key[0], f"must come once per {', '.join(key)}, another row differs"
        )
    return rows, given.rows.height - rows.height


def _parquet(archive: Archive, path: str, fields: tuple[Field, ...]) -> pl.DataFrame:
    return _documented(whole(archive.read(path), path), path, fields)


def _documented(table: pa.Table, path: str, fields: tuple[Field, ...]) -> pl.DataFrame:
    """Return the columns of a file; those that nobody documented by their names, as nulls."""
    names = [field.name for field in fields]
    known = frame(table, path, names)
    odd = [pl.Series(name, [None] * table.num_rows) for name in odd_columns(table, names)]
    return known.hstack(odd) if known.width else pl.DataFrame(odd)
