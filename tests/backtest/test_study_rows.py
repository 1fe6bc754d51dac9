"""A study reads the rows that its question allows, and says which they were."""

import numpy as np

from backtest.strategies.cascade_follow import CascadeFollow
from backtest.strategies.strategy import WITHOUT_MAP
from tests.backtest.data_studies import ENTRY, FILTER, only, replayed
from tests.backtest.small_lake import (
    HOURS,
    VOLUME,
    book,
    land_bars,
    land_fills,
    land_funding,
    land_lake,
    land_snapshot,
    walk,
)


def test_simulated_rows_make_simulated_runs(tmp_path):
    root = land_lake(tmp_path, source="simulated")
    assert {run.source for run in replayed(root).runs} == {"simulated"}


def test_a_simulated_map_taints_only_who_reads_it(tmp_path):
    land_bars(tmp_path, walk(), volume=VOLUME)
    land_funding(tmp_path, [0.0] * (HOURS + 1))
    land_snapshot(tmp_path, 0, book(np.random.default_rng(1), 100.0), source="simulated")
    played = replayed(tmp_path)
    for run in played.runs:
        assert (run.source == "simulated") == (run.strategy.variant != WITHOUT_MAP)
    assert any("rows of simulated: simulated rows are mixed" in n for n in played.notes)


def test_finer_bars_are_drilled_into_where_the_lake_holds_them(tmp_path):
    root = land_lake(tmp_path)
    quarters = [bar for bar in walk() for bar in quartered(bar)]
    land_bars(root, quarters, interval="15m", volume=VOLUME / 4)
    played = replayed(root, ENTRY)
    assert [run.replay.bound for run in played.own] == ["pessimistic", "optimistic", "drilled"]
    assert len(played.tapes[0].fine) == 4 * (HOURS - 6)


def test_bars_that_others_do_not_lie_within_are_not_drilled_into(tmp_path):
    """Half hours hold quarters and no thirds, though thirds are finer too."""
    lengths = {"30m": 2, "20m": 3}
    for interval, many in lengths.items():
        bars = [bar for whole in walk() for bar in [whole[:1] * 4] * many]
        land_bars(tmp_path, bars, interval=interval, volume=VOLUME / many)
    land_funding(tmp_path, [0.0] * (HOURS + 1))
    assert replayed(tmp_path, ENTRY, interval="30m").tapes[0].fine is None


def test_of_several_coins_the_one_without_finer_bars_is_in_the_drilled_reading_too(tmp_path):
    root = land_lake(tmp_path)
    land_bars(root, [quarter for bar in walk() for quarter in quartered(bar)], interval="15m")
    land_bars(root, walk(seed=5), coin="ETH", volume=VOLUME)
    land_funding(root, [0.0] * (HOURS + 1), coin="ETH")
    both = replayed(root, FILTER, coins=("BTC", "ETH"))
    for base in (False, True):
        drilled = both.of("drilled", base=base)
        assert [run.coin for run in drilled] == ["BTC", "ETH"]
        assert [run.replay.bound for run in drilled] == ["drilled", "pessimistic"]
        assert drilled[1] is both.of("pessimistic", base=base)[1]


def quartered(bar):
    """Four bars that add up to one: to its low, to its high, and to its close."""
    open_px, high, low, close = bar
    legs = [(open_px, low), (low, high), (high, close), (close, close)]
    return [(a, max(a, b), min(a, b), b) for a, b in legs]


def test_coins_have_accounts_of_their_own(tmp_path):
    root = land_lake(tmp_path)
    land_bars(root, [bar[::1] for bar in walk(seed=5)], coin="ETH", volume=VOLUME)
    land_funding(root, [0.0] * (HOURS + 1), coin="ETH")
    both = replayed(root, ENTRY, coins=("BTC", "ETH"))
    alone = replayed(root, ENTRY, coins=("ETH",))
    assert [run.coin for run in both.of("pessimistic")] == ["BTC", "ETH"]
    assert both.of("pessimistic")[1].run_id == only(alone).run_id


def test_flow_may_be_heard_live_while_maps_wait_for_their_archive(tmp_path):
    """Fills of an archive, published two hours late: known live, not as published."""
    root = land_lake(tmp_path)
    forced = [(minute, "long", 5e4) for minute in range(0, 60, 6)]
    for hour in range(HOURS):
        land_fills(root, hour, forced if hour % 40 == 39 else (), known=hour + 3)
    rule = CascadeFollow(min_score=0.0, min_notional=1.0, min_move_pct=0.01)
    late, live = (replayed(root, rule, live_flow=one) for one in (False, True))
    wanted = only(late).decisions
    assert (wanted.unmapped == (wanted.wanted != 0)).all()
    assert not only(live).decisions.unmapped.all()
    assert (only(live).decisions.side != 0).any()
    assert any("fills and contexts count as heard live" in note for note in live.notes)
    assert not any("fills and contexts count" in note for note in late.notes)
    assert any("--live-flow counts them" in note for note in late.notes)
