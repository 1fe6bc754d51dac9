"""This module decides what a sweep is about to ask, and says it before it is asked."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pipelines.sources.info.budget import Budget
from pipelines.steps.sweep_asking import FIRST_DEX
from pipelines.steps.sweep_book import KnownModes, read_book, read_modes
from pipelines.steps.sweep_modes import (
    SHARE,
    SPOT_WEIGHT,
    WEIGHT,
    Modes,
    affordable_modes,
    choose_modes,
)
from pipelines.steps.sweep_pace import lasting
from pipelines.steps.sweep_plan import Plan, plan_sweep
from pipelines.steps.sweep_way import BATCH_WEIGHT, SINGLE_WEIGHT, TOGETHER, weight_of_sweep
from warehouse.catalog import open_lake

OF_A_DEX = 20  # its contexts


class Intent(NamedTuple):
    """What a sweep is about to ask.

    Attributes
    ----------
    dexes
        Every dex that is asked about, the first one nameless.
    plan
        Whom, on which dex.
    ask_mode
        Accounts that are asked for their mode first.
    modes
        What the lake knows of modes.
    spots
        For how many accounts spot may be asked for; None: for all whose collateral lies there.
    weight_of_spot
        What asking those weighs whose collateral is known to lie there.
    together
        Whether the endpoint answers for many accounts at once.
    """

    dexes: list[str]
    plan: Plan
    ask_mode: list[str]
    modes: KnownModes
    spots: int | None
    weight_of_spot: int
    together: bool

    @property
    def weight(self) -> int:
        """Return what all of it weighs."""
        return self.weight_of_modes + sum(map(self.weight_of, self.dexes))

    def weight_of(self, dex: str) -> int:
        """Return what asking one dex weighs."""
        accounts = len(self.plan.accounts.get(dex, []))
        spot = 0 if dex else self.weight_of_spot
        return OF_A_DEX + weight_of_sweep(accounts, self.together) + spot

    @property
    def weight_of_modes(self) -> int:
        """Return what asking for modes weighs."""
        return len(self.ask_mode) * WEIGHT


def intent_of(
    lake: Path | str,
    dexes: list[str],
    at: datetime,
    limit: int,
    minutes: float | None,
    together: bool,
) -> Intent:
    """Return what to ask.

    Parameters
    ----------
    lake
        Folder or URL of the lake.
    dexes
        Which; the first has no name.
    at
        The sweep's start.
    limit
        Weight that may be spent in a minute.
    minutes
        How long asking may take; None: as long as all known accounts take.
    together
        Whether the endpoint answers for many accounts at once.
    """
    affordable = None
    if minutes is not None:
        affordable = affordable_accounts(minutes, limit, len(dexes), together)
    with open_lake(lake) as con:
        book, known = read_book(con, dexes), read_modes(con)
    plan = plan_sweep(book, at, affordable)
    weight = len(dexes) * OF_A_DEX
    weight += sum(weight_of_sweep(len(some), together) for some in plan.accounts.values())
    modes = affordable_modes(weight if minutes is None else int(minutes * limit))
    asked = (account for accounts in plan.accounts.values() for account in accounts)
    ask_mode = choose_modes(asked, known.asked_ts, at, modes)
    spots = None if minutes is None else int(minutes * limit * SHARE) // SPOT_WEIGHT
    pooled = Modes(known.words, spots=spots).pooled(plan.accounts.get("", []))
    of_spot = len(pooled) * SPOT_WEIGHT
    return Intent(dexes, plan, ask_mode, known, spots, of_spot, together)


def affordable_accounts(minutes: float, limit: int, dexes: int, together: bool = True) -> int:
    """Return how many accounts can be asked, all dexes together, beside the other questions.

    Each dex costs its contexts, and a question for many that is not full.

    >>> affordable_accounts(10, 1080, 1), affordable_accounts(0.1, 1080, 9)
    (16100, 1)
    >>> affordable_accounts(10, 1080, 1, together=False)
    3230
    """
    weight = minutes * limit * (1 - 2 * SHARE)
    if not together:
        return max(1, int(weight - dexes * OF_A_DEX) // SINGLE_WEIGHT)
    weight -= dexes * (OF_A_DEX + BATCH_WEIGHT)
    return max(1, int(weight / BATCH_WEIGHT) * TOGETHER)


def said(intent: Intent, budget: Budget) -> str:
    """Return the plan as one line."""
    plan = intent.plan
    how = f"{TOGETHER} in a question" if intent.together else "each alone"
    alone = f"; other processes are not seen ({budget.alone})" if budget.alone else ""
    return (
        f"sweep: asks {plan.asked} accounts on {len(intent.dexes)} dexes, {how}, {plan.hot} of "
        f"them near liquidation, and {len(intent.ask_mode)} for their mode, and leaves out "
        f"{sum(plan.skipped.values())}; weight {intent.weight} of {budget.limit} a minute, "
        f"{about(budget, intent.weight)}{alone}"
    )


def said_anew(left: int, until: datetime | None, budget: Budget) -> str:
    """Return as one line what changes when many are no longer answered for at once."""
    weight = weight_of_sweep(left, together=False)
    end = f", and stops at {until:%H:%M} UTC" if until else ""
    return (
        "sweep: the venue no longer answers for many accounts at once: the "
        f"{left} that are left are asked each alone, {about(budget, weight)} from now{end}"
    )


def about(budget: Budget, weight: int) -> str:
    """Return how long spending weight takes from now on, in words."""
    return lasting(budget.seconds_for(budget.held + weight))


def chosen_dexes(there: Sequence[str], dex: str | None) -> list[str]:
    """Return the dexes to ask about.

    >>> chosen_dexes(["", "xyz"], None), chosen_dexes(["", "xyz"], "hyperliquid")
    (['', 'xyz'], [''])
    >>> chosen_dexes(["", "xyz"], "abc")
    Traceback (most recent call last):
    ValueError: --dex abc: must be one of hyperliquid, xyz
    """
    if not dex:
        return list(there)
    wanted = "" if dex == FIRST_DEX else dex
    if wanted not in there:
        names = ", ".join(name or FIRST_DEX for name in there)
        raise ValueError(f"--dex {dex}: must be one of {names}")
    return [wanted]
