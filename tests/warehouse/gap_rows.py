"""What the ledger tells of batches, made by hand: for the tests of gaps."""

from datetime import UTC, datetime, timedelta

from warehouse.health.cadences import DAY, HOUR, Cadence
from warehouse.health.gaps import gaps_of
from warehouse.store.asks import ALL_DAY

D0 = datetime(2026, 1, 5, tzinfo=UTC)
NOON = D0 + 36 * HOUR  # of the second day
HOURLY = Cadence("node", ("fills",), HOUR, after=timedelta(minutes=122))
DAILY = Cadence("vault", ("positions",), DAY, after=timedelta(hours=25))
CADENCES = {("fills", "node"): HOURLY, ("positions", "vault"): DAILY}


def hour_part(number, part=None, source="node", span=0):
    start = D0 + number * HOUR
    return {
        "table_name": "fills",
        "source": source,
        "day": start.date(),
        "part": part or f"{source}-{start:%H}",
        "revision": 1,
        "min_ts": start,
        "max_ts": start + span * HOUR + timedelta(minutes=59),
    }


def day_part(number, table="positions", source="vault"):
    at = D0 + number * DAY
    return {
        "table_name": table,
        "source": source,
        "day": at.date(),
        "part": f"{source}-{number}",
        "revision": 1,
        "min_ts": at,
        "max_ts": at,
    }


def ask(outcome, day=0, hour=ALL_DAY, table="fills", source="node", asked=0):
    return {
        "table_name": table,
        "source": source,
        "day": (D0 + day * DAY).date(),
        "hour": hour,
        "outcome": outcome,
        "reason": f"because {outcome}",
        "asked_ts": D0 + asked * HOUR,
    }


def found(parts=(), asks=(), holes=(), now=NOON, cadences=CADENCES, **bounds):
    return gaps_of(parts, asks, cadences, holes, now, **bounds)


def reasons(gaps):
    return [(gap.day.day, gap.reason, gap.hours, gap.why) for gap in gaps]
