"""This module sweeps the venue as a person or a job asks for it: find, plan, say, ask, land."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from pipelines.landed import Landed
from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.budget import budget_for
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import VAULTS, ask_dexes, discover
from pipelines.steps.sweep import SOURCE, sweep
from pipelines.steps.sweep_asking import Progress
from pipelines.steps.sweep_intent import Intent, chosen_dexes, intent_of, said, said_anew
from pipelines.steps.sweep_modes import ask_modes
from pipelines.steps.sweep_rows import scope_of
from pipelines.steps.sweep_silence import Silence
from pipelines.steps.sweep_time import shared
from pipelines.steps.sweep_way import Way, answers_together
from warehouse.contracts.tables import SNAPSHOTS


def sweep_now(
    lake: Path | str,
    url: str,
    leaderboard: str | None,
    *,
    dex: str | None = None,
    minutes: float | None = None,
    ends: datetime | None = None,
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
        How long asking may take, once accounts are found; who is not asked then is skipped.
        None: as long as all known accounts take.
    ends
        When asking stops however long finding took; None: ``minutes`` alone says it.
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
    together = answers_together(client_of, VAULTS[0], dexes[0])
    began = now()
    until, minutes = _end(began, minutes, ends)
    intent = intent_of(lake, dexes, began, budget.limit, minutes, together)
    say(said(intent, budget))
    weights = [intent.weight_of_modes, *map(intent.weight_of, dexes)]
    stop = shared(began, until, weights)
    remembered = intent.modes.words
    modes = ask_modes(client_of, intent.ask_mode, remembered, progress, stop, now)
    modes.spots = intent.spots
    found.unknown_fields |= modes.unknown
    way = Way(together, intent.plan.asked, intent.plan.asked)
    way.changed = lambda: say(said_anew(way.left, until, budget))
    source = "simulated" if simulated else SOURCE
    ask = partial(sweep, client_of, lake, modes=modes, way=way, source=source)
    landed = [found]
    for nth, one in enumerate(dexes, start=1):
        stop = shared(now(), until, weights[nth:])
        try:
            swept = partial(ask, until=stop, progress=progress, now=now)
            landed += _on_dex(swept, intent, one, way.silence, stop, now())
        except SourceError as error:
            if not one or isinstance(error, UnreachableError):
                raise
            landed.append(Landed(SNAPSHOTS.name, gaps=[f"dex {one}: {error}"]))
    return landed


def _on_dex(
    ask: Callable[..., list[Landed]],
    intent: Intent,
    dex: str,
    silence: Silence,
    until: datetime | None,
    at: datetime,
) -> list[Landed]:
    """Sweep one dex, if there is time left, and somebody who answers."""
    accounts = intent.plan.accounts.get(dex, [])
    silent = silence.lasts(at)
    if silent or (until is not None and at >= until):
        why = silence.said if silent else "time was over"
        gap = f"{why}: nothing was asked on {scope_of(dex)}, {len(accounts)} accounts"
        return [Landed(SNAPSHOTS.name, gaps=[gap])]
    return ask(accounts, skipped=intent.plan.skipped.get(dex, 0), dex=dex)


def _end(
    began: datetime, minutes: float | None, ends: datetime | None
) -> tuple[datetime | None, float | None]:
    """Return when asking stops, and how many minutes that are; None: when all are asked.

    >>> at = datetime(2026, 1, 5, 12)
    >>> _end(at, 10.0, at + timedelta(minutes=5))[1], _end(at, 10.0, None)[1]
    (5.0, 10.0)
    >>> _end(at, None, None)
    (None, None)
    """
    if minutes is not None:
        until = began + timedelta(minutes=minutes)
        ends = until if ends is None else min(ends, until)
    return ends, None if ends is None else max(0.0, (ends - began).total_seconds() / 60)
