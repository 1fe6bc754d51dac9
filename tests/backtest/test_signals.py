import numpy as np
import pandas as pd
import polars as pl
import pytest

from backtest.strategies.signals import Signals
from tests.backtest.views import HOUR, START, view_of

CLOSES = START + np.arange(1, 6) * HOUR
SIDES = [0, 1, 0, -1, 1]
VIEW = view_of([100.0] * 5)


def index(moments, zone="UTC"):
    return pd.DatetimeIndex(moments).tz_localize(zone)


def frame(moments, sides, zone="UTC"):
    times = pl.Series(moments).dt.replace_time_zone(zone)
    return pl.DataFrame({"time": times, "side": sides})


@pytest.mark.parametrize(
    "series",
    [
        SIDES,
        np.array(SIDES, float),
        pl.Series(SIDES),
        pd.Series(SIDES),
        pd.Series(SIDES, index=index(CLOSES)),
        pd.Series(SIDES[::-1], index=index(CLOSES[::-1])),
        pd.Series(SIDES, index=index(CLOSES.astype("datetime64[ns]"))),
        pd.Series(SIDES, index=index(CLOSES).tz_convert("Asia/Tokyo")),
        pd.Series([1, -1, 1], index=index(CLOSES[[1, 3, 4]])),
        frame(CLOSES, SIDES),
        frame(CLOSES[[4, 3, 1]], [1, -1, 1]),
    ],
)
def test_a_series_is_laid_on_the_closes(series):
    made = Signals(series, stop_pct=1.0, max_bars=7).decide(VIEW)
    assert made.side.tolist() == SIDES
    assert (made.orders["stop_fraction"] == 0.01).all()
    assert (made.orders["max_bars"] == 7).all()


def test_true_is_long():
    assert Signals(pl.Series([True, False])).decide(view_of([1.0, 1.0])).side.tolist() == [1, 0]


def test_without_times_there_is_one_for_each_bar_of_the_period():
    made = Signals([1, 0, -1]).decide(view_of([100.0] * 5, warmup=2))
    assert made.side.tolist() == [0, 0, 1, 0, -1]
    with pytest.raises(ValueError, match="series has 5 signals and the period 3 bars"):
        Signals(SIDES).decide(view_of([100.0] * 5, warmup=2))


@pytest.mark.parametrize("off", [-9 * HOUR, 9 * HOUR, HOUR // 2])
def test_a_moment_that_no_bar_closes_at_is_named(off):
    wrong = CLOSES[3] + off
    moments = np.array([CLOSES[0], CLOSES[2], wrong])
    said = str(wrong)[:16].replace("T", " ")
    with pytest.raises(ValueError, match=f"no 1h bar of BTC closes at {said} UTC; there are"):
        Signals(pd.Series([1, 1, 1], index=index(moments))).decide(VIEW)


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (
            pd.Series(SIDES, index=pd.DatetimeIndex(CLOSES)),
            r'aware of their zone; if they are UTC, give series.tz_localize\("UTC"\)',
        ),
        (frame(CLOSES, SIDES, None), r'give frame.with_columns.*replace_time_zone\("UTC"\)'),
        (pl.DataFrame({"time": [1], "side": [1]}), "moments aware of their zone, not Int64"),
        (frame(CLOSES, SIDES).lazy(), r"a LazyFrame, .*: give series.collect\(\)$"),
        (pl.col("side"), r"an expression, .*: give frame.select"),
        (pd.Series([1, 1], index=index(CLOSES[[1, 1]])), "2026-01-02 02:00 UTC twice"),
        (frame(pl.Series([CLOSES[0].item(), None]), [1, 1]), "1 of its times are missing"),
        (pl.DataFrame({"ts": CLOSES, "side": SIDES}), "columns time and side, not ts, side"),
        (
            frame(CLOSES[:1].astype("datetime64[ns]") + np.timedelta64(1, "ns"), [1]),
            "whole micro",
        ),
        ([0, 2], "signal 1 is 2; it must be -1, 0 or 1"),
        ([0.0, 0.5], "signal 1 is 0.5"),
        (pl.Series([1, None]), "signal 1 is nan"),
        ([1, None], "signal 1 is nan"),
        (pd.Series([1, pd.NA], dtype="Int8"), "must be -1, 0 or 1"),
        (["long"], "must be -1, 0 or 1"),
        ([[1]], "one dimension, not 2"),
    ],
)
def test_what_is_no_series_of_signals_is_refused_at_once(series, said):
    with pytest.raises(ValueError, match=said):
        Signals(series)


def test_parameters_tell_series_apart_by_what_they_say():
    one, same = Signals(SIDES), Signals(pl.Series(SIDES))
    other, dated = Signals([0, 1, 0, -1, 0]), Signals(frame(CLOSES, SIDES))
    assert one == same
    assert len({one.digest, other.digest, dated.digest}) == 3
    assert one.parameters()["strategy"] == "signals"
    assert "series" not in one.parameters()
    assert one.parameters()["digest"] == one.digest
    with pytest.raises(ValueError, match="stop_pct 0 must be above 0"):
        Signals(SIDES, stop_pct=0)
