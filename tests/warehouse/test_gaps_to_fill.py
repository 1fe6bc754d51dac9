"""What a backfill asks for again."""

from datetime import date

from tests.warehouse.gap_rows import CADENCES, D0, ask, day_part, found, hour_part
from warehouse.health.cadences import DAY, HOUR, Cadence
from warehouse.health.gaps import ToFill, to_fill
from warehouse.known_holes import Hole


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
