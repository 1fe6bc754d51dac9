"""Several coins in one account, worked by hand and held to accounts of their own."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import backtest.one_account
import backtest.placebos.play
from backtest.daily import daily_of
from backtest.decisions import Decisions
from backtest.findings.capacity import capacity
from backtest.funding import Funding
from backtest.instrument import Margin
from backtest.leg import Tiers
from backtest.placebos.play import NAMES, play_placebos
from backtest.question import Question
from backtest.records import OPENED, REFUSED
from backtest.replay import REASONS
from backtest.runs import run, run_together
from backtest.slippage import SIZES, Slippage
from backtest.strategies.strategy import Strategy
from backtest.study import play_tapes
from backtest.terms import Costs, Terms
from backtest.trials import trial_id
from tests.backtest.made import FREE, HOUR, START, At, played_of, tape_of
from tests.backtest.small_lake import at

NAN = float("nan")


@dataclass(frozen=True, kw_only=True)
class Plan(Strategy):
    """Enter as planned: coin, close, side, notional, share of equity."""

    entries: tuple[tuple[str, int, int, float, float], ...]
    hold: int = 0

    @property
    def blind(self):
        return True

    def decide(self, view):
        side = np.zeros(len(view), np.int8)
        notional, share = np.full((2, len(view)), np.nan)
        for coin, row, *way in self.entries:
            if coin == view.bars.coin:
                side[row], notional[row], share[row] = way
        return Decisions.of(side, max_bars=self.hold, notional=notional, share=share)


def together(closes, plan, terms=FREE, bound="pessimistic"):
    """Return each coin's run in one account of 10,000 USD."""
    tapes = [tape_of(close, terms, coin=coin) for coin, close in closes.items()]
    return {one.coin: one for one in run_together(tapes, plan, (bound,))}


def test_sizes_follow_what_the_other_coin_has_won():
    """BTC: 50 coins bought at 100 and sold at 110 win 500, before ETH takes half of it all."""
    closes = {"BTC": [100, 100, 110, 110, 110, 110], "ETH": [100] * 6}
    plan = Plan(entries=(("BTC", 0, 1, 5_000.0, NAN), ("ETH", 3, 1, NAN, 0.5)), hold=2)
    found = together(closes, plan)
    (btc,), (eth,) = (found[coin].replay.trades for coin in closes)
    assert (btc["entered"], btc["left"], btc["pnl"]) == (1, 3, 500.0)
    assert (eth["entered"], eth["size"]) == (4, 52.5)
    for one in found.values():
        assert one.replay.equity.tolist() == [10_000, 10_000, 10_500, 10_500, 10_500, 10_500]
        assert one.figures()["return_fraction"] == pytest.approx(0.05)
    (alone,) = run(tape_of(closes["ETH"], coin="ETH"), plan, ("pessimistic",))
    assert alone.replay.trades["size"] == 50.0


def test_sizes_follow_what_the_other_coin_has_not_yet_won():
    """BTC stands at 110 and is still held: equity is 10,500."""
    closes = {"BTC": [100, 100, 110, 110, 110, 110], "ETH": [100] * 6}
    plan = Plan(entries=(("BTC", 0, 1, 5_000.0, NAN), ("ETH", 3, 1, NAN, 0.5)))
    assert together(closes, plan)["ETH"].replay.trades["size"] == 52.5


