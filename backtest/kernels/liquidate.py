"""This module says at which price the account's own margin is gone."""

import numpy as np

from warehouse.kernels._jit import kernel
from warehouse.kernels.margin import maintenance_at, px_at


@kernel
def liquidation_level(book, terms, coin, others):
    """Return the price of ``coin`` at which the account is liquidated, the other coins fixed.

    Parameters
    ----------
    book, terms
        As in :mod:`backtest.kernels.account`.
    coin : int
        Coin whose position is looked at.
    others : float64[c]
        Prices of the other coins, USD.

    Returns
    -------
    float64
        USD.  NaN: no price does it, or the coin's margin tiers are left out.

    Notes
    -----
    What the other coins may still owe of the bar's payments is not there.
    """
    held, cash, owed = book[0], book[1], book[10]
    instrument, first, rate, deduction = terms[4], terms[5], terms[6], terms[7]
    if instrument[coin] < 0:
        return np.nan
    raw = cash[0]
    for c in range(held.size):
        if c != coin and held[c].side != 0:
            raw += held[c].coins * others[c] - owed[c]
            if instrument[c] >= 0:
                low, high = first[instrument[c]], first[instrument[c] + 1]
                notional = abs(held[c].coins) * others[c]
                raw -= maintenance_at(notional, low, high, rate, deduction)
    low, high = first[instrument[coin]], first[instrument[coin] + 1]
    return px_at(held[coin].coins, raw, low, high, rate, deduction)


@kernel
def maintenance_of(terms, coin, notional):
    """Return the maintenance margin of a position of ``notional``, USD."""
    instrument, first, rate, deduction = terms[4], terms[5], terms[6], terms[7]
    low, high = first[instrument[coin]], first[instrument[coin] + 1]
    return maintenance_at(notional, low, high, rate, deduction)


@kernel
def is_exhausted(book, terms, px):
    """Return whether equity at ``px`` is below the maintenance margin of all positions.

    An account of which some coin's margin tiers are left out is never liquidated for it.
    """
    held, cash = book[0], book[1]
    instrument = terms[4]
    equity, least = cash[0], 0.0
    for c in range(held.size):
        if held[c].side != 0:
            equity += held[c].coins * px[c]
            if instrument[c] < 0:
                return False
            least += maintenance_of(terms, c, abs(held[c].coins) * px[c])
    return equity < least
