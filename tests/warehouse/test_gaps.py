"""What is missing, and why: by hand."""

from datetime import date, timedelta

from tests.warehouse.gap_rows import D0, ask, day_part, found, hour_part, reasons
from warehouse.health.cadences import DAY, HOUR, Cadence
from warehouse.health.gaps import Gap, runs_of
from warehouse.known_holes import Hole


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
