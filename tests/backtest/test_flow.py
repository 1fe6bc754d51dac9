import numpy as np
import pytest

from backtest.bars import Bars, as_utc
from backtest.flow import Flow, read_flow
from tests.backtest.small_lake import (
    at,
    land_book,
    land_context,
    land_fills,
    land_funding,
    land_instrument,
)
from warehouse.catalog import open_lake
from warehouse.store import Origin, landing

HOUR = np.timedelta64(3_600_000_000, "us")
NAMES = list(Flow.__slots__)
NAN = float("nan")
WEEK = 168


def bars_of(hours, width=HOUR, coin="BTC"):
    start = np.array([at(hour).replace(tzinfo=None) for hour in hours], "datetime64[us]")
    flat = np.full(start.size, 100.0)
    return Bars(coin, "v", "s", "1h", width, start, flat, flat, flat, flat, flat)


def read(root, hours, *, knowable=True, width=HOUR, coin="BTC"):
    return read_flow(open_lake(root), bars_of(hours, width, coin), knowable=knowable)


def same(one, other, upto=None):
    for name in NAMES:
        np.testing.assert_allclose(
            getattr(one, name)[:upto], getattr(other, name)[:upto], rtol=1e-12, err_msg=name
        )


def land_hours(root, first, last, forced=(), **more):
    with landing(root) as batches:
        land_instrument(batches, 4)
        for hour in range(first, last):
            land_fills(batches, hour, forced, **more)


def test_an_hour_that_is_told_as_it_happens_is_known_at_its_close(tmp_path):
    land_hours(tmp_path, 0, 50, [(10.0, "long", 600.0)])
    land_fills(tmp_path, 50, [(10.0, "long", 6000.0), (20.0, "short", 1500.0)])
    land_fills(tmp_path, 51)
    land_context(tmp_path, 50.5, interest=7.0, rate=1e-4)
    seen = read(tmp_path, [50, 51, 52])
    np.testing.assert_array_equal(seen.long_notional, [6000.0, 0.0, NAN])
    np.testing.assert_array_equal(seen.short_notional, [1500.0, 0.0, NAN])
    # 7,500 USD in 60 minutes, against 600 an hour before.
    np.testing.assert_allclose(seen.velocity, [125.0, 0.0, NAN])
    np.testing.assert_allclose(seen.velocity_ratio, [12.5, 0.0, NAN])
    one_sided = 4500 / 7500
    np.testing.assert_allclose(
        seen.score, [5 * np.log10(12.5) * (0.4 + 0.2 * one_sided), 0.0, NAN]
    )
    np.testing.assert_array_equal(seen.open_interest, [7.0, 7.0, NAN])
    np.testing.assert_array_equal(seen.funding_rate, [1e-4, 1e-4, NAN])
    assert seen.known.tolist() == [True, True, False]
    assert seen.side.tolist() == [-1, 0, 0]
    assert seen.forced(-1)[:2].tolist() == [6000.0, 0.0]


def test_what_was_published_later_was_not_known_at_the_close(tmp_path):
    land_hours(tmp_path, 0, 48, [(10.0, "long", 600.0)])
    land_fills(tmp_path, 48, [(10.0, "long", 9000.0)], known=51)
    land_fills(tmp_path, 49, [(10.0, "long", 600.0)])
    seen = read(tmp_path, [48, 49])
    np.testing.assert_array_equal(seen.long_notional, [NAN, 600.0])
    # The hour that came late is in no norm: 600 an hour in each that was heard.
    np.testing.assert_allclose(seen.velocity_ratio, [NAN, 1.0])
    assert np.isnan(seen.score[0])
    later = read(tmp_path, [48, 49], knowable=False)
    np.testing.assert_array_equal(later.long_notional, [9000.0, 600.0])
    np.testing.assert_allclose(later.velocity_ratio[0], 15.0)


def test_an_hour_published_at_its_very_end_is_known_and_one_after_it_is_not(tmp_path):
    land_hours(tmp_path, 0, 48)
    late = 1e-6 / 3600 * 5
    land_fills(tmp_path, 48, [(10.0, "long", 500.0)], known=49)
    land_fills(tmp_path, 49, [(10.0, "long", 500.0)], known=50 + late)
    np.testing.assert_array_equal(read(tmp_path, [48, 49]).long_notional, [500.0, NAN])


