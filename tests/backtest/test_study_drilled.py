"""A study drills into the venue's trades where they make up its bars, and says where."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import backtest.proof.cut_lake
import backtest.prove
from backtest.cli import backtest as command
from backtest.drill import Drill
from backtest.proof.worlds import KINDS, OPENED, SCRAMBLED, TRUNCATED
from backtest.prove import prove
from backtest.question import Question
from backtest.strategies.breakout import Breakout
from backtest.study import play
from backtest.terms import Costs, Terms
from tests.backtest.small_lake import at, land_bars, land_funding
from tests.backtest.traded import HOUR, joined, land_trades, wander
from warehouse import open_lake

HOURS = 60
LOST = (20, 31)  # no fills are held of these hours
LATE = 48.0  # hours until fills are published
RULE = Breakout(lookback=6, stop_pct=0.5, target_pct=0.5, max_bars=5)
FREE = Terms(Costs(slippage="none"))
TRADES = wander(HOURS)
FUTURES = (TRUNCATED, SCRAMBLED, OPENED)  # worlds in which the future is another
THREE = ["pessimistic", "optimistic", "drilled"]


def landed(root, trades=TRADES, lost=LOST, **more):
    """Hourly bars of all trades, and fills of those not ``lost``."""
    bars, volumes = joined(TRADES, HOURS)
    land_bars(root, bars, volume=volumes, **more)
    land_funding(root, [1e-4] * (HOURS + 1))
    held = [one for one in trades if int(one[0] // HOUR) not in lost]
    if held:
        land_trades(root, held, late=LATE)
    return root


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return landed(tmp_path_factory.mktemp("lake"))


def asked(**more):
    said = {"coins": ("BTC",), "since": at(6), "until": at(HOURS), "terms": FREE}
    return Question(strategy=RULE, **said | more)


def replayed(root, **more):
    with open_lake(root) as con:
        return play(con, asked(**more))


def bounds(played):
    return [run.replay.bound for run in played.own]


def drill_notes(played):
    return [said for said in played.notes if "drilled into" in said]


def test_bars_that_their_trades_make_up_are_drilled_into(lake):
    played = replayed(lake)
    assert bounds(played) == THREE
    pessimistic, optimistic, drilled = (run.replay for run in played.own)
    ends = [one.equity[-1] for one in (pessimistic, drilled, optimistic)]
    assert ends[0] < ends[1] < ends[2]
    assert pessimistic.trades["ambiguous"].any()
    assert not drilled.trades["ambiguous"].any()
    told = played.own[0].drilled
    assert (told.silent, told.unlike) == (1, 0)
    assert drill_notes(played) == [
        f"BTC: {told.made} of {told.made + 1} bars in which something happened were drilled "
        "into, by the second, from the venue's trades; not the others: of 1 it holds no trade."
    ]
    hours = (told.seconds.start - played.tapes[0].period.start[0]) // np.timedelta64(1, "h")
    assert len(set(hours.tolist())) == told.made < HOURS - 6


def test_it_is_what_happened_and_not_what_was_known(lake):
    """Fills of archives come days late, and what happened stays what happened."""
    known, at_once = replayed(lake), replayed(lake, knowable=False)
    assert known.own[2].replay.trades.tobytes() == at_once.own[2].replay.trades.tobytes()


@pytest.mark.parametrize(
    ("lost", "trades", "notes"),
    [
        (range(HOURS), TRADES, 0),
        ((), [(second, 2 * px, size) for second, px, size in TRADES], 1),
    ],
    ids=["no fills", "fills at other prices"],
)
def test_where_no_bar_can_be_drilled_into_there_is_no_such_reading(
    tmp_path, lake, lost, trades, notes
):
    played = replayed(landed(tmp_path, trades, lost))
    assert bounds(played) == THREE[:2]
    assert len(drill_notes(played)) == notes
    assert all("BTC: 0 of" in said and "do not make up" in said for said in drill_notes(played))
    for one, other in zip(played.own, replayed(lake).own, strict=False):
        assert one.replay.trades.tobytes() == other.replay.trades.tobytes()


def test_of_another_venue_no_trades_are_held(tmp_path):
    played = replayed(landed(tmp_path, venue="binance"))
    assert bounds(played) == THREE[:2]
    assert drill_notes(played) == []


def test_runs_that_other_trades_told_of_have_other_names(tmp_path, lake):
    """Of each hour two blocks come in the other order: the bars stay as they are."""
    names = {run.run_id for run in replayed(lake).own}
    turned = [(second, *TRADES[place][1:]) for place, (second, *_) in _turned()]
    other = replayed(landed(tmp_path, turned))
    assert bounds(other) == THREE
    assert names.isdisjoint(run.run_id for run in other.own)
    for one, two in zip(replayed(lake).own[:2], other.own[:2], strict=True):
        assert one.replay.trades.tobytes() == two.replay.trades.tobytes()


def _turned():
    """Trades with the second and the third moment of each hour exchanged."""
    order = []
    for hour in range(HOURS):
        here = [n for n, one in enumerate(TRADES) if int(one[0] // HOUR) == hour]
        moments = sorted({TRADES[n][0] for n in here})
        swap = {moments[1]: moments[2], moments[2]: moments[1]}
        order += [(n, (swap.get(TRADES[n][0], TRADES[n][0]), None)) for n in here]
    return sorted(order, key=lambda one: one[1][0])


def proven(lake, **more):
    return prove(lake, asked(**more), 3, 1)


@pytest.mark.parametrize(
    "more",
    [
        {},
        pytest.param({"knowable": False}, marks=pytest.mark.slow),
        pytest.param(
            {"terms": replace(FREE, latency=np.timedelta64(90, "m"))}, marks=pytest.mark.slow
        ),
    ],
    ids=["knowable", "at once", "a late order"],
)
def test_trades_beneath_the_bars_stand_the_proof(lake, more):
    found = proven(lake, **more)
    assert found.difference is None, str(found)
    assert found.trades > 10


def test_a_proof_that_hides_late_trades_would_fail_it(lake, monkeypatch):
    """The planted fault: fills as if a replay waited for their publication."""
    history = tuple(name for name in backtest.proof.cut_lake.HISTORY if name != "fills")
    monkeypatch.setattr(backtest.proof.cut_lake, "HISTORY", history)
    monkeypatch.delitem(backtest.proof.cut_lake.TOLD, "fills")
    found = proven(lake).difference
    assert found is not None
    assert found.bound == "drilled"


@pytest.mark.parametrize(
    "kinds",
    [KINDS, *(pytest.param((one,), marks=pytest.mark.slow) for one in FUTURES)],
    ids=["any", *FUTURES],
)
def test_a_drill_that_reads_past_the_bar_is_caught(lake, monkeypatch, kinds):
    """The planted leak: a bar is walked by the seconds of the bar after it."""

    def ahead(drill, wanted, read=Drill.read):
        told = read(drill, np.append(False, wanted[:-1]))
        width = np.timedelta64(1, "h")
        return told._replace(seconds=replace(told.seconds, start=told.seconds.start - width))

    monkeypatch.setattr(Drill, "read", ahead)
    monkeypatch.setattr(backtest.prove, "KINDS", kinds)
    found = prove(lake, asked(), 3 if kinds == KINDS else 9, 1).difference
    assert found is not None
    assert found.bound == "drilled"


def test_the_command_says_what_was_drilled_into(lake):
    words = ["--coin", "BTC", "--lake", str(lake), "--strategy", "breakout", "--no-slippage"]
    words += ["--from", "2026-01-02T06:00Z", "--to", "2026-01-04T12:00Z", "--draws", "0"]
    words += ["--set", "lookback=6", "--set", "stop_pct=0.5", "--set", "target_pct=0.5"]
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert "were drilled into, by the second" in done.stderr
    assert "by finer bars or trades" in done.stdout
