import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from backtest.daily import Daily, daily_of
from backtest.question import Question
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.breakout import Breakout
from backtest.study import play
from backtest.terms import Costs, Terms
from backtest.trials import (
    Trials,
    land_trials,
    read_trials,
    trial_id,
    trial_row,
    trial_sharpes,
    trials_of,
)
from tests.backtest.made import bars_of, replay_of
from tests.backtest.small_lake import HOURS, at, land_lake
from warehouse.catalog import open_lake
from warehouse.contracts.tables import BACKTEST_TRIALS
from warehouse.store import land

ENTRY = Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12)
ELSE = replace(ENTRY, stop_pct=5.0)
FILTER = AsymmetryFilter(entry=ENTRY, reach_pct=10.0)
DAYS = np.arange("2026-01-02", "2026-01-05", dtype="datetime64[D]")


def asked(strategy=FILTER, **more):
    return Question(
        strategy=strategy, **{"coins": ("BTC",), "since": at(6), "until": at(HOURS)} | more
    )


def tried(question, returns=(0.01, 0.0, 0.02)):
    daily = Daily(DAYS, np.array(returns))
    return trial_row(question, daily, 3, source="undertow", known_ts=question.until)


def ends(equity, start=100.0):
    return replay_of(len(equity), equity=equity, start=start)


def test_daily_returns_by_hand():
    """Of two accounts of 100: one wins 10 on the first day and 4 on the second, the other,
    which begins on the second, loses 2 there: 10/200 and 2/200.  A close at midnight is the
    day's before."""
    one, other = bars_of(np.full(48, 1.0)), bars_of(np.full(48, 1.0))
    other = replace(other, **{n: getattr(other, n)[24:] for n in _ARRAYS})
    rising = [100.0] * 23 + [110.0] * 24 + [114.0]
    daily = daily_of([(one, ends(rising)), (other, ends([98.0] * 24))])
    assert daily.day.astype(str).tolist() == ["2026-01-02", "2026-01-03"]
    assert daily.returns == pytest.approx([0.05, 0.01])
    # Mean 0.03, deviation 0.02 √2.
    assert daily.sharpe == pytest.approx(0.03 / (0.02 * np.sqrt(2)))


_ARRAYS = ("start", "open_px", "high_px", "low_px", "close_px", "volume")


def test_a_day_without_bars_earns_nothing():
    bars = bars_of(np.full(72, 1.0))
    rows = np.r_[0:24, 48:72]
    holed = replace(bars, **{n: getattr(bars, n)[rows] for n in _ARRAYS})
    daily = daily_of([(holed, ends([110.0] * 24 + [99.0] * 24))])
    assert daily.returns == pytest.approx([0.1, 0.0, -0.11])


def test_accounts_that_start_unlike_are_refused():
    bars = bars_of(np.full(24, 1.0))
    both = [(bars, ends([1.0] * 24)), (bars, ends([1.0] * 24, start=50.0))]
    with pytest.raises(ValueError, match="must start with one equity"):
        daily_of(both)


def test_what_gives_other_trades_is_another_trial_and_a_seed_is_not():
    one = asked()
    same = [asked(seed=9), asked(draws=3), asked()]
    others = [
        asked(coins=("ETH",)),
        asked(coins=("BTC", "ETH")),
        asked(until=at(HOURS - 1)),
        asked(interval="15m"),
        asked(knowable=False),
        asked(terms=Terms(leverage=3.0)),
        asked(strategy=ENTRY),
        asked(strategy=replace(FILTER, min_ratio=2.0)),
        asked(strategy=replace(FILTER, entry=replace(ENTRY, stop_pct=2.0))),
    ]
    assert {trial_id(other) for other in same} == {trial_id(one)}
    assert len({trial_id(other) for other in (one, *others)}) == 1 + len(others)
    assert trial_id(asked(coins=("ETH", "BTC"))) == trial_id(asked(coins=("BTC", "ETH")))


@pytest.fixture
def lake(tmp_path):
    return land_lake(tmp_path)


def counted(root, question, own=()):
    with open_lake(root) as con:
        found = read_trials(con, question, own)
        assert Trials.of_json(found.as_json()) == found
        return found


def ratios(root, question, own=()):
    with open_lake(root) as con:
        return trial_sharpes(con, question, own)


def test_an_empty_ledger_holds_the_question_itself(lake):
    found = counted(lake, asked())
    assert found.count == 1
    assert found.variance is None
    assert np.isnan(ratios(lake, asked())).all()


