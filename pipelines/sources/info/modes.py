"""This module translates ``userAbstraction`` and ``spotClearinghouseState``: where margin lies.

Hyperliquid docs, "Account abstraction modes" (read 2026-08-22): with a unified account or under
portfolio margin, collateral lies in spot, and the value that a perp dex states means nothing.
The words of the answer are not in the venue's documents; they are as its clients spell them.
``default`` is what an account says that never chose: perp and spot apart, as with ``disabled``.
"""

from typing import Any, NamedTuple

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import Fields, shown

MODES = {
    "default": "standard",
    "disabled": "standard",
    "dexAbstraction": "dex_abstraction",
    "unifiedAccount": "unified",
    "portfolioMargin": "portfolio_margin",
}
POOLED = frozenset({"unified", "portfolio_margin"})  # collateral lies in spot
KNOWN_OF_BALANCE = frozenset(
    {"coin", "token", "total", "hold", "entryNtl", "supplied", "borrowed"}
)
KNOWN_OF_SPOT = frozenset({"balances", "tokenToAvailableAfterMaintenance"})
USDC = 0  # token index, from which the first dex takes its collateral


class Mode(NamedTuple):
    """How an account keeps its collateral.

    Attributes
    ----------
    word
        ``standard``, ``dex_abstraction``, ``unified`` or ``portfolio_margin``; None: the venue
        used a word that is not known.
    unknown
        That word, to be counted; None: it is known.
    """

    word: str | None
    unknown: str | None


class Spot(NamedTuple):
    """What an account holds in spot.

    Attributes
    ----------
    usdc
        Total of USDC, what orders hold included, USD; 0 where the list has none.
    unknown
        Fields that are not known, by name.
    """

    usdc: float
    unknown: set[str]


def to_mode(answer: Any, account: str) -> Mode:
    """Translate ``userAbstraction``.  Pure.

    Raises
    ------
    SourceError
        If the answer is no text.

    Examples
    --------
    >>> to_mode("unifiedAccount", "0xab")
    Mode(word='unified', unknown=None)
    >>> to_mode("newMode", "0xab")
    Mode(word=None, unknown='userAbstraction newMode')
    """
    if not isinstance(answer, str):
        raise SourceError(f"userAbstraction {account}: must be text, is {shown(answer)}")
    word = MODES.get(answer)
    return Mode(word, None if word else f"userAbstraction {answer[:40]}")


def to_spot(answer: Any, account: str) -> Spot:
    """Translate ``spotClearinghouseState``.  Pure.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or USDC is listed twice.

    Examples
    --------
    >>> usdc = {"coin": "USDC", "token": 0, "total": "14.625485", "hold": "0.0"}
    >>> purr = {"coin": "PURR", "token": 1, "total": "2000", "hold": "100"}
    >>> to_spot({"balances": [usdc, purr]}, "0xab")
    Spot(usdc=14.625485, unknown=set())
    """
    fields = Fields(answer, f"spotClearinghouseState {account}")
    unknown = {f"spot.{name}" for name in fields.value.keys() - KNOWN_OF_SPOT}
    totals = []
    for each in fields.objects("balances"):
        unknown |= {f"balance.{name}" for name in each.value.keys() - KNOWN_OF_BALANCE}
        if each.integer("token") == USDC:
            totals.append(each.decimal("total"))
    if len(totals) > 1:
        raise SourceError(f"{fields.where}: USDC must be listed once, is {len(totals)} times")
    return Spot(sum(totals), unknown)