def test_bars_of_a_quarter_know_an_hour_that_is_told_as_it_happens(tmp_path):
    land_hours(tmp_path, 0, 48)
    land_fills(tmp_path, 48, [(20.0, "long", 500.0)])
    land_fills(tmp_path, 49, [(20.0, "long", 500.0)], known=50)
    quarters = 48 + np.arange(8) / 4
    seen = read(tmp_path, quarters, width=HOUR / 4)
    np.testing.assert_array_equal(seen.long_notional, [0, 500, 0, 0] + [NAN] * 4)


def test_a_long_bar_does_not_know_an_hour_of_it_that_came_after_its_close(tmp_path):
    """Of four hours the second is published whole: at the bar's close, or a minute after."""
    land_hours(tmp_path, 0, 48)
    for hour in range(48, 56):
        known = {49: 52, 53: 56 + 1 / 60}.get(hour)
        land_fills(tmp_path, hour, [(20.0, "long", 500.0)], known=known)
    seen = read(tmp_path, [48, 52], width=4 * HOUR)
    np.testing.assert_array_equal(seen.long_notional, [2000.0, NAN])


def test_readings_that_came_late_are_not_used_and_the_score_does_without(tmp_path):
    land_hours(tmp_path, 0, 60, [(10.0, "long", 600.0)])
    land_fills(tmp_path, 60, [(10.0, "long", 6000.0)])
    land_context(tmp_path, 59.5, interest=100.0, rate=1e-4)
    land_context(tmp_path, 60.5, interest=90.0, rate=2e-4, known=61.5)
    land_book(tmp_path, 60.95, [(99.95, 1.0), (90.0, 1.0)], [(100.05, 1.0)], known=62)
    seen, later = (read(tmp_path, [60, 61], knowable=knowable) for knowable in (True, False))
    # The older reading still answers at 61:00; the late one never does.
    np.testing.assert_array_equal(seen.open_interest, [100.0, NAN])
    np.testing.assert_array_equal(later.open_interest, [90.0, 90.0])
    assert seen.funding_rate[0] == 1e-4
    assert seen.score[0] == pytest.approx(5 * 0.6)
    assert later.score[0] > seen.score[0]


def test_payments_tell_of_funding_if_known_in_time(tmp_path):
    land_hours(tmp_path, 0, 3)
    land_funding(tmp_path, [1e-4, 2e-4, 3e-4])
    np.testing.assert_array_equal(read(tmp_path, [0, 1]).funding_rate, [1e-4, 2e-4])


def test_hours_that_nobody_holds_and_coins_not_heard_of_are_unknown_not_0(tmp_path):
    land_hours(tmp_path, 0, 50)
    assert not read(tmp_path, [60, 61]).known.any()
    assert read(tmp_path, [48, 49]).known.all()
    assert not read(tmp_path, [48, 49], coin="BTK").known.any()


def test_rules_of_a_coin_speak_from_when_they_were_known(tmp_path):
    for hour in range(4):
        land_fills(tmp_path, hour, coin="ETH")
    land_instrument(tmp_path, 4, known=2)
    assert read(tmp_path, range(4)).known.tolist() == [False, False, True, True]


def test_a_correction_changes_no_bar_before_it(tmp_path):
    land_hours(tmp_path, 0, 49, [(10.0, "long", 600.0)], origins=[Origin("a", 1, "1")])
    before = read(tmp_path, [47, 48])
    corrected = [(10.0, "long", 600.0), (11.0, "long", 66.0)]
    land_fills(tmp_path, 48, corrected, origins=[Origin("a", 1, "2")], clock=at(55))
    same(read(tmp_path, [47, 48]), before)
    assert before.long_notional.tolist() == [600.0, 600.0]
    assert read(tmp_path, [47, 48], knowable=False).long_notional.tolist() == [600.0, 666.0]


def test_holes_between_bars_are_stepped_over(tmp_path):
    land_hours(tmp_path, 0, 44)
    for hour in range(44, 50):
        land_fills(tmp_path, hour, [(5.0, "short", 100.0 * hour)])
    assert read(tmp_path, [44, 45, 48, 49]).short_notional.tolist() == [
        4400.0,
        4500.0,
        4800.0,
        4900.0,
    ]


