"""This module keeps the ledger of trials: every setting that was tried counts against the best.

Settings of sweeps and rules without the map are trials too, for they would have been chosen
had they been better; placebos are not, for nobody would trade one.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from backtest.bars import as_utc
from backtest.daily import Daily, daily_of
from backtest.question import Question
from backtest.rule_code import MODULE, by_code
from backtest.runs import Run, as_json
from backtest.statistics.deflated import variance_of
from backtest.study import Played
from warehouse.contracts.tables import BACKTEST_TRIALS
from warehouse.store import Landing, landing

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Trials:
    """What was tried, as far as it counts against the one that was chosen.

    Attributes
    ----------
    count
        How many there were, the chosen one included.
    variance
        Of their daily Sharpe ratios, told beside: what decides is how many there were, for
        trials that are alike would take the spread away (:mod:`backtest.statistics.deflated`).
        None: fewer than two have one.
    """

    count: int
    variance: float | None

    @classmethod
    def of(cls, sharpes: np.ndarray) -> "Trials":
        """Return the trials of these ratios.

        Parameters
        ----------
        sharpes : float64[n]
            Of one day; NaN: a trial whose returns do not vary.

        Examples
        --------
        >>> Trials.of(np.array([0.0, 1.0, np.nan]))
        Trials(count=3, variance=0.5)
        """
        return cls(sharpes.size, variance_of(sharpes))

    def as_json(self) -> str:
        """Return the trials as text, to the last bit."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def of_json(cls, text: str) -> "Trials":
        """Return the trials of :meth:`as_json`."""
        return cls(**json.loads(text))


def trial_id(question: Question) -> str:
    """Return the name of a trial: the same for what gives the same trades of the same rows.

    Other costs, fills, leverage or latency are another trial: who tries fees until a rule pays
    has chosen them.  Seed and draws of placebos do not count, nor does the order of the coins;
    nor whose account a single coin is in; nor, for a rule that looks at neither map nor flow,
    when those were known; nor what the module of a rule from outside was called.
    """
    said = by_code(json.loads(question.as_json()))
    blind = ("knowable", "live_flow") if question.strategy.blind else ()
    alone = () if question.shared else ("account",)
    for name in ("seed", "draws", *blind, *alone):
        said.pop(name)
    said["coins"] = sorted(said["coins"])
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def terms_said(said: Mapping[str, Any], *, blind: bool, shared: bool) -> str:
    """Return what a trial was charged and allowed, and what it could know, as JSON.

    Parameters
    ----------
    said
        JSON of a question.
    blind
        Whether its rule looks at neither map nor flow: when those were known is left out.
    shared
        Whether several coins are in one account, which is told; each in its own is not, for
        the trials of single coins make up that of all.
    """
    known = {} if blind else {name: said[name] for name in ("knowable", "live_flow")}
    account = {"account": "one"} if shared else {}
    told = {**said["terms"], **known, **account, "venue": said["venue"]}
    return json.dumps(told, sort_keys=True)


def trial_row(
    question: Question,
    daily: Daily,
    trades: int,
    *,
    source: str,
    known_ts: datetime,
    sweep_id: str | None = None,
) -> Row:
    """Return a row of ``backtest_trials``.

    Parameters
    ----------
    question
        Whose strategy is what was tried.
    daily
        What it earned, pessimistic reading.
    trades
        How many it closed.
    source
        ``simulated`` where any row read was, else ``undertow``.
    known_ts
        End of the last bar, UTC.
    sweep_id
        Sweep it was tried in; null: a study of its own.
    """
    strategy = question.strategy
    return {
        "trial_id": trial_id(question),
        "sweep_id": sweep_id,
        "strategy": strategy.rule,
        "variant": strategy.variant,
        "parameters": as_json(strategy.parameters()),
        "terms": terms_said(
            json.loads(question.as_json()), blind=strategy.blind, shared=question.shared
        ),
        "coins": ",".join(question.coins),
        "interval": question.interval,
        "start_ts": question.since,
        "end_ts": question.until,
        "daily": daily.returns.tolist(),
        "trades": trades,
        "sharpe": daily.sharpe,
        "source": source,
        "known_ts": known_ts,
    }


