"""This module writes the command line that asks a question as a study."""

import shlex
from collections.abc import Iterator
from dataclasses import MISSING, fields
from datetime import datetime
from pathlib import Path

import numpy as np

from backtest.question import Question
from backtest.search.parameters import Value, chain
from backtest.strategies.strategy import Strategy
from backtest.terms import Costs, Terms

# Of the command line, where nothing else is said.
DRAWS = 200
COSTS = Costs()
TERMS = Terms()


def command_of(question: Question, lake: Path | str) -> str | None:
    """Return the line of ``undertow backtest run`` that asks a question; None: there is none.

    Parameters
    ----------
    question
        What is asked.
    lake
        Where its rows are.

    Returns
    -------
    str or None
        Quoted as a shell reads it.  None: the rule or its terms hold what no option says, such
        as a series of signals, or fees of more digits than basis points are rounded to.

    Examples
    --------
    >>> from datetime import UTC
    >>> from backtest.strategies.breakout import Breakout
    >>> since = datetime(2026, 1, 5, tzinfo=UTC)
    >>> until = datetime(2026, 2, 1, 12, tzinfo=UTC)
    >>> asked = Question(
    ...     strategy=Breakout(stop_pct=1.5), coins=("BTC",), since=since, until=until
    ... )
    >>> command_of(asked, "data/lake").partition(" --interval")[0]
    ... # doctest: +NORMALIZE_WHITESPACE
    'undertow backtest run --strategy breakout --set breakout.stop_pct=1.5 --coin BTC
     --from 2026-01-05 --to 2026-02-01T12:00Z'
    """
    rule, terms = _rule(question.strategy), _terms(question.terms)
    if rule is None or terms is None:
        return None
    words = ["undertow", "backtest", "run", *rule, *_asked(question), *terms]
    return shlex.join([*words, "--lake", str(lake)])


def _rule(strategy: Strategy) -> list[str] | None:
    links = chain(strategy)
    words = ["--strategy", "+".join(one.name for one in links)]
    for one in links:
        for field in fields(one):
            value = getattr(one, field.name)
            if isinstance(value, Strategy):
                continue
            if field.default is not MISSING and value == field.default:
                continue
            # Text is read without the blanks around it, and "none" as nothing.
            blank = isinstance(value, str) and (
                value != value.strip() or value.lower() in ("none", "null")
            )
            if not isinstance(value, Value) or blank:
                return None
            words += ["--set", f"{one.name}.{field.name}={_said(value)}"]
    return words


def _said(value: Value) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _asked(question: Question) -> Iterator[str]:
    yield from ("--coin", ",".join(question.coins))
    yield from ("--from", _moment(question.since), "--to", _moment(question.until))
    yield from ("--interval", question.interval)
    if question.shared:
        yield from ("--account", question.account)
    if question.venue is not None:
        yield from ("--venue", question.venue)
    if not question.knowable:
        yield "--as-if-live"
    if question.live_flow:
        yield "--live-flow"
    if question.seed:
        yield from ("--seed", str(question.seed))
    if question.draws != DRAWS:
        yield from ("--draws", str(question.draws))


def _moment(moment: datetime) -> str:
    """Return a UTC time, as short as it can be.

    >>> from datetime import UTC
    >>> _moment(datetime(2026, 1, 5, tzinfo=UTC)), _moment(datetime(2026, 1, 5, 6, tzinfo=UTC))
    ('2026-01-05', '2026-01-05T06:00Z')
    """
    said = moment.replace(tzinfo=None).isoformat()
    if said.endswith("T00:00:00"):
        return said.removesuffix("T00:00:00")
    return said.removesuffix(":00") + "Z"


def _terms(terms: Terms) -> list[str] | None:
    """Return the options of an account that are not as they come; None: they cannot be told."""
    words: list[str] = []
    costs = terms.costs
    for option, fee, usual in (
        ("--taker-bps", costs.taker_fee, COSTS.taker_fee),
        ("--maker-bps", costs.maker_fee, COSTS.maker_fee),
    ):
        told = round(fee * 1e4, 8)
        if round(told / 1e4, 12) != fee:
            return None
        if fee != usual:
            words += [option, str(told)]
    words += ["--no-funding"] * (costs.funding == "none")
    words += ["--no-slippage"] * (costs.slippage == "none")
    limit = _limit(terms)
    if limit is None:
        return None
    words += limit
    if terms.latency != TERMS.latency:
        micros = int(terms.latency / np.timedelta64(1, "us"))
        words += ["--latency", f"{micros / 1e3:.3f}".rstrip("0").rstrip(".") + "ms"]
    if terms.leverage != TERMS.leverage:
        words += ["--leverage", str(terms.leverage)]
    if terms.start_equity != TERMS.start_equity:
        words += ["--equity", str(terms.start_equity)]
    return words


def _limit(terms: Terms) -> list[str] | None:
    """Return when a limit fills, told by a kind and by the one number that goes with it."""
    number = {"through": terms.ticks, "share": terms.volume_share}.get(terms.limit)
    kept = {"ticks": terms.ticks, "volume_share": terms.volume_share}
    kept.pop({"through": "ticks", "share": "volume_share"}.get(terms.limit, ""), None)
    if any(value != getattr(TERMS, name) for name, value in kept.items()):
        return None
    if number is None:
        return []
    return ["--limit-fill", f"{terms.limit}:{number}"]
