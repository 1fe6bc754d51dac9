from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import backtest.one_account
import backtest.prove
import backtest.replay
import backtest.tape
from backtest.prove import prove
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.terms import Terms
from tests.backtest import leaks
from tests.backtest.leaks import BREAKOUT
from tests.backtest.proving import LAST, asked, differs, proven
from tests.backtest.small_lake import (
    at,
    land_bars,
    land_book,
    land_context,
    land_funding,
    land_lake,
    walk,
)
from warehouse.contracts.tables import CANDLES
from warehouse.store import land, landing

FILTERED = AsymmetryFilter(entry=BREAKOUT, reach_pct=10.0)


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    root = land_lake(tmp_path_factory.mktemp("lake"), hours=LAST)
    land_bars(root, walk(LAST, seed=5), coin="ETH", volume=1e5)
    land_funding(root, (LAST + 1) * [1e-4], coin="ETH")
    return root


@pytest.mark.parametrize(
    "strategy",
    [
        leaks.LastBar(),
        pytest.param(leaks.Trailing(), marks=pytest.mark.slow),
        pytest.param(leaks.FundingSoFar(), marks=pytest.mark.slow),
        pytest.param(ClusterTakeProfit(entry=FILTERED), marks=pytest.mark.slow),
    ],
    ids=lambda strategy: type(strategy).__name__,
)
def test_an_honest_strategy_passes(lake, strategy):
    found = proven(lake, asked(strategy))
    assert (found.cuts, found.replays) == (2, 8)
    assert found.decisions >= 8
    assert found.trades > 0
    assert found.made_anew
    assert "2 cuts x 4 kinds" in str(found)
    assert "nothing changed" in str(found)


def test_maps_that_count_from_their_own_moment_pass_where_they_are_asked_for(lake):
    found = proven(lake, asked(FILTERED, knowable=False))
    assert "2 cuts x 3 kinds" in str(found)


def test_every_coin_is_proven_by_itself(lake):
    found = proven(lake, asked(leaks.LastBar(), coins=("BTC", "ETH")), cuts=1)
    assert (found.cuts, found.replays) == (2, 8)


def test_a_late_order_passes(lake):
    proven(lake, asked(BREAKOUT, terms=Terms(latency=np.timedelta64(90, "m"))), cuts=2)


def test_progress_is_told(lake):
    told = []
    prove(lake, asked(BREAKOUT), 1, 1, lambda *now: told.append(now))
    assert told[0] == ("BTC", 0, 4)
    assert told[-1] == ("BTC", 4, 4)


@pytest.mark.parametrize("cheat", [leaks.NextBar, leaks.Centred, leaks.DayOfFunding])
def test_a_strategy_that_looks_ahead_is_caught(lake, cheat):
    found = differs(lake, asked(cheat()))
    assert found.what == "decision"
    assert found.at <= found.cut
    assert found.expected != found.found
    assert str(found).startswith("cut 2026-01-0")
    assert f"{found.field} is {found.found}, not {found.expected}" in str(found)


@pytest.mark.slow
@pytest.mark.parametrize("kind", backtest.prove.KINDS)
@pytest.mark.parametrize("cheat", [leaks.NextBar, leaks.Centred, leaks.DayOfFunding])
def test_every_kind_of_world_catches_a_look_ahead(lake, monkeypatch, cheat, kind):
    monkeypatch.setattr(backtest.prove, "KINDS", (kind,))
    assert differs(lake, asked(cheat()), cuts=4).kind == kind


def own_bar(legs, latency, lay=backtest.replay.lay):
    """Return what lets an order fill at the open of the bar whose close decides it."""
    grid = lay(legs, latency)
    return grid._replace(decisions=np.roll(grid.decisions, -1, axis=0))


def test_a_fill_that_nobody_had_decided_yet_is_caught(lake, monkeypatch):
    monkeypatch.setattr(backtest.replay, "lay", own_bar)
    found = differs(lake, asked(BREAKOUT))
    assert (found.kind, found.what, found.field) == ("as it is", "trade", "side")


def test_a_fill_in_the_bar_that_decides_is_caught(lake, monkeypatch):
    def told(*words, replay=backtest.one_account.replay, **more):
        made = replay(*words, **more)
        made.trades["decided"] += 1
        return made

    monkeypatch.setattr(backtest.replay, "lay", own_bar)
    monkeypatch.setattr(backtest.one_account, "replay", told)
    found = differs(lake, asked(BREAKOUT))
    assert (found.kind, found.what, found.field) == ("as it is", "trade", "entry")
    assert found.expected.startswith("at or after 2026-01-0")


def test_such_a_fill_is_caught_by_the_open_that_stays(lake, monkeypatch):
    """Truncation does not see it: nothing after the close is looked at."""
    monkeypatch.setattr(backtest.replay, "lay", own_bar)
    monkeypatch.setattr(backtest.prove, "_order", lambda *_: None)
    found = differs(lake, asked(BREAKOUT), cuts=4)
    assert (found.kind, found.what) == ("scrambled within a bar", "trade")


def test_a_replay_that_hides_when_it_decided_is_caught(lake, monkeypatch):
    """Orders are moved to the bar before, as if its close had known."""

    def earlier(self, decisions, leg=backtest.tape.Tape.leg):
        orders = np.roll(decisions.orders, -1)
        return leg(self, replace(decisions, orders=orders))

    monkeypatch.setattr(backtest.tape.Tape, "leg", earlier)
    assert differs(lake, asked(BREAKOUT)).what == "decision"


def unlagged(*words, read=backtest.tape.read_maps, **more):
    return read(*words, **more | {"knowable": False})


