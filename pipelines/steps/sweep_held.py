"""This module finds out which answers of a sweep the lake holds already.

An answer that is of the same instant as one that is held is that one: the venue's clock stood
still, or something on the way gave an old answer again.  It says nothing new.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from warehouse.catalog import open_lake
from warehouse.store import NoLake

TICK = timedelta(microseconds=1)  # the venue's times are of milliseconds
ANSWERS = """
select account, state_ts
from accounts
where
    source = $source and scope = $scope and positions is not null
    and state_ts between $since and $until
    and day between ($since at time zone 'UTC')::date and ($until at time zone 'UTC')::date
"""
SNAPSHOTS = """
select snapshot_ts
from snapshots
where
    source = $source and scope = $scope and snapshot_ts >= $since
    and day >= ($since at time zone 'UTC')::date
"""


class Held(NamedTuple):
    """What the lake holds of a source and a scope, of the instants that are asked about.

    Attributes
    ----------
    answers
        Account and instant of each answer.
    snapshots
        Instants of snapshots.
    """

    answers: frozenset[tuple[str, datetime]] = frozenset()
    snapshots: frozenset[datetime] = frozenset()

    def has(self, account: str, at: datetime) -> bool:
        """Return whether an answer is held."""
        return (account.lower(), at) in self.answers

    def free(self, at: datetime) -> datetime:
        """Return the first instant from ``at`` on that no snapshot has.

        >>> at = datetime(2026, 1, 5)
        >>> Held(snapshots=frozenset({at})).free(at) - at
        datetime.timedelta(microseconds=1)
        """
        while at in self.snapshots:
            at += TICK
        return at


def held_of(lake: Path | str, source: str, scope: str, moments: Mapping[str, datetime]) -> Held:
    """Return what the lake holds at the instants of answers; nothing, if it is not there yet.

    Parameters
    ----------
    lake
        Folder or URL of the lake.
    source, scope
        Of the answers.
    moments
        Account -> instant of its answer.
    """
    if not moments:
        return Held()
    try:
        con = open_lake(lake)
    except NoLake:
        return Held()
    span = {"since": min(moments.values()), "until": max(moments.values())}
    asked = {"source": source, "scope": scope}
    with con:
        answers = con.sql(ANSWERS, params=asked | span).fetchall()
        snapshots = con.sql(SNAPSHOTS, params=asked | {"since": span["since"]}).fetchall()
    return Held(
        frozenset((account, at) for account, at in answers),
        frozenset(at for (at,) in snapshots),
    )
