"""What is missing, and why: by hand, against an obvious twin, and on lakes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import batch, land_snapshot, position, snapshot
from warehouse.contracts.tables import SNAPSHOTS
from warehouse.health.cadences import DAY, HOUR, Cadence, by_table_and_source
from warehouse.health.gaps import Gap, ToFill, gaps_in, gaps_of, gaps_to_fill, runs_of, to_fill
from warehouse.known_holes import Hole
from warehouse.store import Lake, NoLake, land
from warehouse.store.asks import ALL_DAY, Ask, record

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


def test_a_whole_lake_lacks_nothing():
    assert found([hour_part(number) for number in range(36)]) == []


def test_of_a_day_22_hours_are_there_and_the_two_others_are_named():
    parts = [hour_part(number) for number in range(24) if number not in (5, 17)]
    assert found(parts, until=date(2026, 1, 6)) == [
        Gap("fills", "node", date(2026, 1, 5), "never asked", 2, 22, 24, (5, 17), None)
    ]


def test_every_reason_is_told_apart():
    there = {0, 1, *range(8, 24)}
    parts = [hour_part(number) for number in there]
    asks = [
        ask("absent", hour=2),
        ask("failed", hour=3),
        ask("blocked", hour=4),
        ask("absent", hour=5),
        ask("blocked", hour=6),
    ]
    hole = Hole("node", ("fills",), D0 + 5 * HOUR, D0 + 7 * HOUR, "none", "a page", D0.date())
    got = found(parts, asks, [hole], now=D0 + 26 * HOUR)
    assert reasons(got) == [
        (5, "missing at source", (2,), "because absent"),
        (5, "failed", (3,), "because failed"),
        (5, "blocked", (4, 6), "because blocked"),
        (5, "known hole", (5,), "none (a page, read 2026-01-05)"),
        (5, "never asked", (7,), None),
        (6, "not yet published", (0, 1), "can be had from 2026-01-06 02:02 UTC on"),
    ]


def test_a_source_that_has_it_not_yet_is_not_said_to_lack_it():
    asks = [ask("absent", hour=0)]
    assert reasons(found(asks=asks, now=D0 + 2 * HOUR))[0][1] == "not yet published"
    late = found(asks=asks, now=D0 + 3 * HOUR)
    assert [(gap.reason, gap.hours) for gap in late] == [
        ("missing at source", (0,)),
        ("not yet published", (1, 2)),
    ]


def test_at_the_instant_of_its_publication_it_can_be_had():
    out = D0 + timedelta(minutes=122)
    for now, reason in (
        (out - timedelta(microseconds=1), "not yet published"),
        (out, "absent"),
    ):
        (first, *_) = found(asks=[ask("absent", hour=0)], now=now)
        assert first.reason == reason.replace("absent", "missing at source")


def test_an_hour_that_has_not_ended_is_not_expected():
    parts = [hour_part(0)]
    assert found(parts, now=D0 + HOUR + timedelta(minutes=59)) == []


def test_a_day_that_was_asked_for_as_a_whole_was_asked_for_in_each_hour():
    parts = [hour_part(number) for number in range(12)]
    (gap,) = found(parts, [ask("failed")], until=date(2026, 1, 6))
    assert (gap.reason, gap.hours, gap.there) == ("failed", tuple(range(12, 24)), 12)


def test_what_was_met_last_is_the_reason():
    asks = [ask("absent", hour=3, asked=9), ask("failed", asked=5)]
    told = {gap.reason: gap.hours for gap in found([], asks, until=date(2026, 1, 6))}
    assert told["missing at source"] == (3,)
    assert len(told["failed"]) == 23


def test_what_is_there_is_missing_for_no_reason():
    parts = [hour_part(number) for number in range(24)]
    assert found(parts, [ask("failed"), ask("blocked", hour=2)], until=date(2026, 1, 6)) == []


def test_days_of_a_daily_source_have_no_hours():
    (gap, unpublished) = found([day_part(0)], now=D0 + 3 * DAY)
    assert gap == Gap("positions", "vault", date(2026, 1, 6), "never asked", 1, 0, 1, (), None)
    assert unpublished.reason == "not yet published"


def test_a_tail_is_of_its_hour_and_a_part_without_an_hour_of_those_of_its_rows():
    tail = [hour_part(0, "node-00-000000004096"), hour_part(1, "node-01-000000000000")]
    rest = [hour_part(2, "by_hand", span=21)]
    assert found([*tail, *rest], until=date(2026, 1, 6)) == []


def test_what_spills_from_an_hours_file_makes_no_other_hour_there():
    spilled = hour_part(6) | {"max_ts": D0 + 7 * HOUR + timedelta(milliseconds=3)}
    parts = [hour_part(number) for number in range(24) if number not in (6, 7)]
    (gap,) = found([*parts, spilled], until=date(2026, 1, 6))
    assert gap.hours == (7,)


def test_a_compacted_day_keeps_its_holes():
    """Compacting keeps the lines of the parts: the file they lie in is one, they are not."""
    parts = [hour_part(number) for number in range(24) if number != 7]
    (gap,) = found(parts, until=date(2026, 1, 6))
    assert gap.hours == (7,)


def test_nothing_is_expected_outside_of_what_a_source_covers():
    short = Cadence(
        "node",
        ("fills",),
        HOUR,
        after=2 * HOUR,
        first=D0 + 22 * HOUR,
        last=D0 + 25 * HOUR,
    )
    got = found(
        [hour_part(22)],
        now=D0 + 9 * DAY,
        since=date(2025, 12, 1),
        cadences={("fills", "node"): short},
    )
    assert [(gap.day.day, gap.hours, gap.expected) for gap in got] == [
        (5, (23,), 2),
        (6, (0, 1), 2),
    ]


def test_rows_that_end_with_the_lake_lack_nothing_after_them():
    made = Cadence("node", ("fills",), HOUR, after=2 * HOUR, bounded=True)
    parts = [hour_part(number) for number in (3, 4, 6)]
    (gap,) = found(parts, now=D0 + 99 * DAY, cadences={("fills", "node"): made})
    assert (gap.hours, gap.expected) == ((5,), 4)


def test_sources_nobody_follows_and_those_without_a_cadence_lack_nothing():
    assert found([], []) == []
    assert found([hour_part(0, source="friend")]) == []


def test_the_range_may_begin_before_the_lake_does():
    (gap, *_) = found([day_part(0)], since=date(2026, 1, 3))
    assert gap.day == date(2026, 1, 3)


def test_a_backfill_asks_for_what_may_be_had():
    once = Cadence("now", ("positions",), DAY, after=DAY, once=True)
    cadences = CADENCES | {("positions", "now"): once}
    parts = [
        *(hour_part(number) for number in range(2, 34)),
        day_part(0, source="now"),
        day_part(0),
    ]
    asks = [ask("failed", hour=0)]
    hole = Hole("vault", ("positions",), D0 + DAY, D0 + 2 * DAY, "none", "page", D0.date())
    now = D0 + 4 * DAY
    gaps = found(parts, asks, [hole], now, cadences, until=date(2026, 1, 9))
    wanted = to_fill(gaps, cadences)
    assert wanted[:2] == [
        ToFill("node", date(2026, 1, 5), (0, 1)),
        ToFill("node", date(2026, 1, 6), tuple(range(10, 24))),
    ]
    assert [one for one in wanted if one.source == "vault"] == [
        ToFill("vault", date(2026, 1, 7), ())
    ]
    assert "now" not in {one.source for one in wanted}


def test_what_one_of_a_sources_files_lacks_is_asked_of_the_source():
    cadence = Cadence("files-universe", ("positions",), DAY, after=DAY)
    cadences = {("positions", "files-universe"): cadence}
    gaps = found([day_part(0, source="files-universe")], now=D0 + 2 * DAY, cadences=cadences)
    assert to_fill(gaps, cadences) == [ToFill("files", date(2026, 1, 6), ())]


def made_up_lake():
    """Return cadences of a made-up source beside that of what it imitates, and its parts."""
    made = Cadence("simulated", ("fills",), HOUR, after=2 * HOUR, bounded=True)
    cadences = CADENCES | {("fills", "simulated"): made}
    parts = [hour_part(number, source="simulated") for number in range(24) if number != 7]
    return cadences, parts


def test_a_made_up_archive_is_asked_by_the_name_of_what_it_imitates():
    cadences, parts = made_up_lake()
    (gap,) = found(parts, [ask("absent", hour=7)], now=D0 + 9 * DAY, cadences=cadences)
    assert (gap.source, gap.reason, gap.hours) == ("simulated", "missing at source", (7,))
    real = found([hour_part(0)], [ask("absent", hour=7)], now=D0 + 12 * HOUR, cadences=cadences)
    assert {gap.source for gap in real} == {"node"}


def test_what_made_up_rows_lack_is_asked_of_what_they_may_imitate():
    cadences, parts = made_up_lake()
    daily = Cadence("export", ("fills",), DAY, after=DAY)
    cadences |= {("fills", "export"): daily}
    gaps = found(parts, now=D0 + 9 * DAY, cadences=cadences)
    assert to_fill(gaps, cadences) == [ToFill("node", date(2026, 1, 5), (7,))]


def test_days_in_a_row_that_lack_the_same_are_one_run():
    parts = [day_part(0), day_part(3)]
    runs = runs_of(found(parts, now=D0 + 6 * DAY))
    assert [(first.day.day, last.day.day, first.reason) for first, last in runs] == [
        (6, 7, "never asked"),
        (9, 9, "never asked"),
        (10, 10, "not yet published"),
    ]


def test_days_that_come_later_are_one_run_though_each_comes_at_its_own_time():
    late = Cadence("vault", ("positions",), DAY, after=9 * DAY)
    cadences = {("positions", "vault"): late}
    ((first, last),) = runs_of(found([day_part(0)], now=D0 + 4 * DAY, cadences=cadences))
    assert (first.day.day, last.day.day, first.why == last.why) == (6, 8, False)


def test_reasons_that_take_turns_within_days_run_beside_each_other():
    asks = [ask("absent", day, 3) for day in (0, 1)]
    parts = [hour_part(number) for number in range(48) if number % 24 not in (3, 5)]
    runs = runs_of(found(parts, asks, now=D0 + 4 * DAY, until=date(2026, 1, 7)))
    assert [(one.day.day, last.day.day, one.reason, one.hours) for one, last in runs] == [
        (5, 6, "missing at source", (3,)),
        (5, 6, "never asked", (5,)),
    ]


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


def test_a_lake_tells_what_it_lacks(tmp_path):
    lake = Lake.at(tmp_path)
    for number in (0, 3):
        at = D0 + number * DAY
        row = position(source="reservoir", snapshot_ts=at)
        land_snapshot(tmp_path, [row], at, timedelta(hours=25), source="reservoir")
    record(
        lake,
        [
            Ask("positions", "reservoir", (D0 + DAY).date(), ALL_DAY, "failed", "no Parquet"),
            Ask("snapshots", "reservoir", (D0 + DAY).date(), ALL_DAY, "absent", "no file"),
        ],
        NOON,
    )
    got = gaps_in(lake, D0 + 4 * DAY)
    assert [(gap.table_name, gap.day.day, gap.reason, gap.why) for gap in got] == [
        ("positions", 6, "failed", "no Parquet"),
        ("positions", 7, "never asked", None),
        ("snapshots", 6, "missing at source", "no file"),
        ("snapshots", 7, "never asked", None),
    ]
    assert gaps_to_fill(lake, D0 + 4 * DAY) == [
        ToFill("reservoir", date(2026, 1, 6), ()),
        ToFill("reservoir", date(2026, 1, 7), ()),
    ]


def test_landing_what_was_missing_ends_the_gap(tmp_path):
    lake = Lake.at(tmp_path)
    rows = [snapshot(D0, source="reservoir"), snapshot(D0 + 2 * DAY, source="reservoir")]
    land(tmp_path, SNAPSHOTS, batch(SNAPSHOTS, rows), "reservoir-all-1")
    now = D0 + 3 * DAY
    assert [gap.day.day for gap in gaps_in(lake, now)] == [6]
    row = snapshot(D0 + DAY, source="reservoir")
    land(tmp_path, SNAPSHOTS, batch(SNAPSHOTS, [row]), "reservoir-all-2")
    assert gaps_in(lake, now) == []


def test_a_folder_that_is_no_lake_is_an_error(tmp_path):
    with pytest.raises(NoLake, match="no lake at"):
        gaps_in(Lake.at(tmp_path / "nowhere"), NOON)


def test_each_table_and_source_is_described_once():
    cadences = by_table_and_source()
    assert cadences["fills", "node_fills"].last == datetime(2025, 7, 27, 8, tzinfo=UTC)
    assert all((one.after is None) != (one.months is None) for one in cadences.values())
