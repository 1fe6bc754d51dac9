"""Parts of the report whose arithmetic is worth a test of its own."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from warehouse.report.backtest_costs import costs_in_words
from warehouse.report.coin_facts import column_ends
from warehouse.report.mean_trade import mean_difference, mean_trade
from warehouse.report.price_bars import closes, missing_bars

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def bars(*hours, late=timedelta(0)):
    return pl.DataFrame(
        {
            "interval": ["1h"] * len(hours),
            "start_ts": [START + hour * HOUR + late for hour in hours],
            "close_px": [float(hour) for hour in hours],
        }
    )


def test_missing_bars_are_those_before_between_and_after():
    missing = missing_bars(bars(1, 2, 4), START, START + 6 * HOUR)
    assert [(start - START) / HOUR for start in missing] == [0, 3, 5]


def test_a_stamp_some_milliseconds_late_is_the_bar_it_means():
    late = bars(0, 1, 2, late=timedelta(milliseconds=3))
    assert missing_bars(late, START, START + 3 * HOUR) == []


def test_a_missing_bar_breaks_the_line_of_closes():
    times, prices = closes(bars(0, 2), START, START + 3 * HOUR)
    assert prices == [0.0, None, 2.0]
    assert times == [START + hour * HOUR for hour in (1, 2, 3)]


def snapshots(*hours):
    return pl.DataFrame({"snapshot_ts": [START + hour * HOUR for hour in hours]})


@pytest.mark.parametrize(
    ("hours", "ends"),
    [
        ((0, 1, 2, 10), (1, 2, 5, 13)),  # hourly: three hours at most
        ((0, 5, 9, 30), (5, 9, 21, 42)),  # every five hours: half a day at most
        ((0, 24, 48, 120), (24, 48, 84, 156)),  # daily: a day and a half at most
        ((7,), (25,)),
    ],
)
def test_a_snapshot_is_not_shown_for_longer_than_it_may_stand(hours, ends):
    shown = column_ends(snapshots(*hours), START + 200 * HOUR)
    assert [(end - START) / HOUR for end in shown] == list(ends)


def trades(*rows):
    return pl.DataFrame(
        [{"entry_ts": START + day * 24 * HOUR, "return_fraction": r} for day, r in rows],
        schema={"entry_ts": pl.Datetime("us", "UTC"), "return_fraction": pl.Float64},
    )


def test_the_error_of_a_mean_takes_a_day_as_one_draw():
    # Two days, pulled to +0.01 and -0.01 by two trades each: off by (0.02, -0.02) in sum.
    found = mean_trade(trades((0, 0.01), (0, 0.01), (1, -0.01), (1, -0.01)))
    assert found.mean == pytest.approx(0)
    assert found.error == pytest.approx((2 * (2 * 0.01) ** 2 * 2) ** 0.5 / 4)
    assert found.few


def test_no_trades_have_no_mean():
    assert mean_trade(trades()).said == "no trades"
    assert mean_trade(trades((0, 0.01))).error is None


def test_a_variant_that_trades_alike_differs_by_nothing():
    same = trades((0, 0.01), (1, -0.03), (2, 0.02))
    found = mean_difference(same, same)
    assert (found.mean, found.error) == (0, 0)
    assert found.sign == 0


def test_a_verdict_needs_thirty_trades_of_each():
    many = trades(*((day, 0.01 + day / 1e4) for day in range(30)))
    assert mean_trade(many).sign == 1
    assert mean_trade(many.head(29)).sign == 0
    worse = many.with_columns(pl.col("return_fraction") - 0.02)
    assert mean_difference(worse, many).sign == -1
    assert mean_difference(worse, many.head(29)).sign == 0


def run_of(coin, costs, slippage):
    figures = {"bound": "pessimistic", "fees": 10.0, "funding": 1.0, "slippage": slippage}
    return {"coin": coin, "costs": costs, **figures}


def test_costs_say_what_slippage_came_to_and_rests_on():
    """Settings that differ in nothing else are said once, what they rest on coin by coin."""
    costs = '{{"taker_fee": 0.00045, "slippage_basis": "{}"}}'
    runs = [
        run_of("BTC", costs.format("9 of 9 bars from recorded books"), 3.0),
        run_of("BTC", costs.format("9 of 9 bars from recorded books"), 4.0),
        run_of("ETH", costs.format("9 of 9 bars by the impact law"), 5.0),
    ]
    assert costs_in_words(pl.DataFrame(runs)) == [
        "Charged over all runs (pessimistic reading): $30.00 of fees, $3.00 of funding "
        "(negative: received), $12.00 of slippage.",
        "Costs as set: taker fee 0.00045.",
        "Slippage of BTC: 9 of 9 bars from recorded books.",
        "Slippage of ETH: 9 of 9 bars by the impact law.",
    ]
    old = [*runs, run_of("SOL", "as ever", None)]
    said = costs_in_words(pl.DataFrame(old))
    assert said[0].endswith("unknown of slippage.")
    assert "Costs as set: as ever." in said