@pytest.mark.parametrize("turned", [False, True], ids=["as named", "turned"])
def test_margin_that_one_coin_took_is_not_there_for_the_other(turned):
    """Twice the equity at most: 15,000 of BTC bind 7,500, and 6,000 of ETH would 3,000."""
    closes = {"BTC": [100] * 4, "ETH": [100] * 4}
    if turned:
        closes = dict(reversed(closes.items()))
    plan = Plan(entries=(("BTC", 0, 1, 15_000.0, NAN), ("ETH", 0, 1, 6_000.0, NAN)))
    found = together(closes, plan, replace(FREE, leverage=2.0))
    assert found["BTC"].replay.outcome[0, 0] == OPENED
    assert found["ETH"].replay.outcome[0, 0] == REFUSED
    assert found["ETH"].figures()["unfilled"] == 1
    less = replace(plan, entries=(plan.entries[0], ("ETH", 0, 1, 5_000.0, NAN)))
    fits = together(closes, less, replace(FREE, leverage=2.0))
    assert fits["ETH"].replay.outcome[0, 0] == OPENED
    tape = tape_of(closes["ETH"], replace(FREE, leverage=2.0), coin="ETH")
    assert run(tape, plan, ("pessimistic",))[0].replay.outcome[0, 0] == OPENED


def crashed(names, account):
    """The first falls from 100 to 70 and the other to 99; 400 coins of each are held."""
    margin = Margin(Tiers(np.array([0.0125]), np.array([0.0])), 50.0)
    terms = replace(FREE, costs=replace(FREE.costs, taker_fee=0.0005))
    closes = ([100, 100, 70, 70, 70], [100, 100, 99, 99, 99])
    tapes = [
        replace(tape_of(close, terms, coin=coin), margin=margin)
        for coin, close in zip(names, closes, strict=True)
    ]
    plan = Plan(entries=tuple((coin, 0, 1, 40_000.0, NAN) for coin in names))
    question = Question(
        strategy=plan,
        coins=tuple(names),
        since=at(0),
        until=at(5),
        account=account,
        terms=terms,
    )
    return {one.coin: one.replay for one in play_tapes(question, tapes).of("pessimistic")}


def reasons(found):
    return {
        coin: [(REASONS[int(one["reason"])], int(one["left"])) for one in played.trades]
        for coin, played in found.items()
    }


@pytest.mark.parametrize("names", [("BTC", "ETH"), ("ETH", "BTC")], ids="-".join)
def test_one_liquidation_takes_all(names):
    """Alone the second coin loses 400 of 10,000 USD and stays."""
    found = crashed(names, "one")
    assert reasons(found) == {coin: [("liquidation", 2)] for coin in names}
    assert all(played.trades["forfeit"][0] > 0 for played in found.values())
    alone = reasons(crashed(names, "each"))
    assert alone == {names[0]: [("liquidation", 2)], names[1]: [("end", 4)]}


def test_a_shared_liquidation_is_where_the_margin_of_both_is_gone():
    """Fees at the entries: 40.  BTC at p, with ETH at its worst, 99:

    9,960 - 400 (100 - p) - 400 = 5 p + 495, the maintenance of both: p = 30,935 / 395.
    """
    found = crashed(("BTC", "ETH"), "one")
    (btc,), (eth,) = (found[coin].trades for coin in ("BTC", "ETH"))
    px = 30_935 / 395
    assert btc["exit_px"] == pytest.approx(px)
    assert btc["forfeit"] == pytest.approx(5 * px)
    # Without BTC's exit fee ETH's level would be its worst, where its maintenance is just left.
    left = 10_000 - 40 - 400 * (100 - px) - 5 * px - 0.2 * px
    assert eth["exit_px"] == pytest.approx((40_000 - left) / 395)
    assert 99 < eth["exit_px"] < 100
    worth = found["BTC"].equity[-1]
    assert worth == pytest.approx(10_000 + btc["pnl"] + eth["pnl"])
    # A plan for the one that was not in the account would have lost less than its margin.
    alone = crashed(("BTC", "ETH"), "each")["BTC"].trades[0]
    assert alone["exit_px"] == pytest.approx((30_000 + 20) / 395)