def test_a_bar_off_the_grid_is_an_error_that_names_it(tmp_path):
    land_hours(tmp_path, 0, 1)
    with pytest.raises(ValueError, match="2026-01-02 03:30 UTC does not lie on the grid"):
        read(tmp_path, [0, 1, 3.5])
    assert len(read(tmp_path, []).velocity) == 0


def test_nobody_else_sees_what_was_left_out(tmp_path):
    land_hours(tmp_path, 0, 4, known=9)
    con = open_lake(tmp_path)
    assert not read_flow(con, bars_of(range(4)), knowable=True).known.any()
    assert con.sql("select count(*) from fills_versions").fetchall() == [(4,)]
    assert read_flow(con, bars_of(range(4)), knowable=False).known.all()


def land_market(root, seed, last=None):
    """Land 80 hours, some of them late; with ``last`` what was known at that hour alone."""
    rng = np.random.default_rng(seed)
    with landing(root) as batches:
        _land_market(batches, rng, last)
    return root


def _land_market(root, rng, last):
    land_instrument(root, 4)
    for hour in range(80):
        late = [None, None, None, hour + 1.0, hour + 3.0, hour + 20.0][rng.integers(6)]
        forced = [
            (float(minute), str(side), float(usd))
            for minute, side, usd in zip(
                rng.uniform(0, 59, 3),
                rng.choice(["long", "short"], 3),
                rng.uniform(10, 1e4, 3).round(),
                strict=True,
            )
        ]
        read_at = hour + float(rng.uniform(0, 1))
        told = read_at + float(rng.choice([0, 0, 0.4, 2.5]))
        size = float(rng.uniform(1, 9))
        if last is None or (hour + 1.0 if late is None else late) <= last:
            land_fills(root, hour, forced, known=late)
        if last is None or told <= last:
            land_context(root, read_at, interest=size, rate=size / 1e5, known=told)
            land_book(root, read_at, [(99.95, size), (9.0, 1)], [(100.05, size)], known=told)


@pytest.mark.parametrize(("seed", "cut"), [(1, 74), (2, 77)])
def test_the_future_cannot_change_the_past(tmp_path, seed, cut):
    """A lake as it was at a close, and one that goes on, say the same up to it."""
    hours = range(65, 80)
    whole = read(land_market(tmp_path / "whole", seed), hours)
    part = read(land_market(tmp_path / "part", seed, cut), hours)
    same(part, whole, upto=cut - 65)
    known = whole.known[: cut - 65]
    assert known.any()
    assert not known.all()
    assert (~np.isnan(whole.velocity_ratio[: cut - 65])).any()
    # Who asks for all that was ever told sees the future.
    whole, part = (read(tmp_path / name, hours, knowable=False) for name in ("whole", "part"))
    with pytest.raises(AssertionError):
        same(part, whole, upto=cut - 65)


def test_where_all_is_told_in_time_it_is_what_each_close_would_answer(tmp_path):
    """The macro itself, asked with each close as its end."""
    land_hours(tmp_path, 0, 45, [(10.0, "long", 600.0), (30.0, "short", 60.0)])
    with landing(tmp_path) as batches:
        for hour in range(45, 52):
            land_fills(batches, hour, [(7.0, "long", 1000.0 * (hour - 40))])
            land_context(batches, hour + 0.9, interest=100.0 - hour, rate=1e-5 * hour)
            land_book(batches, hour + 0.95, [(99.95, 10.0), (9.0, 1)], [(100.05, 10.0)])
    bars = bars_of(range(45, 52))
    seen = read_flow(con := open_lake(tmp_path), bars, knowable=True)
    for row in range(len(bars)):
        (answer,) = con.sql(
            "select long_notional, short_notional, velocity, velocity_ratio, score_at_least, "
            "open_interest, funding_rate from liquidation_flow('BTC', $since, $until, "
            "knowable := true)",
            params={"since": as_utc(bars.start[row]), "until": as_utc(bars.end[row])},
        ).fetchall()
        found = [getattr(seen, name)[row] for name in NAMES]
        if row:  # The macro does not look for a reading before its first interval's week.
            np.testing.assert_allclose(found, np.array(answer, float), rtol=1e-12)
