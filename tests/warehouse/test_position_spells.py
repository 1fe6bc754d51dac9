"""How long positions lasted: against the obvious version, on many small lakes."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.reference import survival as obvious
from tests.rows import T0, account
from tests.warehouse.data_cohorts import fill_row, rows_of, show
from tests.warehouse.data_sweeps import lake_of, sweeps
from warehouse import catalog

HOURS = range(-3, 50)
QUERY = (
    "from position_spells($since, $until, coin := $coin, knowable := $knowable, "
    "max_gap := $max_gap, untrusted := $untrusted)"
)
SAME = ("coin", "account", "side", "begun", "seen_ts", "end_ts", "outcome", "looks")

# Fills of what a look showed: they reduce, close or flip it, around that look or the next.
fills = st.lists(
    st.fixed_dictionaries(
        {
            "look": st.integers(0, 6),
            "holder": st.integers(1, 3),
            "nth": st.integers(0, 1),
            "minutes_after": st.sampled_from([-1, 0, 1, 30, 60, 200]),
            "grown": st.sampled_from([1.0, 1.0, 0.5, -1.0]),
            "part": st.sampled_from([0.2, 1.0, 1.0, 2.0]),
            "forced": st.booleans(),
            "late": st.sampled_from([False, False, True]),
            "told_by_the_other": st.booleans(),
        }
    ),
    min_size=4,
    max_size=12,
)
questions = st.fixed_dictionaries(
    {
        "since": st.integers(-1, 20).map(lambda hour: T0 + timedelta(hours=hour)),
        "until": st.integers(21, 45).map(lambda hour: T0 + timedelta(hours=hour)),
        "coin": st.sampled_from(["all", "BTC", "xyz:TSLA"]),
        "knowable": st.booleans(),
        "max_gap": st.sampled_from([timedelta(hours=hours) for hours in (4, 9, 26)]),
        "untrusted": st.sampled_from([False, False, True]),
    }
)


def fill(number, one, swept):
    """Return a fill, or none where the look shows nothing of the account."""
    look = swept[one["look"] % len(swept)]
    held = look["said"][one["holder"] - 1]
    if not isinstance(held, list) or not held:
        return []
    coin, size, _ = held[one["nth"] % len(held)]
    start = size * one["grown"]
    said = {"coin": coin, "size": abs(start) * one["part"], "is_buy": start < 0}
    said |= {"minute": look["minute"] + one["minutes_after"], "closed_pnl": None}
    row = fill_row(number, one | said) | {"start_position": start}
    if one["forced"] and one["told_by_the_other"]:
        row |= {"account": account(9), "is_buy": start > 0, "start_position": 0.0}
    return [row]


def world(swept, told):
    rows = [row for number, one in enumerate(told) for row in fill(number, one, swept)]
    return lake_of(swept) | {"fills": rows}


def spells_of(con, lake, question, lost):
    hours = [hour for hour in HOURS if hour not in lost]
    show(con, lake, hours)
    held = {T0 + timedelta(hours=hour) for hour in hours}
    return rows_of(con, QUERY, **question), obvious.spells(lake, held=held, **question)


@asked_of_a_lake
@given(
    swept=sweeps,
    told=fills,
    question=questions,
    lost=st.sampled_from([range(0), range(0), range(0), range(20, 21), range(-3, 12)]),
)
def test_spells_are_those_of_the_obvious_version(con, swept, told, question, lost):
    lake = world(swept, told)
    got, want = spells_of(con, lake, question, lost)
    assert [tuple(row[name] for name in SAME) for row in got] == sorted(
        (tuple(row[name] for name in SAME) for row in want), key=lambda row: (*row[:3], row[4])
    )
    seen = {tuple(row[name] for name in SAME): row["row"] for row in want}
    for row in got:
        first = seen[tuple(row[name] for name in SAME)]
        hours = (row["end_ts"] - row["seen_ts"]) / timedelta(hours=1)
        assert row["hours"] == pytest.approx(hours, rel=1e-9)
        assert row["leverage"] == first["leverage"]
        px, mark, sign = (
            first["liquidation_px"],
            first["mark_px"],
            1 if first["size"] > 0 else -1,
        )
        away = None if px is None else pytest.approx(100 * sign * (mark - px) / mark, rel=1e-9)
        assert row["distance_pct"] == away


EVERY_HOUR = [
    {
        "minute": 60 * hour,
        "said": ([("BTC", 2.0, 80.0)], [], None),
        "kind": "complete",
        "trusted": True,
        "late": False,
        "scope": "hyperliquid",
        "minutes": 0,
    }
    for hour in range(8)
]
ASKED = {
    "since": T0,
    "until": T0 + timedelta(hours=4, minutes=30),
    "coin": "all",
    "knowable": False,
    "max_gap": timedelta(hours=2),
    "untrusted": False,
}


@pytest.mark.parametrize("knowable", [False, True])
def test_what_comes_later_changes_no_spell(con, knowable):
    question = ASKED | {"knowable": knowable}
    whole = {"holder": 1, "nth": 0, "grown": 1.0, "part": 1.0, "forced": True}
    whole |= {"told_by_the_other": False, "minutes_after": 30}
    now, after = (
        fill(0, whole | {"look": look, "late": look == 2}, EVERY_HOUR) for look in (2, 4)
    )
    past = lake_of(EVERY_HOUR[:5]) | {"fills": [] if knowable else now}
    known, _ = spells_of(con, past, question, range(0))
    later = lake_of(EVERY_HOUR) | {"fills": now + after}
    assert spells_of(con, later, question, range(0))[0] == known
    assert [row["outcome"] for row in known] == (
        ["open"] if knowable else ["liquidated", "open"]
    )


@pytest.mark.parametrize(
    ("held_back", "knowable"),
    [
        ("s.snapshot_ts < d.until_asked", False),
        (
            "stands(s.known_ts, s.since_ts, s.superseded_ts, d.until_asked, d.knowable_asked)",
            True,
        ),
    ],
)
def test_a_leak_would_be_seen(con, held_back, knowable):
    """Plant the leak: a macro that does not stop at its end."""
    made = next(one for one in catalog.definitions() if one.name == "position_spells")
    assert made.body.count(held_back) == 1
    body = made.body.replace(held_back, "true")
    con.execute(f"create or replace macro position_spells({made.parameters}) as table {body}")
    late = [*EVERY_HOUR[:4], EVERY_HOUR[4] | {"late": True}, *EVERY_HOUR[5:]]
    try:
        lake = lake_of(late) | {"fills": []}
        got, want = spells_of(con, lake, ASKED | {"knowable": knowable}, range(0))
    finally:
        catalog.build(con)
    assert [row["outcome"] for row in want] == ["open"]
    assert [row["outcome"] for row in got] != ["open"]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("'2026-01-02 00:00Z', '2026-01-02 00:00Z'", "use a moment after since"),
        ("null, '2026-01-02 00:00Z'", "use a moment after since"),
        (
            "'2026-01-02 00:00Z', '2026-01-03 00:00Z', max_gap := interval 0 hours",
            "use more than 0 seconds, up to 31 days",
        ),
    ],
)
def test_what_is_not_allowed_is_one_line(con, asked, said):
    show(con, lake_of(EVERY_HOUR) | {"fills": []}, HOURS)
    with pytest.raises(Exception, match=said) as raised:
        con.sql(f"from position_spells({asked})").fetchall()
    assert "\n" not in str(raised.value).strip()
