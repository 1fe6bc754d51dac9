"""A search: the same figures whichever way, and whole chunks whenever it ends."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from backtest.daily import daily_of
from backtest.maps import Maps
from backtest.search.asked import Search
from backtest.search.keep import parts_there, search
from backtest.search.legs import warmup_of
from backtest.search.remembered import Remembered
from backtest.search.spread import in_threads
from backtest.search.table import read_table
from backtest.search.tapes import TAPES, Tapes
from backtest.search.work import whole, work
from backtest.strategies.regime_stops import RegimeStops
from backtest.study import play
from backtest.tape import load_tape
from tests.backtest.data_search import (
    ENTRY,
    asked,
    one_by_one,
    question,
    tape_of,
    trials,
    two_coins,
)
from tests.backtest.small_lake import (
    HOURS,
    at,
    land_bars,
    land_funding,
    land_instrument,
    land_lake,
    walk,
)
from warehouse import open_lake
from warehouse.store.compaction import compact


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return two_coins(tmp_path_factory.mktemp("lake"))


@pytest.fixture(autouse=True)
def code(monkeypatch):
    """The code that runs, whoever edits it meanwhile."""
    monkeypatch.setattr("backtest.search.keep.code_hash", lambda: "as it is")


def test_a_search_tells_of_each_setting_what_a_study_of_it_tells(lake):
    words = ("stop_pct=0.5,2", "min_ratio=1,2")
    (chunk,) = asked(*words, chunk=50).chunks(lake, "a")
    _, rows = work(chunk)
    assert rows.num_rows == 4 == len(set(rows["trial_id"].to_pylist()))
    with open_lake(lake) as con:
        for strategy, row in zip(chunk.strategies, rows.to_pylist(), strict=True):
            (own,) = play(con, question(strategy)).of("pessimistic")
            daily = whole(daily_of([(own.bars, own.replay)]), chunk.spans[0].day)
            np.testing.assert_allclose(row["daily"], daily.returns, atol=1e-12)
            assert row["trades"] == len(own.replay)
            assert row["sharpe"] == pytest.approx(daily.sharpe)
    assert sum(rows["trades"].to_pylist()) > 20


def test_a_search_goes_on_where_it_was_ended(tmp_path):
    lake = str(land_lake(tmp_path))
    whole_search = asked()
    told = []

    def stop(done, total):
        told.append((done, total))
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(lake, whole_search, spread=one_by_one, progress=stop)
    assert told == [(0, 12), (5, 12), (10, 12)]
    assert len(trials(lake)) == 10
    worked = []

    def watched(function, items):
        for item in items:
            worked.append(item.number)
            yield function(item)

    kept = search(lake, whole_search, spread=watched, progress=lambda *at: told.append(at))
    assert (worked, kept.found, kept.trials, kept.settings) == ([2], 10, 12, 12)
    assert told[3:] == [(10, 12), (12, 12)]
    rows = trials(lake)
    again = search(lake, whole_search)
    assert (again.found, again.sweep_id) == (12, kept.sweep_id)
    assert trials(lake).equals(rows)


def test_a_search_of_other_rows_code_or_settings_is_another(tmp_path, monkeypatch):
    lake = str(land_lake(tmp_path))
    first = search(lake, asked("breakout.stop_pct=1,2"))
    assert search(lake, asked("breakout.stop_pct=1,2")).found == 2
    assert search(lake, asked("breakout.stop_pct=1,3")).found == 0
    land_instrument(lake, 5)
    other = search(lake, asked("breakout.stop_pct=1,2"))
    assert (other.found, other.sweep_id != first.sweep_id) == (0, True)
    # The same setting is the same trial, however often and on whatever rows it was tried.
    rows = trials(lake)
    assert (len(rows), rows["trial_id"].n_unique()) == (6, 3)
    monkeypatch.setattr("backtest.search.keep.code_hash", lambda: "another")
    assert search(lake, asked("breakout.stop_pct=1,2")).found == 0


def test_progress_counts_trials_of_all_coins_and_periods(lake, monkeypatch):
    monkeypatch.setattr("backtest.search.asked.CHUNKS", 1)
    both = asked("stop_pct=1,2,3", strategy=ENTRY, coins=("BTC", "ETH"))
    for chunk, steps in ((2, [0, 2, 3, 5, 6]), (6, [0, 6])):
        told = []
        wanted = replace(both, chunk=chunk)
        search(lake, wanted, spread=one_by_one, progress=lambda *at, told=told: told.append(at))
        assert told == [(done, 6) for done in steps]


def test_a_chunk_of_which_a_month_is_lost_is_done_again(tmp_path, monkeypatch):
    """Each month is a part of its own, and all of them are landed in one step."""
    monkeypatch.setattr("backtest.search.asked.CHUNKS", 1)
    lake = str(land_lake(tmp_path))
    one = asked("stop_pct=1,2", strategy=ENTRY, chunk=None, by="month")
    months = [(at(12), at(100)), (at(100), at(HOURS))]
    monkeypatch.setattr(Search, "periods", property(lambda _: months))
    kept = search(lake, one)
    rows = trials(lake)
    assert (kept.trials, search(lake, one).found) == (4, 4)
    there = parts_there(lake)
    assert [str(day) for day, _ in sorted(there)] == ["2026-01-02", "2026-01-06"]
    assert len({part for _, part in there}) == 1
    lost = {key for key in there if str(key[0]) == "2026-01-06"}
    monkeypatch.setattr("backtest.search.keep.parts_there", lambda lake: there - lost)
    assert search(lake, one).found == 0
    assert trials(lake).equals(rows)


@pytest.mark.slow
def test_threads_change_nothing(tmp_path):
    one, two = str(land_lake(tmp_path / "one")), str(land_lake(tmp_path / "two"))
    three = asked("stop_pct=1,2,3", chunk=1)
    search(one, three, spread=one_by_one)
    search(two, three, spread=in_threads)
    assert trials(one).equals(trials(two))


def test_months_coins_and_settings_are_trials_each(lake):
    months = asked("stop_pct=1,2", strategy=ENTRY, by="month", coins=("BTC", "ETH"))
    months = replace(
        months, question=replace(months.question, since=datetime(2026, 1, 5, tzinfo=UTC))
    )
    later = replace(months.question, until=datetime(2026, 3, 2, tzinfo=UTC))
    assert [str(since.date()) for since, _ in replace(months, question=later).periods] == [
        "2026-01-05",
        "2026-02-01",
        "2026-03-01",
    ]
    kept = search(lake, months)
    assert (kept.settings, kept.trials) == (2, 4)
    with open_lake(lake) as con:
        table = read_table(con, months, kept.sweep_id)
        alone = [
            play(
                con,
                replace(months.question, coins=(coin,), strategy=replace(ENTRY, stop_pct=2.0)),
            )
            for coin in ("BTC", "ETH")
        ]
    both = daily_of([(run.bars, run.replay) for one in alone for run in one.of("pessimistic")])
    np.testing.assert_allclose(table.daily[:, 1], both.returns, atol=1e-12)
    assert table.trades[1] == sum(len(one.of("pessimistic")[0].replay) for one in alone)
    assert table.best in (0, 1)


def test_a_trial_that_is_lost_is_missed(lake):
    one = asked("stop_pct=1,2", strategy=ENTRY)
    with open_lake(lake) as con, pytest.raises(LookupError, match="not all in the lake"):
        read_table(con, one, "another")


@pytest.mark.parametrize("spread", [in_threads, one_by_one])
@pytest.mark.parametrize("chunk", [1, None])
def test_a_search_that_lacks_anything_tries_nothing_and_says_all_that_it_lacks(
    tmp_path, monkeypatch, spread, chunk
):
    """BTC is whole, ETH has no funding from its 150th hour on, DOGE has no bars."""
    lake = str(land_lake(tmp_path))
    land_bars(lake, walk(seed=5), coin="ETH", volume=1e5)
    land_funding(lake, [1e-5] * 150, coin="ETH")
    monkeypatch.setattr("backtest.search.asked.CHUNKS", 1)
    three = asked("stop_pct=1,2", strategy=ENTRY, coins=("BTC", "ETH", "DOGE"), chunk=chunk)
    with pytest.raises(LookupError) as raised:
        search(lake, three, spread=spread)
    said = str(raised.value)
    assert said.startswith(
        "nothing was tried, for 2 of 3 tapes are not whole: no funding of ETH"
    )
    assert "2026-01-08 06:00 UTC and 49 more hours" in said
    assert "; no 1h candles of DOGE from" in said
    assert "\n" not in said
    assert parts_there(lake) == set()
    assert search(lake, replace(three, question=question(ENTRY))).trials == 2


def test_slippage_that_is_not_known_is_lacking_where_an_order_may_fill(tmp_path):
    """In the first day of a lake the law knows no volume yet: who enters there cannot fill."""
    lake = str(land_lake(tmp_path))
    at_once = {"since": at(0), "until": at(HOURS)}
    early = asked("lookback=2,40", strategy=ENTRY, **at_once)
    with pytest.raises(LookupError, match=r"1 of 1 tapes .* slippage of BTC is not known"):
        search(lake, early)
    assert parts_there(lake) == set()
    late = asked("lookback=40,60", strategy=ENTRY, **at_once)
    assert search(lake, late).trials == 2


def test_a_tape_is_read_once_in_a_process_and_the_oldest_are_forgotten(lake, monkeypatch):
    reads = []

    def counted(con, coin, *rest, **more):
        reads.append(coin)
        return load_tape(con, coin, *rest, **more)

    monkeypatch.setattr("backtest.search.tapes.load_tape", counted)
    both = asked("stop_pct=1,2,3", strategy=ENTRY, coins=("BTC", "ETH"), chunk=1)
    TAPES.clear()
    chunks = list(both.chunks(lake, "once"))
    told = [rows for _, rows in in_threads(work, chunks, threads=4)]
    assert (len(told), sorted(reads)) == (6, ["BTC", "ETH"])
    # Another search may be one of other rows, and another period is another tape.
    work(next(both.chunks(lake, "another")))
    later = replace(both, question=replace(both.question, since=at(20)))
    work(next(later.chunks(lake, "once")))
    assert sorted(reads) == ["BTC", "BTC", "BTC", "ETH"]
    small = Tapes(most_bytes=1)
    for coin in ("BTC", "BTC", "ETH", "ETH", "BTC"):
        small.of(lake, "small", question(ENTRY, coins=(coin,)), 6)
    assert reads[4:] == ["BTC", "ETH", "BTC"]
    TAPES.clear()


def test_a_warm_up_that_is_cut_is_that_which_would_have_been_read(lake):
    """Lookback 4 and 8 are read with the longer warm-up; both are as if read alone."""
    (chunk,) = asked("lookback=4,8,20", strategy=ENTRY, chunk=50).chunks(lake, "a")
    assert [warmup_of(one) for one in chunk.strategies] == [4, 8, 20]
    _, rows = work(chunk)
    with open_lake(lake) as con:
        for strategy, trades in zip(chunk.strategies, rows["trades"].to_pylist(), strict=True):
            (own,) = play(con, question(strategy)).of("pessimistic")
            assert trades == len(own.replay)


def test_settings_that_the_rule_refuses_are_left_out_and_values_it_never_takes_are_errors():
    stops = RegimeStops(entry=ENTRY)
    grid = asked("symmetric_pct=1,3", "tilted_pct=1,2", "fragile_pct=1", strategy=stops)
    assert (grid.count, grid.settings) == (4, [(1, 1, 1), (3, 1, 1), (3, 2, 1)])
    with pytest.raises(ValueError, match=r"breakout.lookback=0: lookback 0 must be 1 bar"):
        asked("lookback=0,5", strategy=ENTRY).settings  # noqa: B018
    drawn = asked("lookback=-3..5", strategy=ENTRY, draws=50)
    assert {back for (back,) in drawn.settings} == {1, 2, 3, 4, 5}
    with pytest.raises(ValueError, match="must be above 0"):
        asked("stop_pct=-3..-1", strategy=ENTRY, draws=5).settings  # noqa: B018


def test_a_map_is_read_once_a_close_and_says_the_same(lake, monkeypatch):
    with open_lake(lake) as con:
        tape = tape_of(con)
        told = Remembered(tape)
        n = len(tape.bars)
        closes, px = tape.bars.end, tape.bars.close_px
        rng = np.random.default_rng(1)
        some, more = rng.random(n) < 0.2, rng.random(n) < 0.4
        reads = []
        honest = type(tape).read_maps

        def counted(self, asked, *rest):
            reads.append(asked.copy())
            return honest(self, asked, *rest)

        monkeypatch.setattr(type(tape), "read_maps", counted)
        for asked_now in (some, more, some & more):
            mine = told(asked_now, closes, px, 10.0)
            theirs = honest(tape, asked_now, closes, px, 10.0)
            for field in fields(Maps):
                if field.name != "sources":
                    np.testing.assert_array_equal(
                        getattr(mine, field.name), getattr(theirs, field.name)
                    )
            assert mine.sources == theirs.sources == {"reservoir"}
        assert [one.sum() for one in reads] == [some.sum(), (more & ~some).sum()]
        # Another reach or price is another question.
        told(some, closes, px, 5.0)
        away = told(some, closes, px * 1.1, 10.0)
        assert len(reads) == 4
        expected = honest(tape, some, closes, px * 1.1, 10.0)
        np.testing.assert_array_equal(away.long_below, expected.long_below)


def test_made_up_rows_make_made_up_trials(tmp_path):
    root = land_lake(tmp_path, source="simulated")
    search(str(root), asked("stop_pct=1,2", strategy=ENTRY))
    assert set(trials(str(root))["source"]) == {"simulated"}


def test_trials_that_were_compacted_are_there(tmp_path, monkeypatch):
    lake = str(land_lake(tmp_path))
    three = asked("stop_pct=1,2,3", strategy=ENTRY, chunk=2)
    with monkeypatch.context() as patch:
        patch.setattr("backtest.search.keep.code_hash", lambda: "before")
        search(lake, three)  # the same trials of another search lie beside them
    kept = search(lake, three)
    with open_lake(lake) as con:
        before = read_table(con, three, kept.sweep_id)
    compact(lake, datetime(2027, 1, 1, tzinfo=UTC), grace=timedelta(0))
    assert len(list(tmp_path.glob("backtest_trials/*/*.parquet"))) == 1
    again = search(lake, three)
    assert (again.sweep_id, again.found) == (kept.sweep_id, 3)
    with open_lake(lake) as con:
        np.testing.assert_array_equal(read_table(con, three, kept.sweep_id).daily, before.daily)
