"""This module sweeps one dex of the venue: it asks accounts what they hold, and lands it.

Each account's answer is of its own moment; so each is landed with its own, and a reader merges
the newest of each.  A sweep takes minutes or hours, and is landed in slices: what was answered
in five minutes is a snapshot of its own, with what was asked, answered, failed and left out.
So a sweep that is killed has lost a slice, a map is fresh before the sweep has ended, and a
venue that fails for a while spoils the trust in that while only.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipelines.landed import Landed
from pipelines.sources.info.client import InfoClient
from pipelines.steps.instrument_news import newest_rules, news
from pipelines.steps.land_rows import land_rows
from pipelines.steps.sweep_asking import Asking, Progress, Swept
from pipelines.steps.sweep_held import held_of
from pipelines.steps.sweep_modes import Modes
from pipelines.steps.sweep_rows import Slice, rows_of, scope_of
from pipelines.steps.sweep_time import next_slice
from pipelines.steps.sweep_way import Way
from warehouse.contracts.tables import ACCOUNTS, POSITIONS, SNAPSHOTS
from warehouse.store import Origin

SOURCE = "info"


def sweep(
    client_of: Callable[[], InfoClient],
    lake: Path | str,
    accounts: Sequence[str],
    *,
    skipped: int = 0,
    dex: str = "",
    modes: Modes | None = None,
    way: Way | None = None,
    source: str = SOURCE,
    until: datetime | None = None,
    progress: Progress | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Landed]:
    """Ask accounts for what they hold, and land the answers slice by slice.

    Parameters
    ----------
    client_of
        Makes the client; a client belongs to one event loop.
    lake
        Folder of the lake.
    accounts
        Whom to ask, in order.
    skipped
        How many more are known of, and not asked.
    dex
        Which perp dex; the first has no name.
    modes
        What is known of how accounts keep their collateral; of those who pool it in spot, the
        sweep of the first dex asks for that too.
    way
        How the endpoint is asked for accounts; without it, many at once as long as it answers.
    source
        What the rows say of where they came from.
    until
        When to stop asking: who was not asked then is skipped; None: all are asked.
    progress
        Called with what is done, how many are done, and of how many.
    now
        The clock.

    Returns
    -------
    list of Landed
        Of instruments (those whose rules are not the newest the lake knows), contexts,
        positions, accounts (``duplicates``: answers that the lake held) and snapshots.

    Raises
    ------
    UnreachableError
        If the venue does not answer at all.
    SourceError
        If the contexts of the dex are not as documented.
    """
    count = len(accounts)
    way = way or Way(total=count, left=count)
    asking = Asking(client_of, dex, modes or Modes(), way, progress, now)
    landed: dict[str, Landed] = {}
    failed: dict[str, str] = {}
    left, first = list(accounts), True
    while first or (left and not asking.silent and (until is None or now() < until)):
        swept = asking.gather(left, next_slice(now(), until), first)
        about = Slice(source, scope_of(dex), count + skipped, now())
        for one in _landed(swept, lake, about):
            landed.setdefault(one.table, Landed(one.table)).add(one)
        failed |= swept.failed
        left, first = swept.left, False
    way.left -= len(left)
    if failed:
        account, reason = next(iter(failed.items()))
        landed[ACCOUNTS.name].gaps.append(
            f"{len(failed)} of {count - len(left)} accounts did not answer; {account}: {reason}"
        )
    if left:
        why = way.silence.said if asking.silent else "time was over"
        landed[SNAPSHOTS.name].gaps.append(
            f"{why}: {len(left)} of {count} accounts on {scope_of(dex)} were not asked"
        )
    if held := landed[ACCOUNTS.name].duplicates:
        landed[ACCOUNTS.name].notes.append(
            f"{held} answers on {scope_of(dex)} are of an instant that the lake holds them of: "
            "the venue's clock stands, or something gives its old answers again"
        )
    return list(landed.values())


def _landed(swept: Swept, lake: Path | str, about: Slice) -> list[Landed]:
    """Land what was gathered, all or none."""
    if swept.instruments:
        asked_ts = swept.instruments[0]["effective_ts"]
        swept.instruments = news(swept.instruments, newest_rules(lake, about.source, asked_ts))
    moments = {account: state.time_ts for account, state in swept.states.items()}
    rows = rows_of(swept, held_of(lake, about.source, about.scope, moments), about)
    origins = [Origin.of(f"{swept.url}/info")]
    landed = land_rows(lake, rows, about.part, origins, lambda: about.ended)
    for one in landed:
        if one.table == POSITIONS.name:
            one.unknown_fields = swept.unknown
        elif one.table == ACCOUNTS.name:
            one.duplicates = len(swept.states) - one.rows
    return landed
