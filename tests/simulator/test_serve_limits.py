from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.faults import parse_faults
from pipelines.simulator.serve.faults_http import FAULTS, STORM, Faults, Plan, spoilt
from pipelines.simulator.serve.limits import WEIGHT, Window, weight_of, weight_of_answer
from pipelines.simulator.serve.spans import SPANS, span_end, span_starts

TREE = {"rows": [{"px": "1.5", "n": 3, "ok": True}, {"px": "-2", "name": "BTC"}], "time": 7}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_minute_has_room_for_600_states_and_60_metas():
    clock = Clock()
    window = Window(WEIGHT, clock)
    assert sum(window.take("a", weight_of("clearinghouseState")) for _ in range(700)) == 600
    assert not window.take("a", 2)
    assert sum(window.take("b", weight_of("meta")) for _ in range(70)) == 60
    clock.now = 59.9
    assert not window.take("a", 2)
    clock.now = 60.0
    assert window.take("a", 1200)


def test_an_answer_counts_by_what_is_in_it():
    clock = Clock()
    window = Window(WEIGHT, clock)
    pages = 0
    while window.take("a", weight_of("userFills")):
        window.add("a", weight_of_answer("userFills", [0] * 2000))
        pages += 1
    assert pages == 10  # 120 each
    assert weight_of_answer("candleSnapshot", [0] * 5000) == 83
    assert weight_of_answer("clearinghouseState", [0] * 5000) == 0


@given(
    st.lists(st.tuples(st.floats(0, 30), st.sampled_from("ab"), st.integers(0, 9)), max_size=60)
)
def test_the_window_slides_as_the_obvious_one_does(steps):
    clock, taken = Clock(), deque()
    window = Window(20, clock)
    for wait, who, weight in steps:
        clock.now += wait
        used = sum(w for at, whose, w in taken if whose == who and at > clock.now - 60)
        allowed = used + weight <= 20
        assert window.take(who, weight) == allowed
        if allowed:
            taken.append((clock.now, who, weight))
    clock.now += 61
    assert window.take("c")
    assert set(window._used) == {"c"}  # who has gone takes no room


@pytest.mark.parametrize("interval", SPANS)
@given(ms=st.integers(0, 4 * 10**12))
def test_spans_follow_one_another(interval, ms):
    import numpy as np

    start = int(span_starts(interval, np.array([ms]))[0])
    end = span_end(interval, start)
    assert start <= ms <= end
    assert span_starts(interval, np.array([end, end + 1])).tolist() == [start, end + 1]


def strikes(seeds, requests=400, rate=0.1):
    faults = Faults(seeds, rate)
    return [dict(faults.next().struck) for _ in range(requests)]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_strikes_the_same_requests_whatever_else_is_asked_for(name):
    alone = strikes({name: 5})
    among = strikes(dict.fromkeys(FAULTS, 1) | {name: 5})
    assert [plan.get(name) for plan in alone] == [plan.get(name) for plan in among]
    assert alone == strikes({name: 5})
    assert alone != strikes({name: 6})
    assert any(alone)
    assert not all(alone) or name == "storms"


def test_a_storm_lasts():
    struck = ["storms" in plan for plan in strikes({"storms": 1}, rate=0.01)]
    first = struck.index(True)
    assert all(struck[first : first + STORM])
    assert not all(struck)


def leaves(value, path=()):
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        return {k: v for key, inner in pairs for k, v in leaves(inner, (*path, key)).items()}
    return {path: value}


@given(where=st.floats(0, 1, exclude_max=True))
@pytest.mark.parametrize("name", ["nulls", "wrong-types"])
def test_one_number_is_spoilt(name, where):
    before = leaves(TREE)
    after = leaves(spoilt(TREE, Plan({name: where})))
    (changed,) = [path for path in before if type(after[path]) is not type(before[path])]
    assert changed[-1] in ("px", "n", "time")
    if name == "nulls":
        assert after[changed] is None
    else:
        assert float(after[changed]) == float(before[changed])
    assert leaves(TREE) == before


def test_every_object_has_the_new_field():
    value = spoilt(TREE, Plan({"new-field": 0.25}))
    assert (
        value["seqNum"] == value["rows"][0]["seqNum"] == value["rows"][1]["seqNum"] == 250_000
    )
    assert "seqNum" not in TREE["rows"][0]


def test_unknown_faults_are_refused_with_the_list():
    with pytest.raises(ValueError, match=r"'storm'.*storms, errors, timeouts.*new-field"):
        parse_faults(["storm"], FAULTS)