@st.composite
def worlds(draw):
    """Two coins' closes, with entries of a hundredth of the equity now and then."""
    n = draw(st.integers(4, 16))
    step = st.sampled_from([0.97, 0.99, 1.0, 1.01, 1.03])
    closes, entries = {}, []
    for coin in ("BTC", "ETH"):
        closes[coin] = 100 * np.cumprod(draw(st.lists(step, min_size=n, max_size=n)))
        sides = draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n, max_size=n))
        entries += [(coin, row, side, 100.0, NAN) for row, side in enumerate(sides) if side]
    hold = draw(st.integers(0, 4))
    return closes, Plan(entries=tuple(entries), hold=hold)


CHARGED = Terms(Costs(slippage="none"))


def charged(coin, close):
    rate = Funding(np.full(len(close), 1e-4), "market", np.full(len(close), np.nan), ())
    return replace(tape_of(close, CHARGED, coin=coin), funding=rate)


def same_trades(one, other):
    return one.trades.tobytes() == other.trades.tobytes() and np.array_equal(
        one.outcome, other.outcome
    )


@given(world=worlds(), bound=st.sampled_from(["pessimistic", "optimistic"]))
def test_an_account_with_enough_of_everything_trades_as_two_would(world, bound):
    closes, plan = world
    tapes = [charged(*one) for one in closes.items()]
    shared = run_together(tapes, plan, (bound,))
    gain = np.zeros(len(tapes[0].bars))
    for one, tape in zip(shared, tapes, strict=True):
        (alone,) = run(tape, plan, (bound,))
        assert same_trades(one.replay, alone.replay)
        assert np.array_equal(one.replay.position, alone.replay.position)
        assert one.run_id != alone.run_id
        gain += alone.replay.equity - 10_000.0
    assert shared[0].replay.equity == pytest.approx(10_000.0 + gain, abs=1e-8)
    pnl = sum(one.replay.trades["pnl"].sum() for one in shared)
    assert shared[0].replay.equity[-1] == pytest.approx(10_000.0 + pnl, abs=1e-8)


def test_an_account_that_mixes_up_its_coins_is_caught(monkeypatch):
    """Planted: each coin is given what is the other's."""
    world = (
        {"BTC": np.array([100, 101, 102, 101.0]), "ETH": np.array([100, 99, 98, 99.0])},
        Plan(entries=(("BTC", 0, 1, 100.0, NAN), ("ETH", 1, -1, 100.0, NAN))),
    )
    check = test_an_account_with_enough_of_everything_trades_as_two_would.hypothesis.inner_test
    check(world, "pessimistic")
    honest = backtest.one_account.share
    monkeypatch.setattr(
        backtest.one_account,
        "share",
        lambda whole, column, bars: honest(whole, 1 - column, bars),
    )
    with pytest.raises(AssertionError):
        check(world, "pessimistic")


@given(world=worlds())
def test_the_order_in_which_coins_are_named_changes_nothing(world):
    """Neither their trades nor their names, where money is short too."""
    closes, plan = world
    plan = replace(plan, entries=tuple((*one[:3], NAN, 0.7) for one in plan.entries))
    terms = replace(CHARGED, leverage=1.0)
    tapes = [replace(charged(*one), terms=terms) for one in closes.items()]
    there = {(one.coin, one.replay.bound): one for one in run_together(tapes, plan)}
    turned = run_together(tapes[::-1], plan)
    assert len(there) == len(turned) == 4
    for one in turned:
        other = there[one.coin, one.replay.bound]
        assert same_trades(one.replay, other.replay)
        assert one.replay.equity.tobytes() == other.replay.equity.tobytes()
        assert (one.run_id, one.account_coins) == (other.run_id, ("BTC", "ETH"))


def test_coins_that_take_turns_as_they_are_named_are_caught(monkeypatch):
    """Planted: at one open there is margin for one of two, and the first named gets it."""
    flat = np.full(4, 100.0)
    world = (
        {"BTC": flat, "ETH": flat},
        Plan(entries=(("BTC", 0, 1, 0.0, NAN), ("ETH", 0, 1, 0.0, NAN))),
    )
    check = test_the_order_in_which_coins_are_named_changes_nothing.hypothesis.inner_test
    check(world)
    monkeypatch.setattr(backtest.one_account, "sorted", lambda of, key: list(of), raising=False)
    with pytest.raises(AssertionError):
        check(world)


