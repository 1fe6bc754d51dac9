"""This module joins the trades of a bar into seconds, and says whether they make up the bar."""

import duckdb
import numpy as np

from backtest.bars import Bars, as_utc

# Of a bar's volume; a sum of decimals in binary is nearer than that.
EXACTLY = 1e-9

_F = np.float64
# What traded in a second of bar ``row``.  Which trade of a block came first nobody tells, so of
# the first block and of the last the lowest and the highest price are kept.
SPAN = np.dtype(
    [
        ("row", np.int64),
        ("start", "datetime64[us]"),
        ("low", _F),
        ("high", _F),
        ("volume", _F),
        ("first_low", _F),
        ("first_high", _F),
        ("last_low", _F),
        ("last_high", _F),
        ("open", _F),
        ("close", _F),
    ]
)


# Every trade has one fill that bought.  Sizes are added up as decimals, so that their sum hangs
# on no order.
TRADED = """
    with asked as (
        select unnest($rows::bigint[]) as row, unnest($starts::timestamptz[]) as start_ts
    ),

    days as (
        select distinct (a.start_ts at time zone 'UTC')::date as day
        from asked as a
    ),

    trades as (
        select f.time_ts, f.px, f.size
        from fills as f
        inner join days as d on f.day = d.day
        where f.coin = $coin and f.is_buy and f.size > 0
    ),

    blocks as (
        select
            a.row,
            t.time_ts,
            min(t.px) as low,
            max(t.px) as high,
            sum(t.size::decimal(38, 12)) as volume
        from trades as t
        asof join asked as a on t.time_ts >= a.start_ts
        where t.time_ts < a.start_ts + to_microseconds($width)
        group by a.row, t.time_ts
    )

    select
        b.row,
        date_trunc('second', b.time_ts)::timestamp as start,
        min(b.low) as low,
        max(b.high) as high,
        sum(b.volume)::double as volume,
        arg_min(b.low, b.time_ts) as first_low,
        arg_min(b.high, b.time_ts) as first_high,
        arg_max(b.low, b.time_ts) as last_low,
        arg_max(b.high, b.time_ts) as last_high
    from blocks as b
    group by all
    order by start
"""


def read_spans(lake: duckdb.DuckDBPyConnection, bars: Bars, rows: np.ndarray) -> np.ndarray:
    """Read what traded in each second of some bars.

    Parameters
    ----------
    lake
        Catalog of a lake.
    bars
        Bars of the period.
    rows : int64[r]
        Which of them.

    Returns
    -------
    SPAN[k]
        In order of time; without open and close.
    """
    found = lake.sql(
        TRADED,
        params={
            "coin": bars.coin,
            "rows": rows.tolist(),
            "starts": [as_utc(start) for start in bars.start[rows]],
            "width": int(bars.width / np.timedelta64(1, "us")),
        },
    ).fetchnumpy()
    out = np.zeros(found["row"].size, SPAN)
    for name, values in found.items():
        out[name] = values
    return out


def made_up(bars: Bars, spans: np.ndarray) -> np.ndarray:
    """Return the seconds of the bars that their trades make up, with open and close.

    Parameters
    ----------
    bars
        Bars of the period.
    spans : SPAN[k]
        What traded in each second, in order of time.

    Returns
    -------
    SPAN[m]
        Of bars whose high, low, close and volume are those of their trades.  A venue's bar may
        open at the close of the one before, so the open is taken as it is, and what it adds to
        high and low with it.  Between two seconds the price is taken to have gone the shortest
        way: of a block's prices the one nearest to the next block's.
    """
    if not spans.size:
        return spans
    spans = spans.copy()
    meet = np.maximum(spans["last_low"][:-1], spans["first_low"][1:])
    spans["open"][1:] = np.minimum(meet, spans["first_high"][1:])
    spans["close"][:-1] = np.minimum(meet, spans["last_high"][:-1])
    row, first, number = np.unique(spans["row"], return_index=True, return_inverse=True)
    last = np.append(first[1:], spans.size) - 1
    spans["open"][first] = bars.open_px[row]
    spans["high"][first] = np.maximum(spans["high"][first], bars.open_px[row])
    spans["low"][first] = np.minimum(spans["low"][first], bars.open_px[row])
    close = bars.close_px[row]
    ends = (spans["last_low"][last] <= close) & (close <= spans["last_high"][last])
    spans["close"][last] = close
    volume = np.add.reduceat(spans["volume"], first)
    # Written so that a volume that is not known is unlike too.
    like = np.abs(volume - bars.volume[row]) <= EXACTLY * volume
    like &= np.maximum.reduceat(spans["high"], first) == bars.high_px[row]
    like &= np.minimum.reduceat(spans["low"], first) == bars.low_px[row]
    return spans[(like & ends)[number]]
