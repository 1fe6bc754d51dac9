"""Chunks of a search: how many coins, periods and settings are worked and landed at once."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from backtest.search.keep import search
from backtest.strategies.regime_stops import RegimeStops
from backtest.terms import Costs, Terms
from tests.backtest.data_search import ENTRY, asked, trials, two_coins


def many(*words, strategy=ENTRY, chunk=None, **more):
    """Two coins and eight months: sixteen spans."""
    both = asked(*words, strategy=strategy, coins=("BTC", "ETH"), chunk=chunk, by="month")
    period = {
        "since": datetime(2025, 8, 1, tzinfo=UTC),
        "until": datetime(2026, 4, 1, tzinfo=UTC),
    }
    return replace(both, question=replace(both.question, **period, **more))


@pytest.mark.parametrize(
    ("chunk", "sizes"),
    [(None, [4] * 8), (4, [4] * 8), (3, [2] * 16), (1, [1] * 32), (1000, [4] * 8)],
)
def test_a_chunk_takes_several_coins_and_periods_and_a_search_falls_into_eight_at_least(
    chunk, sizes
):
    """Of sixteen spans two go together, of eight none: there is work to do side by side."""
    wanted = many("stop_pct=1,2", chunk=chunk)
    chunks = list(wanted.chunks("lake", "a"))
    assert [one.trials for one in chunks] == sizes
    tried = [(span, values) for one in chunks for span in one.spans for values in one.settings]
    assert sorted(tried, key=str) == sorted(
        ((span, values) for span in wanted.spans for values in wanted.settings), key=str
    )
    assert [one.number for one in chunks] == list(range(len(chunks)))
    fewer = replace(wanted, question=replace(wanted.question, coins=("BTC",)))
    assert {len(one.spans) for one in fewer.chunks("lake", "a")} == {1}


def test_a_chunk_holds_no_more_bars_than_one_launch_is_given(monkeypatch):
    """Counted once for each rule that decides: of lookbacks two, of stops one."""
    monkeypatch.setattr("backtest.search.asked.CHUNKS", 1)
    month = 31 * 24 + ENTRY.warmup
    for words, most, of_each in (
        (("stop_pct=1,2",), 16 * month, [32]),
        (("stop_pct=1,2",), 3 * month, [6, 6, 6, 6, 6, 2]),
        (("lookback=5,6",), 6 * month, [6, 6, 6, 6, 6, 2]),
        (("lookback=5,6",), 1, [2] * 16),
    ):
        monkeypatch.setattr("backtest.search.asked.BARS_AT_ONCE", most)
        assert [one.trials for one in many(*words).chunks("lake", "a")] == of_each


def test_what_is_replayed_goes_by_one_coin_and_period(monkeypatch):
    monkeypatch.setattr("backtest.search.asked.CHUNKS", 1)
    chunks = list(many("stop_pct=1,2", strategy=RegimeStops(entry=ENTRY)).chunks("lake", "a"))
    assert [(one.trials, len(one.spans)) for one in chunks] == [(2, 1)] * 16


def test_rules_that_are_replayed_are_worked_in_smaller_chunks():
    stops = RegimeStops(entry=ENTRY)
    sizes = [asked("stop_pct=1,2", strategy=one, chunk=None).size for one in (ENTRY, stops)]
    assert sizes == [1_000, 100]
    late = Terms(latency=np.timedelta64(1_000_000, "us"))
    free = Terms(Costs(funding="none"))
    sizes = [
        asked("stop_pct=1,2", strategy=ENTRY, chunk=None, terms=terms, interval=interval).size
        for terms, interval in ((late, "1h"), (Terms(), "4h"), (free, "4h"), (Terms(), "1m"))
    ]
    assert sizes == [100, 100, 1_000, 1_000]
    assert asked("stop_pct=1,2", strategy=ENTRY, chunk=7).size == 7
    with pytest.raises(ValueError, match="chunk 0 must be 1 trial or more"):
        asked("stop_pct=1,2", strategy=ENTRY, chunk=0)


def test_chunks_of_any_size_find_the_same(tmp_path):
    words = ("stop_pct=1,2", "lookback=4,9")
    rows = []
    for name, chunk in (("one", 1), ("some", 5), ("all", None)):
        root = two_coins(tmp_path / name)
        search(root, asked(*words, coins=("BTC", "ETH"), chunk=chunk))
        rows.append(trials(root).drop("sweep_id"))
    assert len(rows[0]) == 8
    assert rows[0].equals(rows[1])
    assert rows[0].equals(rows[2])
