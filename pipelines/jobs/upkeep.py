"""This module keeps the lake in order after a night: checks, compaction, freshness."""

import os
from datetime import UTC, date, datetime, timedelta

from pipelines.landed import Landed
from pipelines.settings import Settings
from warehouse.checks import note_findings, run_checks
from warehouse.contracts.ledger import PARTS
from warehouse.contracts.tables import INCIDENTS
from warehouse.health.alarms import WEBHOOK, AlarmError, post_alarm
from warehouse.health.freshness import ages_in, alarm_of, sentence_of
from warehouse.store import Lake
from warehouse.store.compaction import compact

DAY = timedelta(days=1)


def _wall() -> datetime:
    return datetime.now(UTC)


def check_day(settings: Settings, day: date) -> list[Landed]:
    """Check a closed day, and the one before once more; what is found lands as incidents.

    A window that crosses midnight is found on the day it starts on, when the next is there.
    """
    lake = Lake.at(settings.lake)
    if not lake.exists():
        return []
    since, until = day - DAY, day + DAY
    found = run_checks(lake, since, until)
    note_findings(lake, found, since, until, None, _wall)
    return [Landed(INCIDENTS.name, rows=len(found), notes=[str(one) for one in found])]


def compact_day(settings: Settings, day: date) -> list[Landed]:
    """Compact a closed day, and the one before: what came late for it lies beside it."""
    lake = Lake.at(settings.lake)
    if not lake.exists():
        return []
    grace = timedelta(seconds=settings.run.grace)
    done = compact(lake, _wall(), day - DAY, day + DAY, grace=grace)
    notes = [f"compaction: {one}" for one in done.damaged]
    return [Landed(PARTS.name, rows=done.parts, notes=notes)]


def check_freshness(settings: Settings) -> list[Landed]:
    """Say which sources are stale, to the webhook too; a job that did its work has not failed.

    A webhook that cannot be told is said, and hides nothing.
    """
    lake, now = Lake.at(settings.lake), _wall()
    if not lake.exists():
        return []
    ages = ages_in(lake, now)
    notes = [f"stale: {sentence_of(age)}" for age in ages if age.stale]
    if (alarm := alarm_of(ages, lake, now)) and (url := os.environ.get(WEBHOOK)):
        try:
            post_alarm(url, alarm)
        except AlarmError as error:
            notes.append(str(error))
    return [Landed("freshness", notes=notes)]
