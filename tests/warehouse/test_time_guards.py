"""Without any one of its guards of time a macro tells of the future, and a test notices.

Each guard of each macro (tests/warehouse/time_guards.py) is taken out alone.  What the macro is
asked (tests/warehouse/every_macro.py) must then change when what came later is shown, as it
never does with the guard.  Those that another guard makes idle are listed, with the reason.
"""

import random

import pytest

from tests.effort import THOROUGH
from tests.warehouse import shown_market, whole_market
from tests.warehouse.every_macro import UNTIL, questions
from tests.warehouse.test_point_in_time import answer, moments
from tests.warehouse.time_guards import guards
from warehouse import catalog, open_lake

KNOWN = "a row is known after it happened at the earliest: stands asks for more"
DAY = "the days of a moment that is asked for too, so that other days' files stay closed"
EARLIER = "rows before `until`, which another guard sees to, are told apart by it"
IDLE = {
    "account_profits 1: f.time_ts <= d.at_asked": KNOWN,
    "cascades 0: u.start_ts < q.until_asked": "rates are asked for until then",
    "cascades 1: f.time_ts < w.last_ts": EARLIER,
    "cascades 2: t.time_ts < q.until_asked": "what is told of a cascade ends before `until`",
    "cascades 4: t.time_ts < w.start_ts": EARLIER,
    "cascades 5: t.time_ts < w.last_ts": EARLIER,
    "cascades 6: t.time_ts < w.worst_ts + q.recovery_asked": EARLIER,
    "cascades 7: w.worst_ts + q.recovery_asked <= q.until_asked": EARLIER,
    "current_px 1: c.day <= (q.at_asked at time zone 'UTC')::date": DAY,
    "fill_hours 0: p.known_ts > q.until_asked": "how far the hour of `until` is held, said by "
    "a line that is known: not whether",
    "levels_at 0: l.known_ts <= q.at_asked": "no levels here: "
    "test_a_mark_published_late_is_not_known_before plants it",
    **dict.fromkeys(
        (
            "liquidation_flow 0: c.context_ts < d.until_asked",
            "liquidation_flow 2: f.time_ts < d.until_asked",
            "liquidation_flow 4: b.book_ts < d.until_asked",
        ),
        "an edge looks back at readings, and none lies after `until`",
    ),
    "liquidation_rates 0: f.time_ts < h.held_to": EARLIER,
    **dict.fromkeys(
        (
            "liquidation_rates 1: i.effective_ts < q.until_asked",
            "liquidation_rates 3: c.context_ts < d.until_asked",
            "liquidation_rates 5: f.time_ts < d.until_asked",
        ),
        "an interval counts if the coin was heard of before its end: the first time does it",
    ),
    "map_changes 0: f.time_ts <= m.to_state_ts": EARLIER,
    "map_coverage 2: c.day between ((q.at_asked - q.age_asked) at time zone 'UTC')::date and "
    "(q.at_asked at time zone 'UTC')::date": DAY,
    "position_spells 4: f.time_ts < d.until_asked": "an end counts up to the next look, which "
    "lies before `until`",
    "position_spells 6: e.time_ts <= c.next_ts": EARLIER,
    "snapshot_at 1: s.day <= (q.at_asked at time zone 'UTC')::date": DAY,
    "states_at 2: c.state_ts between r.oldest_ts and r.snapshot_ts": "an answer comes "
    "before its sweep's end, and sweeps are those until then",
}
# `stands` is in every macro; two that use it tell of it.
ASKED = {"stands": ("states_at", "liquidations_between")}
GUARDS = {guard.name: guard for guard in guards()}
LIVE = [name for name in GUARDS if name not in IDLE]


def asked_of(guard, until):
    """Return what is asked of a guard's macro: of spans that end, or of moments."""
    names = ASKED.get(guard.made.name, (guard.made.name,))
    return [query for name in names if (name in UNTIL) == until for query in questions(name)]


def unseen(con, left, most):
    """Return the guards without which no answer changed, of up to ``most`` moments each."""
    for knowable in (True, False):
        for moment in moments(knowable, most):
            for until in (False, True):
                if left:
                    left -= changed(con, left, moment, until)
    return left


def changed(con, left, moment, until):
    """Return the guards without which an answer changes by what came later."""
    before, found = {}, set()
    # Of what came later another part at each moment, so that every row is shown at some.
    nth = int(moment.at.timestamp()) // 1800
    for seed in (None, nth, nth + 1000):
        shown_market.show(con, moment.at, moment.knowable, seed, until)
        for name in left - found:
            guard = GUARDS[name]
            queries = asked_of(guard, until)
            if not queries:
                continue
            con.execute(catalog._statement(guard.without))
            try:
                told = [answer(con, query, moment) for query in queries]
            finally:
                con.execute(catalog._statement(guard.made))
            if told != before.setdefault(name, told):
                found.add(name)
    return found


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        shown_market.put(con, whole_market.made())
        yield con


def test_what_is_idle_is_there():
    assert IDLE.keys() <= GUARDS.keys()


def test_every_read_of_versions_is_guarded():
    said = {}
    for made in catalog.definitions():
        reads, calls = made.body.count("_versions as"), made.body.count("stands(")
        if reads != calls:
            said[made.name] = (reads, calls)
    assert said == {"fill_hours": (0, 1)}  # of the ledger's parts


def test_some_guards_are_missed_when_they_are_gone(con):
    some = set(random.Random(4).sample(LIVE, 3))
    assert unseen(con, some, 6) == set()


@pytest.mark.slow
def test_every_guard_is_missed_when_it_is_gone(con):
    assert unseen(con, set(LIVE), 8) == set()


@pytest.mark.slow
def test_what_is_idle_is_idle(con):
    assert unseen(con, set(IDLE), 2 if THOROUGH else 1) == set(IDLE)
