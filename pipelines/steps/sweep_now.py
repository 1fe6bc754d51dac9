"""This module sweeps the venue as a person or a job asks for it: find, plan, say, ask, land."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from pipelines.landed import Landed
from pipelines.sources.info.budget import Budget
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import discover
from pipelines.steps.sweep import (
    BATCH_WEIGHT,
    SOURCE,
    TOGETHER,
    Progress,
    sweep,
    weight_of_sweep,
)
from pipelines.steps.sweep_plan import Plan, plan_sweep
from warehouse.catalog import open_lake


def sweep_now(
    lake: Path,
    url: str,
    leaderboard: str | None,
    *,
    dex: str = "",
    minutes: float | None = None,
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
        Folder of the lake; accounts it knows are asked too.
    url, leaderboard
        The venue's API, and the file that lists accounts; None: it is not read.
    dex
        Which perp dex; the first has no name.
    minutes
        How long asking may take; None: as long as all known accounts take.
    reserve
        Share of the venue's rate limit to leave alone.
    simulated
        Whether the venue is made up: its rows say so, and only this can tell them.
    say, progress, now
        Where lines and progress go; the clock.

    Raises
    ------
    UnreachableError
        If the venue does not answer; what was found before is landed.
    """
    budget = Budget(reserve=reserve)
    client_of = partial(InfoClient, url, budget, say)
    found = discover(client_of, lake, leaderboard, now, simulated)
    plan = _plan(lake, now(), budget, minutes)
    weight = weight_of_sweep(len(plan.accounts))
    seconds = budget.seconds_for(budget.spent + weight)
    say(
        f"sweep: asks {len(plan.accounts)} accounts, {plan.hot} of them near liquidation, and "
        f"leaves out {plan.skipped}; weight {weight} of {budget.limit} a minute, about "
        f"{seconds / 60:.0f} min where the venue answers for many at once"
    )
    landed = sweep(
        client_of,
        lake,
        plan.accounts,
        skipped=plan.skipped,
        dex=dex,
        source="simulated" if simulated else SOURCE,
        progress=progress,
        now=now,
    )
    return [found, *landed]


def _plan(lake: Path, at: datetime, budget: Budget, minutes: float | None) -> Plan:
    affordable = None
    if minutes is not None:
        affordable = max(1, int(minutes * budget.limit / BATCH_WEIGHT) * TOGETHER)
    with open_lake(lake) as con:
        return plan_sweep(con.sql("from account_book").pl(), at, affordable)
