"""This module replays other decisions on a coin's tape, as placebos and what-ifs ask for."""

from dataclasses import replace

import numpy as np

from backtest.decisions import Decisions
from backtest.leg import Leg
from backtest.replay import Replay, replay
from backtest.tape import Tape
from backtest.terms import AT_ONCE, Terms


def again(
    tape: Tape, decisions: Decisions, *, terms: Terms | None = None, bound: str = "pessimistic"
) -> Replay:
    """Replay decisions of the period on a tape.

    Parameters
    ----------
    tape
        What the venue did.
    decisions
        One per bar of the period, those of the warm-up left out.
    terms
        What the account is charged and allowed; null: as the tape has it.
    bound
        Reading of bars that leave open what came first.

    Raises
    ------
    ValueError
        If a decision is one that no venue would take.
    """
    terms = terms or tape.terms
    margin = tape.margin
    # Finer bars say what came first, which only one reading asks, and when an order arrives.
    looks_inside = bound == "drilled" or terms.latency > AT_ONCE
    leg = Leg(
        tape.period,
        decisions,
        tape.funding.rate,
        tape.slippage,
        oracle_px=tape.funding.oracle_px,
        fine=tape.fine if looks_inside else None,
        size_decimals=tape.decimals,
        tiers=None if margin is None else margin.tiers,
        max_leverage=np.inf if margin is None else margin.max_leverage,
    )
    return replay([leg], terms, bound=bound)


def sized(decisions: Decisions, factor: float) -> Decisions:
    """Return decisions of ``factor`` times the notional; shares of equity stay as they are."""
    notional = decisions.orders["notional"]
    return decisions.but(notional=np.asarray(notional) * factor)


def funded(terms: Terms, factor: float) -> Terms:
    """Return terms of an account of ``factor`` times the equity."""
    return replace(terms, start_equity=terms.start_equity * factor)