def trials_of(played: Played) -> list[Row]:
    """Return the trials of a study: its rule, and that without the map where there is one."""
    rows = [_trial(played.question, played.of("pessimistic"))]
    base = played.question.strategy.without_map()
    if base is not None:
        runs = played.of("pessimistic", base=True)
        rows.append(_trial(replace(played.question, strategy=base), runs))
    return rows


def _trial(question: Question, runs: Sequence[Run]) -> Row:
    return trial_row(
        question,
        daily_of([(run.bars, run.replay) for run in runs]),
        sum(len(run.replay) for run in runs),
        source="simulated" if any(run.source == "simulated" for run in runs) else "undertow",
        known_ts=as_utc(max(run.bars.end[-1] for run in runs)),
    )


def land_trials(root: Path | str, rows: Iterable[Row]) -> list[Any]:
    """Write trials into the lake; the same trials leave the same bytes.

    Parameters
    ----------
    root
        Folder of the lake.
    rows
        Each becomes a part, named after it, so that the same trial replaces itself.

    Returns
    -------
    list
        Where it lies; nothing where there are no rows.
    """
    with landing(root) as batches:
        put_trials(batches, rows)
    return [place for places in batches.places.values() for place in places]


def put_trials(batches: Landing, rows: Iterable[Row]) -> None:
    """Put trials into a landing; see :func:`land_trials`."""
    for row in rows:
        batch = pa.Table.from_pylist([row], BACKTEST_TRIALS.schema)
        batches.land(BACKTEST_TRIALS, batch, str(row["trial_id"]))


def read_trials(
    lake: duckdb.DuckDBPyConnection, question: Question, own: Sequence[Row] = ()
) -> Trials:
    """Return what a question's answer was chosen from; see :func:`trial_sharpes`."""
    return Trials.of(trial_sharpes(lake, question, own))


def trial_sharpes(
    lake: duckdb.DuckDBPyConnection, question: Question, own: Sequence[Row] = ()
) -> np.ndarray:
    """Return the ratios of all trials that a question's answer was chosen from.

    Parameters
    ----------
    lake
        Catalog of a lake.
    question
        What is asked.
    own
        Rows of trials that are not landed yet; they count as landed ones do.

    Returns
    -------
    float64[n]
        Of one day, over as many days as the question's; NaN: its returns do not vary.  One of
        every trial that overlaps the period and shares a coin, or is of the same rule and
        parameters (who tries one rule coin by coin chooses a coin), each once, and the
        question's own in any case.  Of a trial that was tried twice, on other rows or by other
        code, the higher.

    Notes
    -----
    Without an edge the Sharpe ratio of ``t`` days has the variance ``1 / t``: a month's varies
    more than a year's.  So each trial's is taken times the root of its days over those of the
    question: what would be as rare over the latter.
    """
    # A rule from outside by its class: its module may be called otherwise the next time.
    parameters = re.sub(MODULE, "", as_json(question.strategy.parameters()))
    held = lake.sql(
        """
        select trial_id, max(sharpe) as sharpe, max(len(daily)) as days
        from backtest_trials
        where
            start_ts < $until and end_ts > $since
            and (
                list_has_any(string_split(coins, ','), $coins)
                or regexp_replace(parameters, $module, '', 'g') = $parameters
            )
        group by trial_id
        """,
        params={
            "since": question.since,
            "until": question.until,
            "coins": list(question.coins),
            "parameters": parameters,
            "module": MODULE,
        },
    ).fetchall()
    found = {name: (ratio, days) for name, ratio, days in held}
    for row in own:
        here = not set(question.coins).isdisjoint(row["coins"].split(","))
        if (
            row["start_ts"] < question.until
            and row["end_ts"] > question.since
            and (here or re.sub(MODULE, "", str(row["parameters"])) == parameters)
        ):
            known, days = found.get(row["trial_id"], (None, 0))
            told = [one for one in (known, row["sharpe"]) if one is not None]
            found[row["trial_id"]] = max(told, default=None), max(days, len(row["daily"]))
    since, until = question.period
    touched = (until - 1).astype("datetime64[D]") - since.astype("datetime64[D]")
    _, length = found.setdefault(trial_id(question), (None, int(touched.astype(int)) + 1))
    ratios = [
        np.nan if ratio is None else ratio * math.sqrt(days / length)
        for _, (ratio, days) in sorted(found.items())
    ]
    return np.array(ratios, float)
