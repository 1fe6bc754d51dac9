"""This module says how liquidations went in each bar, as far as it was known at its close.

The macro ``liquidation_flow`` takes its end as the moment of knowledge of all its rows, and for
all bars but the last that lies in their future.  So a strategy's flow is that of a follower who
listened and never went back: a fill, a reading, a book or an hour of fills counts if it could
be had by the close of the bar it belongs to.  If not, it never does, in no later norm either:
what comes late, or corrects, changes no row, and one question answers for every bar.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc, utc

# Times of what belongs to a bar.
TIMES = {
    "fills": "time_ts",
    "asset_contexts": "context_ts",
    "funding": "time_ts",
    "order_books": "book_ts",
}


@dataclass(frozen=True, slots=True)
class Flow:
    """How liquidations went in each bar; NaN: not known at its close.

    Attributes
    ----------
    long_notional, short_notional : float64[n]
        Liquidated in the bar, longs and shorts, USD.
    velocity : float64[n]
        USD a minute.
    velocity_ratio : float64[n]
        Velocity over the coin's norm of the 7 days before.
    score : float64[n]
        ``score_at_least`` of :code:`liquidation_flow`, 0 to 10.
    open_interest : float64[n]
        Coins, one-sided.
    funding_rate : float64[n]
        Fraction an hour.
    """

    long_notional: np.ndarray
    short_notional: np.ndarray
    velocity: np.ndarray
    velocity_ratio: np.ndarray
    score: np.ndarray
    open_interest: np.ndarray
    funding_rate: np.ndarray

    @classmethod
    def unknown(cls, n: int) -> "Flow":
        """Return ``n`` bars of which nothing is known."""
        return cls(*(np.full(n, np.nan) for _ in fields(cls)))

    @property
    def known(self) -> np.ndarray:
        """Return, bool[n], the bars whose liquidations were known at their close."""
        return ~np.isnan(self.velocity)

    @property
    def side(self) -> np.ndarray:
        """Return, int8[n], where forced orders push: -1 longs were sold, +1 shorts bought back.

        0: both alike, none, or not known.
        """
        more = np.nan_to_num(self.short_notional) - np.nan_to_num(self.long_notional)
        return np.sign(more).astype(np.int8)

    def forced(self, side: np.ndarray | int) -> np.ndarray:
        """Return what was forced to ``side`` (-1: longs sold, +1: shorts bought back), USD."""
        return np.where(np.asarray(side) < 0, self.long_notional, self.short_notional)


def read_flow(lake: duckdb.DuckDBPyConnection, bars: Bars, *, knowable: bool) -> Flow:
    """Read the flow of each bar.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Bars of one coin; between them may be holes.
    knowable
        True: only what could be had at the close of the bar it belongs to, see
        ``docs/replay.md``, "What a strategy may know".  False: as if everything had been there
        at its own moment.

    Raises
    ------
    ValueError
        If a bar does not lie on the grid that begins with the first.
    """
    flow = Flow.unknown(len(bars))
    if not len(bars):
        return flow
    row, rest = np.divmod(bars.start - bars.start[0], bars.width)
    if rest.astype(np.int64).any():
        odd = bars.start[np.flatnonzero(rest.astype(np.int64))[0]]
        raise ValueError(
            f"{bars.interval} bars of {bars.coin}: the one of {utc(odd)} does not lie on the "
            f"grid that begins with {utc(bars.start[0])}"
        )
    if not _heard_of(lake, bars, knowable):
        return flow
    with _listening(lake, bars, knowable) as heard:
        told = heard.sql(
            "select long_notional, short_notional, velocity, velocity_ratio, "
            "score_at_least as score, open_interest, funding_rate "
            "from liquidation_flow($coin, $since, $until, every := $every, "
            "knowable := $knowable) order by ts",
            params={
                "coin": bars.coin,
                "since": as_utc(bars.start[0]),
                "until": as_utc(bars.end[-1]),
                "every": bars.width.astype("timedelta64[us]").item(),
                "knowable": knowable,
            },
        ).fetchnumpy()
    if not told["velocity"].size:
        return flow
    return Flow(*(_filled(told[field.name])[row] for field in fields(Flow)))


def _heard_of(lake: duckdb.DuckDBPyConnection, bars: Bars, knowable: bool) -> bool:
    """Return whether any source had told of the coin before the last close."""
    ((some,),) = lake.sql(
        "select count(*) from coins where coin = $coin "
        "and if($knowable, first_known_ts, first_ts) < $until",
        params={"coin": bars.coin, "knowable": knowable, "until": as_utc(bars.end[-1])},
    ).fetchall()
    return some > 0


def _filled(values: np.ndarray) -> np.ndarray:
    return np.ma.filled(np.ma.asarray(values, np.float64), np.nan)


@contextmanager
def _listening(
    lake: duckdb.DuckDBPyConnection, bars: Bars, knowable: bool
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a connection to ``lake`` whose tables, if ``knowable``, hold what came in time.

    Its macros find views of its own under the names of the tables, and nobody else does.
    """
    own = lake.cursor()
    try:
        own.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        if knowable:
            ((name,),) = own.sql("select current_database()").fetchall()
            for view in _in_time(f'"{name}".main', bars):
                own.execute(view)
        yield own
    finally:
        own.close()


def _in_time(main: str, bars: Bars) -> Iterator[str]:
    """Return the views of what came in time, without its corrections."""
    width = int(bars.width / np.timedelta64(1, "us"))
    origin = int(bars.start[0].astype("datetime64[us]").astype(np.int64)) % width
    now = "null::timestamptz as since_ts, null::timestamptz as superseded_ts"
    for table, time in TIMES.items():
        bar = f"(epoch_us({time}) - {origin}) // {width}"
        yield (
            f"create temp view {table}_versions as select * replace ({now}) "
            f"from {main}.{table}_versions where "
            f"stands(known_ts, since_ts, superseded_ts, "
            f"make_timestamptz(({bar} + 1) * {width} + {origin}), true)"
        )
    # Rules of a coin speak from when they were known.
    yield (
        f"create temp view instruments_versions as select * replace ({now}, "
        "greatest(effective_ts, known_ts, since_ts) as effective_ts) "
        f"from {main}.instruments_versions"
    )
    # An hour of fills that is published whole is known in time if it is by the close of its
    # first bar, that in which the hour begins; one that is told as it happens (known_ts is
    # max_ts) is.
    first = r"try_cast(regexp_extract(part, '(\d\d)(-\d{12})?$', 1) as int)"
    hour = f"(epoch_us(day) + coalesce({first}, 0) * 3600000000 - {origin}) // {width}"
    told = "if(known_ts = max_ts, least(known_ts, first_close), known_ts)"
    yield (
        f"create temp view parts as select line.* exclude (first_close) replace ({now}) from ("
        f"select *, make_timestamptz(({hour} + 1) * {width} + {origin}) as first_close "
        f"from {main}.parts "
        f"where table_name = 'fills') as line "
        f"where stands({told}, since_ts, superseded_ts, first_close, true)"
    )