def test_a_map_that_was_not_published_yet_is_caught(lake, monkeypatch):
    monkeypatch.setattr(backtest.tape, "read_maps", unlagged)
    found = differs(lake, asked(FILTERED))
    assert (found.kind, found.what, found.field) == ("as it is", "decision", "known_ts")
    assert "at or before" in found.expected


@pytest.mark.slow
@pytest.mark.parametrize("kind", backtest.prove.KINDS)
def test_such_a_map_is_caught_by_cutting_too(lake, monkeypatch, kind):
    monkeypatch.setattr(backtest.prove, "KINDS", (kind,))
    monkeypatch.setattr(backtest.tape, "read_maps", unlagged)
    monkeypatch.setattr(backtest.prove, "_order", lambda *_: None)
    found = differs(lake, asked(FILTERED), cuts=6)
    assert (found.kind, found.what) == (kind, "decision")


def test_funding_that_knows_its_day_is_caught(lake, monkeypatch):
    """Each hour is charged the mean of its whole day."""

    def smeared(lake, bars, fine, load=backtest.tape.load_funding):
        funding = load(lake, bars, fine)
        day = (bars.start.astype("datetime64[D]")).astype(int)
        day -= day[0]
        mean = np.bincount(day, weights=funding.rate) / np.bincount(day)
        return funding._replace(rate=mean[day])

    monkeypatch.setattr(backtest.tape, "load_funding", smeared)
    found = differs(lake, asked(BREAKOUT), cuts=6)
    assert (found.what, found.field) in {("equity", "equity"), ("trade", "funding")}


def test_a_world_that_cannot_be_played_is_a_difference(lake, monkeypatch):
    played = []

    def once(*words, play=backtest.prove.play):
        if played:
            raise LookupError("no such bars")
        played.append(words)
        return play(*words)

    monkeypatch.setattr(backtest.prove, "play", once)
    found = differs(lake, asked(BREAKOUT))
    assert (found.what, found.field, found.found) == ("replay", "error", "no such bars")


def test_what_does_not_follow_the_market_is_not_called_proven_without_a_word(lake, monkeypatch):
    monkeypatch.setattr(np, "kept_by_a_leak", None, raising=False)
    monkeypatch.delattr(np, "kept_by_a_leak")
    found = prove(lake, asked(leaks.Elsewhere()), 1, 1)
    monkeypatch.delattr(np, "kept_by_a_leak", raising=False)
    assert (found.difference, found.entries_moved) == (None, False)
    assert "nothing here shows that it did not look ahead" in str(found)
    honest = prove(lake, asked(leaks.LastBar()), 1, 1)
    assert honest.entries_moved is True
    assert "nothing changed. Of 25 entries 1 were followed at once by" in str(honest)


def test_no_cut_proves_nothing(lake):
    with pytest.raises(ValueError, match="cuts 0 must be 1 or more"):
        prove(lake, asked(BREAKOUT), 0)


def test_the_lake_is_left_as_it_was(lake):
    before = {path: path.read_bytes() for path in lake.rglob("*") if path.is_file()}
    proven(lake, asked(BREAKOUT), cuts=1)
    assert {path: path.read_bytes() for path in lake.rglob("*") if path.is_file()} == before


def quarters(hours, seed):
    """Return bars of a quarter of an hour, and the hourly bars that they make up."""
    fine = walk(4 * hours, seed)
    coarse = [
        (some[0][0], max(bar[1] for bar in some), min(bar[2] for bar in some), some[-1][3])
        for some in (fine[n : n + 4] for n in range(0, 4 * hours, 4))
    ]
    return fine, coarse


@pytest.fixture(scope="module")
def drilled(tmp_path_factory):
    """A lake of another venue's bars and finer ones; a book and a context each hour."""
    root = tmp_path_factory.mktemp("drilled")
    fine, coarse = quarters(LAST, 3)
    land_bars(root, coarse, venue="binance", source="market", volume=1e5)
    land_bars(root, coarse, volume=1e5, source="few")
    rows = [
        {
            "venue": "binance",
            "coin": "BTC",
            "interval": "15m",
            "start_ts": at(number / 4),
            **dict(zip(("open_px", "high_px", "low_px", "close_px"), bar, strict=True)),
            "volume": 1e4,
            "source": "market",
            "known_ts": at(number / 4 + 48),
        }
        for number, bar in enumerate(fine)
    ]
    land(root, CANDLES, pa.Table.from_pylist(rows, CANDLES.schema), "quarters")
    land_funding(root, (LAST + 1) * [1e-4], late_ms=497)
    with landing(root) as batches:
        for hour in range(LAST):
            px = coarse[hour][0]
            land_book(batches, hour, [(px * 0.999, 50.0)], [(px * 1.001, 50.0)])
            land_context(batches, hour + 0.5, oracle=px, volume=1e7, interest=1e4)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("latency", [0, 20, 75])
def test_finer_bars_books_and_payments_off_the_hour_pass(drilled, latency):
    strategy = Breakout(lookback=6, stop_pct=0.6, target_pct=0.6, max_bars=5)
    terms = Terms(latency=np.timedelta64(latency, "m"))
    found = proven(drilled, asked(strategy, terms=terms, venue="binance"), cuts=4)
    assert found.trades > 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["limit", "stop"])
def test_resting_orders_of_a_share_of_volume_and_holes_pass(tmp_path, kind):
    bars = walk(LAST)
    for hour in (20, 21, 40, 55):
        bars[hour] = None
    land_bars(tmp_path, bars, volume=40.0)
    land_funding(tmp_path, (LAST + 1) * [1e-4])
    found = proven(tmp_path, asked(leaks.Resting(kind=kind), terms=Terms(limit="share")))
    assert found.trades > 20
