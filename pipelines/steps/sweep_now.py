"""This module sweeps the venue as a person or a job asks for it: find, plan, say, ask, land."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pipelines.landed import Landed
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.budget import Budget, budget_for
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import ask_dexes, discover
from pipelines.steps.sweep import SOURCE, sweep
from pipelines.steps.sweep_asking import (
    BATCH_WEIGHT,
    FIRST_DEX,
    OF_A_DEX,
    TOGETHER,
    Progress,
    weight_of_sweep,
)
from pipelines.steps.sweep_book import KnownModes, read_book, read_modes
from pipelines.steps.sweep_modes import (
    SHARE,
    SPOT_WEIGHT,
    WEIGHT,
    Modes,
    affordable_modes,
    ask_modes,
    choose_modes,
)
from pipelines.steps.sweep_plan import Plan, plan_sweep
from warehouse.catalog import open_lake
from warehouse.contracts.tables import SNAPSHOTS


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
    weight
        What all of it weighs where the venue answers for many at once.
    """

    dexes: list[str]
    plan: Plan
    ask_mode: list[str]
    modes: KnownModes
    spots: int | None
    weight: int


def sweep_now(
    lake: Path | str,
    url: str,
    leaderboard: str | None,
    *,
    dex: str | None = None,
    minutes: float | None = None,
    listen: float | None = None,
    reserve: float = 0.1,
    simulated: bool = False,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Landed]:
    """Find accounts, plan whom to ask within ``minutes``, say so, ask them, land the answers.

    Parameters
    ----------
    lake
        Folder or URL of the lake; accounts it knows are asked too.
    url, leaderboard
        The venue's API, and the file that lists accounts; None: it is not read.
    dex
        The only perp dex to ask about, ``hyperliquid`` for the first; without it, all.
    minutes
        How long asking may take; None: as long as all known accounts take.
    listen
        Seconds to listen to trades before, for accounts; None: not at all.
    reserve
        Share of the venue's rate limit to leave alone.
    simulated
        Whether the venue is made up: its rows say so, and only this can tell them.
    say, progress, now
        Where lines and progress go; the clock.

    Raises
    ------
    ValueError
        If there is no such dex.
    UnreachableError
        If the venue does not answer; what was found before is landed.
    SourceError
        If the first dex's contexts are not as documented; another dex is a gap.
    """
    budget = budget_for(url, reserve)
    client_of = partial(InfoClient, url, budget, say)
    dexes = chosen_dexes(ask_dexes(client_of), dex)
    found = discover(client_of, lake, leaderboard, now, simulated, dexes, listen)
    intent = _intent(lake, dexes, now(), budget.limit, minutes)
    say(said(intent, budget))
    remembered = intent.modes.words
    modes = ask_modes(client_of, intent.ask_mode, remembered, progress)
    modes.spots = intent.spots
    found.unknown_fields |= modes.unknown
    landed = [found]
    for one in dexes:
        ask = partial(sweep, client_of, lake, intent.plan.accounts.get(one, []))
        try:
            landed += ask(
                skipped=intent.plan.skipped.get(one, 0),
                dex=one,
                modes=modes,
                source="simulated" if simulated else SOURCE,
                progress=progress,
                now=now,
            )
        except SourceError as error:
            if not one or isinstance(error, UnreachableError):
                raise
            landed.append(Landed(SNAPSHOTS.name, gaps=[f"dex {one}: {error}"]))
    return landed


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


def affordable_accounts(minutes: float, limit: int, dexes: int) -> int:
    """Return how many accounts can be asked, all dexes together, beside the other questions.

    Each dex costs its contexts, and a question that is not full.

    >>> affordable_accounts(10, 1080, 1), affordable_accounts(0.1, 1080, 9)
    (16050, 1)
    """
    weight = minutes * limit * (1 - 2 * SHARE) - dexes * (OF_A_DEX + BATCH_WEIGHT)
    return max(1, int(weight / BATCH_WEIGHT) * TOGETHER)


def _intent(
    lake: Path | str, dexes: list[str], at: datetime, limit: int, minutes: float | None
) -> Intent:
    affordable = None if minutes is None else affordable_accounts(minutes, limit, len(dexes))
    with open_lake(lake) as con:
        book, known = read_book(con, dexes), read_modes(con)
    plan = plan_sweep(book, at, affordable)
    weight = len(dexes) * OF_A_DEX
    weight += sum(weight_of_sweep(len(accounts)) for accounts in plan.accounts.values())
    modes = affordable_modes(weight if minutes is None else int(minutes * limit))
    asked = (account for accounts in plan.accounts.values() for account in accounts)
    ask_mode = choose_modes(asked, known.asked_ts, at, modes)
    spots = None if minutes is None else int(minutes * limit * SHARE) // SPOT_WEIGHT
    pooled = Modes(known.words, spots=spots).pooled(plan.accounts.get("", []))
    weight += len(ask_mode) * WEIGHT + len(pooled) * SPOT_WEIGHT
    return Intent(dexes, plan, ask_mode, known, spots, weight)


def said(intent: Intent, budget: Budget) -> str:
    """Return the plan as one line."""
    plan, minutes = intent.plan, budget.seconds_for(budget.spent + intent.weight) / 60
    return (
        f"sweep: asks {plan.asked} accounts on {len(intent.dexes)} dexes, {plan.hot} of them "
        f"near liquidation, and {len(intent.ask_mode)} for their mode, and leaves out "
        f"{sum(plan.skipped.values())}; weight {intent.weight} of {budget.limit} a minute, "
        f"about {minutes:.0f} min where the venue answers for many at once"
    )
