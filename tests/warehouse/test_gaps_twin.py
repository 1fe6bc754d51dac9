"""What is missing, and why: against an obvious twin."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.warehouse.gap_rows import CADENCES, D0, ask, day_part, hour_part
from warehouse.health.cadences import DAY, HOUR, Cadence
from warehouse.health.gaps import gaps_of
from warehouse.known_holes import Hole


def twin(parts, asks, cadences, holes, now, since, until):
    """Say for each hour or day of each source, one after the other, whether and why it lacks.

    Returns rows of table, source, instant and reason.
    """
    said = []
    for (table, source), cadence in cadences.items():
        ours = [p for p in parts if (p["table_name"], p["source"]) == (table, source)]
        heard = [a for a in asks if (a["table_name"], a["source"]) == (table, source)]
        if not ours and not heard:
            continue
        days = [one["day"] for one in [*ours, *heard]]
        low, high = since or min(days), until or now.date() + DAY
        at = datetime(low.year, low.month, low.day, tzinfo=UTC)
        while at.date() < high:
            step, at = at, at + cadence.every
            if at > now or (cadence.first and step < cadence.first):
                continue
            if cadence.every == DAY:
                held = any(p["day"] == step.date() for p in ours)
                told = [a for a in heard if a["day"] == step.date()]
            else:
                held = any(p["min_ts"] <= step + timedelta(minutes=59) and step <= p["max_ts"]
                           for p in ours)  # fmt: skip
                told = [
                    a for a in heard if a["day"] == step.date() and a["hour"] in (-1, step.hour)
                ]
            told.sort(key=lambda a: (a["asked_ts"], a["hour"]))
            torn = cadence.every == HOUR and told and told[-1]["hour"] == step.hour
            if held and not (torn and told[-1]["outcome"] == "failed"):
                continue
            outcome = told[-1]["outcome"] if told else None
            fact = any(
                h.source == source and table in h.tables and h.since <= step and at <= h.until
                for h in holes
            )
            if outcome == "blocked":
                reason = "blocked"
            elif fact:
                reason = "known hole"
            elif outcome == "failed":
                reason = "failed"
            elif step + cadence.after > now:
                reason = "not yet published"
            else:
                reason = "never asked" if outcome is None else "missing at source"
            said.append((table, source, step, reason))
    return sorted(said)


hours = st.integers(0, 95)
outcomes = st.sampled_from(["absent", "failed", "blocked"])
fill_asks = st.builds(
    ask, outcomes, st.integers(0, 3), st.integers(-1, 23), asked=st.integers(0, 9)
)
day_asks = st.builds(
    ask,
    outcomes,
    st.integers(0, 3),
    table=st.just("positions"),
    source=st.just("vault"),
    asked=st.integers(0, 9),
)
holes = st.builds(
    lambda source, table, low, length: Hole(
        source, (table,), D0 + low * HOUR, D0 + (low + length) * HOUR, "x", "y", D0.date()
    ),
    st.sampled_from(["node", "vault"]),
    st.sampled_from(["fills", "positions"]),
    hours,
    hours,
)


@given(
    st.lists(st.one_of(st.builds(hour_part, hours), st.builds(day_part, st.integers(0, 3)))),
    st.lists(st.one_of(fill_asks, day_asks), unique_by=lambda a: (a["source"], a["asked_ts"])),
    st.lists(holes, max_size=3),
    st.integers(0, 7 * 24 * 60),
    st.one_of(st.none(), st.integers(-2, 3)),
    st.one_of(st.none(), st.integers(-1, 6)),
    st.one_of(st.none(), hours),
)
def test_gaps_agree_with_looking_at_one_hour_after_the_other(
    parts, asks, known, minutes, since, until, first
):
    now = D0 + timedelta(minutes=minutes)
    bounds = [None if one is None else (D0 + one * DAY).date() for one in (since, until)]
    begins = None if first is None else D0 + first * HOUR
    cadences = CADENCES | {
        ("fills", "node"): Cadence(
            "node", ("fills",), HOUR, timedelta(minutes=122), first=begins
        )
    }
    got = gaps_of(parts, asks, cadences, known, now, *bounds)
    flat = []
    for gap in got:
        midnight = datetime(gap.day.year, gap.day.month, gap.day.day, tzinfo=UTC)
        starts = [midnight + hour * HOUR for hour in gap.hours] or [midnight]
        assert len(starts) == gap.missing
        assert gap.there + sum(g.missing for g in got if g[:3] == gap[:3]) == gap.expected
        flat += [(gap.table_name, gap.source, start, gap.reason) for start in starts]
    assert sorted(flat) == twin(parts, asks, cadences, known, now, *bounds)