def test_trials_that_share_a_coin_and_time_count_each_once(lake):
    one = asked()
    other = asked(strategy=ENTRY)
    land_trials(lake, [tried(one)])
    land_trials(lake, [tried(one), tried(other)])  # the same again, in another part
    land_trials(lake, [tried(asked(strategy=ELSE, coins=("ETH",)))])
    land_trials(lake, [tried(asked(since=at(HOURS), until=at(HOURS + 5)))])
    land_trials(lake, [tried(asked(coins=("ETH", "BTC"), until=at(7)), (0.0, 0.0, 0.0))])
    found = counted(lake, one)
    assert found.count == 3
    assert np.isnan(ratios(lake, one)).sum() == 1  # it did not trade: a trial without a ratio
    # A longer name does not share a coin that it begins with.
    assert counted(lake, asked(strategy=replace(ENTRY, stop_pct=7.0), coins=("BT",))).count == 1
    assert counted(lake, asked(since=at(6), until=at(7))).count == 4  # of a day, itself new
    # What is not landed yet counts as landed.
    third = asked(strategy=replace(ENTRY, stop_pct=3.0))
    assert counted(lake, third, [tried(third)]).count == 4
    assert counted(lake, one, [tried(one)]).count == 3


def test_who_tries_a_rule_coin_by_coin_has_chosen_a_coin(lake):
    """Three coins, one rule: three trials of each; with other parameters it is another rule."""
    rows = [tried(asked(coins=(coin,))) for coin in ("BTC", "ETH", "SOL")]
    assert counted(lake, asked(), rows).count == 3
    land_trials(lake, rows)
    assert counted(lake, asked()).count == 3
    assert counted(lake, asked(strategy=ELSE, coins=("DOGE",))).count == 1


def test_trials_that_are_not_landed_yet_count_as_landed_ones(lake):
    """Asked together or one by one: those of another coin or time are no trials of these."""
    one = asked()
    rows = [
        tried(one),
        tried(asked(strategy=ENTRY, coins=("ETH", "BTC"))),
        tried(asked(strategy=ELSE, coins=("ETH",))),
        tried(asked(since=at(HOURS), until=at(HOURS + 5))),
    ]
    assert counted(lake, one, rows).count == 2
    land_trials(lake, rows)
    assert counted(lake, one).count == counted(lake, one, rows).count == 2


def test_the_ratio_of_a_short_trial_counts_as_that_of_a_long_one(lake):
    """A question of twelve days: of three days, 0.2 is as rare as 0.1 over twelve."""
    one, short = asked(), asked(strategy=ENTRY, until=at(60))
    long = tried(one) | {"daily": [0.0] * 12, "sharpe": 0.3}
    land_trials(lake, [tried(short) | {"sharpe": 0.2}])
    assert sorted(ratios(lake, one, [long])) == pytest.approx([0.1, 0.3])
    land_trials(lake, [long])
    assert sorted(ratios(lake, one)) == pytest.approx([0.1, 0.3])


def test_a_trial_that_was_tried_twice_counts_once_by_its_higher_ratio(lake):
    """As a sweep of other rows or code may have left it."""
    one, other = asked(), asked(strategy=ENTRY)
    for number, ratio in enumerate((0.2, 0.7, None, 0.1)):
        row = tried(other) | {"sharpe": ratio, "sweep_id": f"a{number}"}
        batch = pa.Table.from_pylist([row], BACKTEST_TRIALS.schema)
        land(lake, BACKTEST_TRIALS, batch, f"sweep-{number}")
    assert sorted(ratios(lake, one)[:1]) == pytest.approx([0.7 * np.sqrt(3 / 9)])


def test_a_trial_says_what_it_was_charged(lake):
    """Who tries fees until a rule pays has tried them: each is a trial, and told apart."""
    asks = [asked(terms=Terms(Costs(taker_fee=fee))) for fee in (0.00045, 0.0003)]
    land_trials(lake, map(tried, asks))
    assert counted(lake, asks[0]).count == 2
    with open_lake(lake) as con:
        told = con.sql("select terms from backtest_trials").fetchall()
    assert {json.loads(text)["costs"]["taker_fee"] for (text,) in told} == {0.00045, 0.0003}


def test_landed_twice_leaves_the_same_bytes(lake):
    def held():
        return {path: path.read_bytes() for path in lake.rglob("*.parquet")}

    rows = [tried(asked()), tried(asked(strategy=ENTRY))]
    land_trials(lake, rows)
    before = held()
    land_trials(lake, rows)
    assert held() == before
    assert land_trials(lake, []) == []


def test_a_study_is_two_trials_with_the_one_without_the_map(lake):
    with open_lake(lake) as con:
        played = play(con, asked())
        rows = trials_of(played)
        alone = trials_of(play(con, asked(strategy=ENTRY)))
    assert [row["variant"] for row in rows] == ["asymmetry_filter", "without map"]
    assert len(alone) == 1
    assert alone[0] == rows[1]  # the ablation is the trial of the rule alone
    (own,) = played.of("pessimistic")
    assert sum(rows[0]["daily"]) == pytest.approx(own.replay.equity[-1] / 10_000.0 - 1)
    assert rows[0]["trades"] == len(own.replay)
    land_trials(lake, rows)
    with open_lake(lake) as con:
        found = con.sql("from backtest_trials").pl()
        assert read_trials(con, asked()).count == 2
    assert found.height == 2
    assert set(found.columns) - {"day"} == {
        column.name for column in BACKTEST_TRIALS.columns
    } - {"day"}
