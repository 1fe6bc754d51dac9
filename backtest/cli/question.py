"""This module reads a question from the words of a command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from backtest.question import Question

Verb = Callable[..., Any]

# Hours, minutes and seconds of a latency.
UNITS = {"ms": 1e3, "s": 1e6, "m": 6e7, "h": 3.6e9}


def question_options(verb: Verb) -> Verb:
    """Give a verb the options that make a question, strategy and its parameters apart."""
    options = [
        click.option("--coin", "coins", multiple=True, required=True, help="BTC, or BTC,ETH."),
        click.option("--from", "since", required=True, help="First day or moment, UTC."),
        click.option("--to", "until", required=True, help="Day or moment after the last, UTC."),
        click.option(
            "--account",
            default="each",
            show_default=True,
            help="each: every coin has an account of its own; one: all are in one, so that "
            "sizes follow its equity, margin is shared, and one liquidation takes all.",
        ),
        click.option(
            "--interval",
            default="1h",
            show_default=True,
            help="Length of a bar, 1m to 1d, that tiles the hour or the day; made of finer "
            "candles where the lake holds none.",
        ),
        click.option("--venue", help="Whose candles; left out: Hyperliquid's, or the fullest."),
        click.option(
            "--knowable/--as-if-live",
            default=True,
            show_default=True,
            help="Use maps and flow from their publication on, or from their own moment.",
        ),
        click.option(
            "--live-flow",
            is_flag=True,
            help="Know fills and contexts as they happen, as who listens to the venue does.",
        ),
        click.option("--no-funding", is_flag=True, help="Leave funding out of the costs."),
        click.option("--no-slippage", is_flag=True, help="Leave slippage out of the costs."),
        click.option(
            "--taker-bps",
            type=float,
            default=4.5,
            show_default=True,
            help="Fee of orders that take, basis points; the default is the venue's base tier.",
        ),
        click.option(
            "--maker-bps",
            type=float,
            default=1.5,
            show_default=True,
            help="Fee of orders that rested; below 0: a rebate.",
        ),
        click.option(
            "--limit-fill",
            default="touch",
            show_default=True,
            help="When a resting limit fills: touch; through:TICKS; share:FRACTION of volume.",
        ),
        click.option(
            "--latency",
            default="0s",
            show_default=True,
            help="From a close to the venue: 500ms, 2s, 1m.",
        ),
        click.option(
            "--leverage",
            type=float,
            default=50.0,
            show_default=True,
            help="Most notional over equity; never more than the coin's own.",
        ),
        click.option(
            "--equity",
            type=float,
            default=10_000.0,
            show_default=True,
            help="Of an account at the start, USD.",
        ),
        click.option("--seed", type=int, default=0, show_default=True, help="Of all draws."),
    ]
    for option in reversed(options):
        verb = option(verb)
    return verb


def as_moment(text: str, option: str) -> datetime:
    """Return a UTC date or an ISO moment as a UTC time.

    >>> as_moment("2026-02-03", "--from").isoformat()
    '2026-02-03T00:00:00+00:00'
    >>> as_moment("2026-02-03T02:00+02:00", "--from").isoformat()
    '2026-02-03T00:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{option} {text!r} is neither a date such as 2026-02-03 nor a moment such as "
            "2026-02-03T12:00Z"
        ) from None
    if not 2000 <= moment.year < 2200:  # beyond, time zones and warm-up leave the calendar
        raise ValueError(f"{option} {text!r} is no time of this market; years are 2000 to 2199")
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC)


def as_coins(values: Sequence[str]) -> list[str]:
    """Return the coins of a repeated option or a comma list, each once.

    >>> as_coins(("BTC,ETH", "SOL", "BTC"))
    ['BTC', 'ETH', 'SOL']
    """
    names = (name.strip() for value in values for name in value.split(","))
    return list(dict.fromkeys(name for name in names if name))


def as_latency(text: str) -> int:
    """Return a latency in microseconds.

    >>> as_latency("500ms"), as_latency("2s")
    (500000, 2000000)
    """
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    try:
        return round(float(number) * UNITS[text[len(number) :]])
    except (ValueError, KeyError, OverflowError):
        raise ValueError(
            f"--latency {text!r} is no length of time; write 500ms, 2s, 1m or 1h"
        ) from None


def as_limit(text: str) -> dict[str, object]:
    """Return the terms by which a resting limit fills.

    >>> as_limit("through:2"), as_limit("touch")
    ({'limit': 'through', 'ticks': 2.0}, {'limit': 'touch'})
    """
    kind, _, number = text.partition(":")
    field = {"touch": None, "through": "ticks", "share": "volume_share"}
    if kind not in field or (number and field[kind] is None):
        raise ValueError(
            f"--limit-fill {text!r} must be touch, through:TICKS or share:FRACTION"
        )
    if not number:
        return {"limit": kind}
    try:
        return {"limit": kind, str(field[kind]): float(number)}
    except ValueError:
        raise ValueError(f"--limit-fill {text!r}: {number!r} is no number") from None


def question_of(strategy: Any, draws: int = 200, **words: Any) -> Question:
    """Return the question that the words of :func:`question_options` ask of ``strategy``."""
    import numpy as np

    from backtest.question import Question
    from backtest.terms import Costs, Terms

    names = as_coins(words["coins"])
    if not names:
        raise ValueError("--coin must name at least one coin")
    # Rounded, for costs are written beside a run and 2.4 / 1e4 is 0.00023999999999999998.
    costs = Costs(
        round(words["taker_bps"] / 1e4, 12),
        round(words["maker_bps"] / 1e4, 12),
        funding="none" if words["no_funding"] else "charged",
        slippage="none" if words["no_slippage"] else "charged",
    )
    return Question(
        strategy=strategy,
        coins=tuple(names),
        since=as_moment(words["since"], "--from"),
        until=as_moment(words["until"], "--to"),
        account=words["account"],
        interval=words["interval"],
        venue=words["venue"],
        knowable=words["knowable"],
        live_flow=words["live_flow"],
        terms=Terms(
            costs,
            latency=np.timedelta64(as_latency(words["latency"]), "us"),
            leverage=words["leverage"],
            start_equity=words["equity"],
            **as_limit(words["limit_fill"]),
        ),
        seed=words["seed"],
        draws=draws,
    )
