"""A lake that holds one study and nothing else, its numbers made up by hand."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from backtest.findings.ablation import Ablation
from backtest.findings.against import Against
from backtest.findings.capacity import Capacity
from backtest.findings.cascade_study import CascadeStudy
from backtest.findings.costs import Split
from backtest.findings.excursions import Excursions
from backtest.findings.find import Findings, Subject
from backtest.findings.months import Month
from backtest.findings.ratio import Ratio
from backtest.findings.reading import Reading
from backtest.findings.reported import Reported
from backtest.findings.sturdy import Sturdy
from backtest.statistics.bootstrap import Interval
from backtest.statistics.comparison import Comparison
from backtest.statistics.robustness import Halves, Remainder
from backtest.trials import terms_said
from backtest.verdict import verdict
from warehouse.contracts import tables
from warehouse.store import landing

HOUR = timedelta(hours=1)
START = datetime(2026, 1, 2, tzinfo=UTC)
HOURS = 48
STUDY = "5eed" * 4
RULE = {"strategy": "breakout", "lookback": 24, "stop_pct": 2.0}
COINS = ("BTC", "ETH")
QUESTION = {
    "strategy": {"strategy": "cluster_take_profit", "moves": False, "entry": RULE},
    "coins": list(COINS),
    "account": "each",
    "interval": "1h",
    "venue": "hyperliquid",
    "knowable": True,
    "live_flow": True,
    "seed": 7,
    "terms": {
        "costs": {
            "taker_fee": 0.00045,
            "maker_fee": 0.00015,
            "funding": "charged",
            "slippage": "charged",
        },
        "limit": "touch",
        "ticks": 1.0,
        "volume_share": 0.1,
        "latency": 500_000,
        "leverage": 50.0,
        "start_equity": 10_000.0,
    },
}


def findings(**changed):
    """A study of two coins: four attempts, three trades, one of them ambiguous."""
    offset = tuple(range(-2, 3))
    known = (0.001, 0.0, 0.004, 0.003, 0.002)
    pair = Comparison(4, 6, 2, 0.0025, -0.001, 0.0035, -0.002, 0.009, 0.21)
    made = Findings(
        subject=Subject(
            "breakout",
            "cluster_take_profit",
            COINS,
            "1h",
            START.isoformat(),
            (START + HOURS * HOUR).isoformat(),
            True,
            False,
            "undertow",
            6,
            1,
            2 * HOURS,
            0,
            ("hyperliquid",),
            (),
        ),
        readings=(
            Reading("pessimistic", 4, 3, 2, 1, 1 / 3, 0.0025, 0.004, -0.048, 0.053, 0.64),
            Reading("optimistic", 4, 3, 2, 1, 1 / 3, 0.0125, 0.004, -0.038, 0.063, 0.2),
        ),
        ratio=Ratio(0.31, 5.9, 0.6, 7, 0.52, 0.47, 0.42, 2 / 365, 1.75, 0.5),
        daily_mean=Interval(0.0004, None, None, None),
        daily_sharpe=Interval(0.31, None, None, None),
        ablations=(Ablation("pessimistic", pair, None), Ablation("optimistic", pair, None)),
        placebos=(
            Against("random times", 3, 0.001, (-0.004, 0.0, 0.001, 0.002, 0.006), 0.25),
            Against("mirrored", 1, -0.002, None, None),
            Against("shuffled", 0, None, None, None),
        ),
        sturdy=Sturdy(
            Remainder(-0.001, 1, 1.2),
            Remainder(-0.001, 1, 1.2),
            Remainder(None, 4, 1.0),
            Halves(np.datetime64("2026-01-03"), 0.01, -0.005, 2, 2),
        ),
        capacity=Capacity(
            (0.1, 1.0, 10.0),
            (1e3, 1e4, 1e5),
            (0.004, 0.0025, -0.002),
            3e4,
            (9, 9, 9),
            (9, 9, 9),
        ),
        cascades=CascadeStudy(6, 5, 5, 5.0, offset, known, *bands(known)),
        costs=Split(120.0, 18.0, -3.0, 30.0, 0.0, 75.0, 30_000.0),
        months=(Month("2026-01", 2, 4, 3, 0.0025, 0.0075),),
        excursions=Excursions((-0.02, -0.01, 0.0, 0.0, 0.0), (0.0, 0.01, 0.02, 0.03, 0.04)),
        incidents=(Reported("candles", 1, 2), Reported("positions", 0, 0)),
        untrusted=3,
    )
    return replace(made, **changed)


def bands(known):
    low = tuple(None if one == 0.0 else one - 0.002 for one in known)
    high = tuple(None if one == 0.0 else one + 0.002 for one in known)
    return low, high


def nothing_traded():
    """Findings of a study whose rule never entered."""
    none = Reading("pessimistic", 0, 0, 0, 1, None, None, None, None, None, None)
    rest = Remainder(None, 0, None)
    made = findings()
    return findings(
        subject=replace(made.subject, signals=5, unmapped=5),
        readings=(none, replace(none, bound="optimistic")),
        ratio=Ratio(None, None, None, 1, None, None, None, 2 / 365, None, None),
        daily_mean=Interval(0.0, None, None, None),
        daily_sharpe=Interval(None, None, None, None),
        ablations=(),
        placebos=(),
        sturdy=Sturdy(rest, rest, rest, None),
        capacity=None,
        cascades=CascadeStudy(2, 1, 1, 1.0, (0,), (None,), (None,), (None,)),
        costs=None,
        months=(Month("2026-01", 2, 0, 0, None, 0.0),),
        excursions=None,
        incidents=None,
        untrusted=None,
    )


def fill(root, found=None, trials=(), asked=None, **changed):
    """Land a study; ``changed`` are columns of its row, ``trials`` come as they are.

    ``asked`` is added to its question.
    """
    found = found or findings()
    traded = found.costs is not None
    row = {
        "study_id": STUDY,
        "strategy": "breakout",
        "variant": "cluster_take_profit",
        "coins": ",".join(COINS),
        "start_ts": START,
        "end_ts": START + HOURS * HOUR,
        "question": json.dumps(QUESTION | (asked or {})),
        "runs": json.dumps({kind: [run(coin, kind) for coin in COINS] for kind in BEGINS}),
        "data_hash": "da" * 32,
        "code_hash": "c0" * 32,
        "seed": 7,
        "verdict": "\n".join(verdict(found)),
        "findings": found.as_json(),
        "trials": '{"count": 7, "variance": 0.04}',
        "notes": "BTC: slippage: a hand wrote it.",
        "assumptions": "A hand wrote this.\nAnd this.",
        "source": "undertow",
        "known_ts": START + HOURS * HOUR,
    }
    with landing(root) as batches:
        for coin in COINS:
            for kind in BEGINS:
                _land_run(batches, coin, kind, traded)
        _land(batches, tables.BACKTEST_STUDIES, [row | changed])
        if found.placebos:
            _land(batches, tables.BACKTEST_PLACEBOS, list(_placebos()))
        if trials:
            _land(batches, tables.BACKTEST_TRIALS, trials)
    return root


BEGINS = {"own": "e1", "base": "ba"}


def run(coin, kind):
    return f"{BEGINS[kind]}{COINS.index(coin)}" + "0" * 13


def trial(number, parameters, coin, daily, **changed):
    """A trial of the study's rule on one coin, of the study's period."""
    days = np.array(daily)
    return {
        "trial_id": f"{number:016x}",
        "sweep_id": "5eeb",
        "strategy": "breakout",
        "variant": "cluster_take_profit",
        "parameters": json.dumps(parameters),
        "terms": terms_said(QUESTION, blind=False, shared=False),
        "coins": coin,
        "interval": "1h",
        "start_ts": START,
        "end_ts": START + HOURS * HOUR,
        "daily": list(daily),
        "trades": 3,
        "sharpe": float(days.mean() / days.std(ddof=1)) if np.ptp(days) else None,
        "source": "undertow",
        "known_ts": START + HOURS * HOUR,
    } | changed


def swept(settings, **changed):
    """Yield one trial a setting, ``(lookback, stop_pct)``, and coin, better and better."""
    for number, (lookback, stop) in enumerate(settings):
        rule = RULE | {"lookback": lookback, "stop_pct": stop}
        parameters = {"strategy": "cluster_take_profit", "moves": False, "entry": rule}
        for place, coin in enumerate(COINS):
            daily = np.tile([0.01, -0.01], 20) + 0.001 * number
            yield trial(2 * number + place, parameters, coin, daily.tolist(), **changed)


def _land(batches, table, rows, part="hand"):
    whole = [{column.name: row.get(column.name) for column in table.columns} for row in rows]
    batches.land(table, pa.Table.from_pylist(whole, table.schema), part)


def _land_run(batches, coin, kind, traded):
    runs, equity, trades = [], [], []
    name = run(coin, kind)
    for bound in ("pessimistic", "optimistic"):
        common = {
            "run_id": name,
            "bound": bound,
            "coin": coin,
            "source": "undertow",
            "known_ts": START + HOURS * HOUR,
        }
        runs.append(_run(common, kind))
        equity += list(_equity(common, kind, bound, traded))
        if traded:
            trades += list(_trades(common, kind))
    _land(batches, tables.BACKTEST_RUNS, runs, name)
    _land(batches, tables.BACKTEST_EQUITY, equity, name)
    if trades:
        _land(batches, tables.BACKTEST_TRADES, trades, name)


def _run(common, kind):
    return common | {
        "strategy": "breakout",
        "variant": "cluster_take_profit" if kind == "own" else "without map",
        "venue": "hyperliquid",
        "interval": "1h",
        "start_ts": START,
        "end_ts": START + HOURS * HOUR,
        "bars": HOURS,
        "knowable": True,
        "parameters": "{}",
        "costs": json.dumps({"slippage_basis": "48 of 48 bars by a recorded book"}),
        "signals": 5,
        "refused": 2,
        "unmapped": 1,
        "unfilled": 1,
        "trades": 2,
        "ambiguous": 0,
        "return_fraction": 0.01,
        "max_drawdown": 0.02,
        "fees": 9.0,
        "funding": -1.5,
        "slippage": 15.0,
    }


def _equity(common, kind, bound, traded):
    """BTC loses 200 in hour 10 and wins 500 in hour 20; ETH stands, and misses hour 20.

    Read optimistically BTC wins 600; without the map nothing moves.
    """
    for hour in range(HOURS):
        if common["coin"] == "ETH" and hour == 20:
            continue
        own = 10_000.0
        if kind == "own" and common["coin"] == "BTC" and traded:
            own -= 200.0 if hour >= 10 else 0.0
            own += (500.0 if bound == "pessimistic" else 600.0) if hour >= 20 else 0.0
        yield common | {
            "time_ts": START + (hour + 1) * HOUR,
            "position": 0.0,
            "close_px": 100.0 + hour,
            "equity": own,
        }


def _trades(common, kind):
    aimed = kind == "own"
    for number, (side, exit_px, reason) in enumerate(
        (("long", 98.0, "stop"), ("short", 95.0, "target"))
    ):
        entry = START + (2 + 12 * number) * HOUR
        long = side == "long"
        returned = (exit_px / 100.0 - 1) * (1 if long else -1)
        yield common | {
            "trade": number,
            "side": side,
            "decided_ts": entry,
            "entry_ts": entry,
            "entry_px": 100.0,
            "exit_ts": entry + 6 * HOUR,
            "exit_px": exit_px,
            "exit_reason": reason,
            "size": 1.0 if long else -1.0,
            "stop_px": 98.0 if long else 102.0,
            "target_px": 103.0 if long else 95.0,
            "target_source": "cluster" if aimed else "fixed",
            "cluster_px": (103.5 if long else 94.5) if aimed else None,
            "snapshot_ts": entry - 3 * HOUR if aimed else None,
            "best_px": 101.0 if long else 94.0,
            "worst_px": 97.0 if long else 101.5,
            "fees": 0.1,
            "funding": 0.0,
            "slippage": 0.0,
            "pnl": 100.0 * returned,
            "return_fraction": returned,
            "ambiguous": False,
        }


def _placebos():
    common = {
        "study_id": STUDY,
        "start_ts": START,
        "source": "undertow",
        "known_ts": START + HOURS * HOUR,
        "trades": 3,
        "attempts": 4,
        "pnl": 1.0,
    }
    for draw, mean in enumerate((-0.004, 0.001, 0.006)):
        yield common | {"placebo": "random times", "draw": draw, "mean_attempt": mean}
    yield common | {"placebo": "mirrored", "draw": 0, "mean_attempt": -0.002}