def test_a_single_coin_is_in_an_account_of_its_own_either_way():
    tapes = [charged("BTC", np.array([100, 101, 103, 99, 98.0]))]
    plan = Plan(entries=(("BTC", 0, 1, NAN, 0.5), ("BTC", 2, -1, NAN, 0.5)), hold=1)
    each, one = (
        Question(strategy=plan, coins=("BTC",), since=at(0), until=at(5), account=account)
        for account in ("each", "one")
    )
    for ours, theirs in zip(*(play_tapes(q, tapes).own for q in (each, one)), strict=True):
        assert ours.run_id == theirs.run_id
        assert ours.account_coins == theirs.account_coins == ("BTC",)
        assert ours.figures() == theirs.figures()
        assert same_trades(ours.replay, theirs.replay)
    assert each == one
    both = [replace(each, coins=("BTC", "ETH"), account=name) for name in ("each", "one")]
    assert trial_id(both[0]) != trial_id(both[1])
    assert [question.shared for question in (each, one, *both)] == [False, False, False, True]


def test_another_decision_on_one_coin_names_the_runs_of_all():
    closes = {"BTC": [100, 101, 102, 101.0], "ETH": [100, 99, 98, 99.0]}
    plan = Plan(entries=(("BTC", 0, 1, 100.0, NAN), ("ETH", 0, 1, 100.0, NAN)))
    names = [
        {coin: one.run_id for coin, one in together(closes, rule).items()}
        for rule in (plan, replace(plan, entries=(*plan.entries, ("ETH", 2, 1, 100.0, NAN))))
    ]
    assert len({name for one in names for name in one.values()}) == 4


def holed(tape, keep):
    """Return a tape that has some of its bars."""
    bars = tape.bars
    columns = ("start", "open_px", "high_px", "low_px", "close_px", "volume")
    kept = replace(bars, **{name: getattr(bars, name)[keep] for name in columns})
    return replace(
        tape,
        bars=kept,
        funding=Funding.none(len(kept)),
        slippage=Slippage.none(len(kept)),
    )


def test_daily_returns_are_the_accounts_whichever_bars_its_coins_have():
    """ETH trades in the first hours of each day alone; BTC wins 100 USD in the last of all."""
    hours = 72
    btc = np.full(hours, 100.0)
    btc[30:], btc[-1] = 105.0, 115.0
    eth = np.full(hours, 100.0) + 0.1 * np.arange(hours)
    early = np.arange(hours) % 24 < 6
    tapes = [tape_of(btc, coin="BTC"), holed(tape_of(eth, coin="ETH"), early)]
    plan = Plan(entries=(("BTC", 0, 1, 1_000.0, NAN), ("ETH", 0, 1, 1_000.0, NAN)))
    shared = run_together(tapes, plan, ("pessimistic",))
    whole = shared[0].replay.whole
    assert np.array_equal(whole.start, START + np.arange(hours) * HOUR)
    assert [len(one.replay.equity) for one in shared] == [72, 18]
    assert all(one.replay.whole is whole for one in shared)
    daily = daily_of([(one.bars, one.replay) for one in shared])
    worth = np.concatenate([[10_000.0], whole.equity[23::24]])
    assert daily.returns.tolist() == pytest.approx((np.diff(worth) / 10_000.0).tolist())
    # A coin that were asked alone would miss what happened after its last bar of a day.
    assert shared[1].replay.equity[-1] != whole.equity[-1]
    alone = daily_of([(one.bars, replace(one.replay, whole=None)) for one in shared])
    assert alone.returns.tolist() != pytest.approx(daily.returns.tolist())


