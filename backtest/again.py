"""This module replays other decisions on tapes, as placebos and what-ifs ask for."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backtest.decisions import Decisions
from backtest.leg import Leg
from backtest.one_account import replay_shares
from backtest.replay import Replay
from backtest.tape import Tape
from backtest.terms import AT_ONCE, Terms


def again(
    tape: Tape, decisions: Decisions, *, terms: Terms | None = None, bound: str = "pessimistic"
) -> Replay:
    """Replay decisions of the period on a tape, in an account of its own.

    See :func:`together`.
    """
    (played,) = together([tape], [decisions], terms=terms, bound=bound)
    return played


def together(
    tapes: Sequence[Tape],
    decisions: Sequence[Decisions],
    *,
    terms: Terms | None = None,
    bound: str = "pessimistic",
) -> list[Replay]:
    """Replay decisions of the period on tapes, all in one account; return each coin's share.

    Parameters
    ----------
    tapes
        What the venue did, one a coin.
    decisions
        Of each tape one per bar of the period, those of the warm-up left out.
    terms
        What the account is charged and allowed; null: as the tapes have it.
    bound
        Reading of bars that leave open what came first.

    Raises
    ------
    ValueError
        If a decision is one that no venue would take.
    """
    terms = terms or tapes[0].terms
    # Finer bars say what came first, which only one reading asks, and when an order arrives.
    looks_inside = bound == "drilled" or terms.latency > AT_ONCE
    legs = [_leg(*one, looks_inside) for one in zip(tapes, decisions, strict=True)]
    return replay_shares(legs, terms, bound=bound)


def _leg(tape: Tape, decisions: Decisions, looks_inside: bool) -> Leg:
    margin = tape.margin
    return Leg(
        tape.period,
        decisions,
        tape.funding.rate,
        tape.slippage,
        oracle_px=tape.funding.oracle_px,
        stamps=tape.funding.stamps,
        fine=tape.fine if looks_inside else None,
        drill=tape.drill,
        size_decimals=tape.decimals,
        tiers=None if margin is None else margin.tiers,
        max_leverage=np.inf if margin is None else margin.max_leverage,
    )


def sized(decisions: Decisions, factor: float) -> Decisions:
    """Return decisions of ``factor`` times the notional; shares of equity stay as they are."""
    notional = decisions.orders["notional"]
    return decisions.but(notional=np.asarray(notional) * factor)


def funded(terms: Terms, factor: float) -> Terms:
    """Return terms of an account of ``factor`` times the equity."""
    return replace(terms, start_equity=terms.start_equity * factor)
