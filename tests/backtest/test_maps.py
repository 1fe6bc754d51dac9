import numpy as np
import pytest

from backtest import maps as module
from backtest.maps import Maps, read_maps
from tests.backtest.small_lake import at, land_snapshot
from warehouse.catalog import open_lake
from warehouse.store import landing

NAN = float("nan")


def moment(hours):
    return np.datetime64(at(hours).replace(tzinfo=None), "us")


def read(root, hours, px, *, knowable=False, reach_pct=15.0, asked=None, coin="BTC"):
    hours = list(hours)
    return read_maps(
        open_lake(root),
        coin,
        np.ones(len(hours), bool) if asked is None else np.array(asked),
        np.array([moment(hour) for hour in hours]),
        np.broadcast_to(np.array(px, float), len(hours)),
        reach_pct=reach_pct,
        knowable=knowable,
    )


def same(one, other):
    for name in ("snapshot_ts", "short_above", "long_below", "cluster_above", "cluster_below"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


# Notional is |size| x liquidation price.
BOOK = [
    ("BTC", -1.0, 105.0),
    ("BTC", -2.0, 110.0),
    ("BTC", -4.0, 110.5),
    ("BTC", -9.0, 130.0),  # beyond 15 %
    ("BTC", 3.0, 95.0),
    ("BTC", 1.0, 90.0),
    ("BTC", 9.0, 50.0),  # beyond 15 %
    ("BTC", 5.0, None),
    ("ETH", -50.0, 104.0),
]


def test_above_and_below_are_counted_from_the_price_at_the_decision(tmp_path):
    land_snapshot(tmp_path, 0, BOOK)
    seen = read(tmp_path, [1, 2, 3], [100.0, 107.0, 92.0])
    np.testing.assert_allclose(
        seen.short_above, [105 + 220 + 442, 220 + 442, 105], err_msg="within 15 % above"
    )
    np.testing.assert_allclose(seen.long_below, [285 + 90, 285, 90])
    # The window from 110 up to 1 % holds both 110 and 110.5; of longs, 95 is the largest.
    np.testing.assert_allclose(seen.cluster_above, [110.0, 110.0, 105.0])
    np.testing.assert_allclose(seen.cluster_below, [95 * 1.01, 95 * 1.01, 90 * 1.01])
    assert (seen.snapshot_ts == moment(0)).all()
    assert seen.sources == {"reservoir"}


def test_reach_is_what_it_says(tmp_path):
    land_snapshot(tmp_path, 0, BOOK)
    seen = read(tmp_path, [1], 100.0, reach_pct=30.0)
    np.testing.assert_allclose(seen.short_above, 105 + 220 + 442 + 1170)
    np.testing.assert_allclose(seen.cluster_above, 130.0)
    with pytest.raises(ValueError, match="reach_pct"):
        read(tmp_path, [1], 100.0, reach_pct=0.0)


def test_a_cluster_that_the_price_stands_in_is_not_ahead(tmp_path):
    land_snapshot(tmp_path, 0, [("BTC", -5.0, 100.0), ("BTC", -1.0, 103.0), ("BTC", 5.0, 99.5)])
    seen = read(tmp_path, [1], 100.0)
    assert seen.cluster_above.tolist() == [103.0]
    assert np.isnan(seen.cluster_below).all()  # 99.5 to 100.495


def test_a_known_map_without_positions_is_not_an_unknown_one(tmp_path):
    land_snapshot(tmp_path, 0, [("ETH", 1.0, 50.0)])
    land_snapshot(tmp_path, 5, BOOK)  # the lake knows the coin, if not yet
    seen = read(tmp_path, [1], 100.0)
    assert seen.known.tolist() == [True]
    assert (seen.short_above.tolist(), seen.long_below.tolist()) == ([0.0], [0.0])


def test_before_the_first_snapshot_nothing_is_known(tmp_path):
    land_snapshot(tmp_path, 5, BOOK)
    seen = read(tmp_path, [4, 5], 100.0)
    assert seen.known.tolist() == [False, True]
    assert np.isnan(seen.short_above[0])
    assert read(tmp_path, [4], 100.0).known.tolist() == [False]


def test_only_what_was_published_counts_when_asked_for(tmp_path):
    land_snapshot(tmp_path, 0, [("BTC", -1.0, 105.0)], known=3)
    land_snapshot(tmp_path, 2, [("BTC", -2.0, 105.0)], known=8)
    live = read(tmp_path, range(10), 100.0)
    knowable = read(tmp_path, range(10), 100.0, knowable=True)
    np.testing.assert_allclose(live.short_above, [105.0] * 2 + [210.0] * 8)
    np.testing.assert_array_equal(knowable.known, [False] * 3 + [True] * 7)
    np.testing.assert_allclose(knowable.short_above, [NAN] * 3 + [105.0] * 5 + [210.0] * 2)


def test_decisions_that_do_not_ask_are_not_answered(tmp_path):
    land_snapshot(tmp_path, 0, BOOK)
    seen = read(tmp_path, [1, 2, 3], 100.0, asked=[False, True, False])
    assert seen.known.tolist() == [False, True, False]
    assert not read(tmp_path, [1, 2], 100.0, asked=[False, False]).known.any()


@pytest.mark.parametrize("knowable", [False, True])
def test_later_snapshots_change_no_decision(tmp_path, knowable):
    hours, px = range(1, 13), np.linspace(95.0, 106.0, 12)
    land_snapshot(tmp_path, 0, BOOK, known=1)
    land_snapshot(tmp_path, 6, [("BTC", -3.0, 108.0), ("BTC", 2.0, 97.0)], known=9)
    before = read(tmp_path, hours, px, knowable=knowable)
    land_snapshot(tmp_path, 12.5, [("BTC", -500.0, 107.0)])
    land_snapshot(tmp_path, 13, [("BTC", 900.0, 99.0)])
    if knowable:
        # A snapshot of earlier that is published later.
        land_snapshot(tmp_path, 5, [("BTC", -700.0, 107.0)], known=12.25)
    same(read(tmp_path, hours, px, knowable=knowable), before)


def test_in_pieces_or_at_once_is_the_same(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    for hour in range(0, 12, 2):
        book = [
            ("BTC", float(s), float(p))
            for s, p in zip(
                rng.choice([-2, -1, 1, 2], 20), rng.uniform(85, 115, 20), strict=True
            )
        ]
        land_snapshot(tmp_path, hour, book)
    px = rng.uniform(95, 105, 12)
    at_once = read(tmp_path, range(12), px)
    monkeypatch.setattr(module, "SNAPSHOTS_AT_ONCE", 1)
    monkeypatch.setattr(module, "MOMENTS_AT_ONCE", 5)
    same(read(tmp_path, range(12), px), at_once)
    assert np.unique(at_once.snapshot_ts).size == 6


def test_agrees_with_one_question_per_decision(tmp_path):
    """The catalog's own macros, asked the slow way."""
    rng = np.random.default_rng(11)
    for hour in (0, 3, 4):
        book = [
            ("BTC", float(s), float(p))
            for s, p in zip(
                rng.choice([-2.0, -1.0, 1.0, 2.0], 40), rng.uniform(80, 120, 40), strict=True
            )
        ]
        land_snapshot(tmp_path, hour, book, known=hour + 1)
    px = rng.uniform(95, 105, 8)
    seen = read(tmp_path, range(8), px, knowable=True)
    con = open_lake(tmp_path)
    for hour, price in enumerate(px):
        params = {"at": at(hour), "low": price * 0.85, "px": price, "high": price * 1.15}
        asked = "('BTC', $at, knowable := true)"
        above, below, ts = con.sql(
            "select sum(notional) filter (side = 'short' and liquidation_px > $px and "
            "liquidation_px <= $high), sum(notional) filter (side = 'long' and "
            "liquidation_px < $px and liquidation_px >= $low), "
            f"max(snapshot_ts)::timestamp from positions_at{asked}",
            params=params,
        ).fetchall()[0]
        if ts is None:
            assert not seen.known[hour]
            continue
        assert seen.snapshot_ts[hour] == np.datetime64(ts, "us")
        assert seen.short_above[hour] == pytest.approx(above)
        assert seen.long_below[hour] == pytest.approx(below)
        (edge,) = con.sql(
            f"select px_low from liquidation_clusters{asked} where side = 'short' and "
            "px_low > $px and px_low <= $high order by notional desc limit 1",
            params={name: params[name] for name in ("at", "px", "high")},
        ).fetchall()[0]
        assert seen.cluster_above[hour] == pytest.approx(edge)


def test_regimes_begin_and_end_where_they_say():
    n = 9
    maps = Maps.unknown(n)
    maps.short_above[:] = [100.0, 199.9, 200.0, 400.0, 400.1, 0.0, 5.0, 0.0, NAN]
    maps.long_below[:] = [100.0, 100.0, 100.0, 100.0, 100.0, 7.0, 0.0, 0.0, NAN]
    said = ["symmetric"] * 2 + ["tilted"] * 2 + ["fragile"] * 3 + ["unknown"] * 2
    assert maps.regime.tolist() == said
    maps.short_above[:], maps.long_below[:] = maps.long_below.copy(), maps.short_above.copy()
    assert maps.regime.tolist() == said


def test_the_regime_at_the_snapshots_own_price_is_that_of_the_macro(tmp_path):
    rng = np.random.default_rng(5)
    books = [
        [("BTC", -1.0, 105.0), ("BTC", 1.0, 95.0)],
        [("BTC", -1.0, 114.999), ("BTC", 3.0, 95.0)],
        [("BTC", -9.0, 105.0), ("BTC", 1.0, 95.0), ("BTC", 9.0, 70.0)],
        [("BTC", 1.0, 95.0)],
        [("BTC", 1.0, 60.0)],
    ]
    for _ in range(4):
        sides = rng.choice([-1.0, 1.0], 6)
        prices = 100 - sides * rng.uniform(1, 14, 6)
        books.append([("BTC", float(s), float(p)) for s, p in zip(sides, prices, strict=True)])
    with landing(tmp_path) as batches:
        for hour, book in enumerate(books):
            land_snapshot(batches, hour, book, mark=100.0)
    seen = read(tmp_path, range(len(books)), 100.0)
    con = open_lake(tmp_path)
    told = [
        con.sql("select regime from leverage_regime('BTC', $at)", params={"at": at(hour)})
        for hour in range(len(books))
    ]
    assert [regime.fetchall()[0][0] or "unknown" for regime in told] == seen.regime.tolist()
    assert seen.regime.tolist()[:5] == ["symmetric", "tilted", "fragile", "fragile", "unknown"]