def test_a_position_in_a_coin_without_bars_at_the_end_is_closed_at_its_last():
    tapes = [
        tape_of([100, 101, 102, 103, 104.0], coin="BTC"),
        holed(tape_of([100, 102, 104, 106, 108.0], coin="ETH"), slice(0, 3)),
    ]
    plan = Plan(entries=(("BTC", 0, 1, 1_000.0, NAN), ("ETH", 0, 1, 1_000.0, NAN)))
    _, eth = (one.replay for one in run_together(tapes, plan, ("pessimistic",)))
    (alone,) = run(tapes[1], plan, ("pessimistic",))
    assert same_trades(eth, alone.replay)
    assert np.array_equal(eth.position, alone.replay.position)


def test_placebos_of_an_account_are_decided_on_all_coins_and_replayed_in_it(monkeypatch):
    """With money enough what comes of them is what would of accounts of their own."""
    rng = np.random.default_rng(1)
    tapes = [
        tape_of(100 * np.exp(np.cumsum(rng.normal(0, 0.01, 200))), coin=coin)
        for coin in ("BTC", "ETH")
    ]
    rule = At(rows=tuple(range(3, 180, 11)), notional=100.0)
    each = played_of(tapes, rule, draws=5)
    question = replace(each.question, account="one")
    asked = []
    honest = backtest.placebos.play.together
    monkeypatch.setattr(
        backtest.placebos.play,
        "together",
        lambda tapes, made: asked.append([one.coin for one in tapes]) or honest(tapes, made),
    )
    (alone,), (shared,) = play_placebos(each), play_placebos(play_tapes(question, tapes))
    assert shared.name == alone.name == NAMES[0]
    assert asked == [["BTC"]] * 5 + [["ETH"]] * 5 + [["BTC", "ETH"]] * 5
    assert len(set(shared.means)) > 1
    for one, other in zip(shared.draws, alone.draws, strict=True):
        assert one.attempts.returns.tobytes() == other.attempts.returns.tobytes()
        assert np.array_equal(one.attempts.days, other.attempts.days)
        assert one.pnl == pytest.approx(other.pnl)


def test_a_placebo_of_an_account_is_short_of_its_margin_too():
    """Two entries at a time of the whole equity, and once it may be had."""
    tapes = [tape_of(np.full(60, 100.0), replace(FREE, leverage=1.0), coin=c) for c in "AB"]
    rule = At(rows=(5, 15, 25), notional=9_000.0)
    each = played_of(tapes, rule, draws=3)
    shared = play_tapes(replace(each.question, account="one"), tapes)
    for played, filled in ((each, 6), (shared, 3)):
        (times,) = play_placebos(played)
        assert [one.attempts.trades for one in times.draws] == [filled] * 3
        assert [len(one.attempts) for one in times.draws] == [6] * 3


def test_capacity_of_an_account_is_of_all_its_coins_at_once():
    """Orders and account grow alike: what the other coin leaves no margin for is refused."""
    curve = np.tile(1e-4 * np.sqrt(np.array(SIZES) / 1e3), (1, 2, 1))
    rows = np.zeros(60, np.int64)
    law = Slippage(np.array(SIZES), curve, rows, rows, "made up")
    terms = Terms(Costs(0.0, 0.0, funding="none"), leverage=1.0)
    close = 100 * 1.02 ** np.arange(60)
    tapes = [tape_of(close, terms, slippage=law, coin=coin) for coin in "AB"]
    rule = At(rows=(5, 15, 25), notional=9_000.0)
    own = {
        account: play_tapes(
            replace(played_of(tapes, rule).question, account=account), tapes
        ).of("pessimistic")
        for account in ("each", "one")
    }
    each = capacity(tapes, own["each"], "each")
    one = capacity(tapes, own["one"], "one")
    assert [len(run.replay) for run in own["one"]] == [3, 0]
    # Half of all attempts are refused at every size, and count 0.
    assert one.mean == pytest.approx([mean / 2 for mean in each.mean])
