import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.serve.answers import ANSWERS, answer
from pipelines.simulator.serve.bodies import BadBody, NoAnswer
from tests.simulator.serving import candle_request

NOBODY = "0x" + "0" * 40


# Bodies that mean something, for others to be made from.
GOOD = {
    "meta": {},
    "clearinghouseState": {"user": NOBODY, "dex": ""},
    "batchClearinghouseStates": {"users": [NOBODY]},
    "userFills": {"user": NOBODY, "aggregateByTime": False},
    "userFillsByTime": {"user": NOBODY, "startTime": 0, "endTime": 1},
    "candleSnapshot": {"req": candle_request("BTC", "1m", 0, 1)},
    "fundingHistory": {"coin": "BTC", "startTime": 0},
    "l2Book": {"coin": "BTC", "nSigFigs": 5, "mantissa": 2},
    "recentTrades": {"coin": "DOGE"},
    "marginTable": {"id": 40},
    "userAbstraction": {"user": NOBODY},
    "spotClearinghouseState": {"user": NOBODY},
}


scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=9)
)


junk = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


@given(body=junk | st.fixed_dictionaries({"type": st.sampled_from(sorted(ANSWERS)) | junk}))
def test_junk_is_refused(venue, body):
    try:
        answer(venue, body)
    except (BadBody, NoAnswer):
        return
    # Only the types that need nothing have answers.
    assert not GOOD.get(body["type"])


@given(kind=st.sampled_from(sorted(GOOD)), chosen=st.integers(0, 3), value=junk)
def test_one_wrong_field_never_breaks_an_answer(venue, kind, chosen, value):
    body = {"type": kind, **GOOD[kind]}
    fields = body["req"] if kind == "candleSnapshot" else body
    fields = dict(fields)
    fields[sorted(fields)[chosen % len(fields)]] = value
    body = {"type": kind, "req": fields} if kind == "candleSnapshot" else fields
    with suppress(BadBody, NoAnswer):
        json.dumps(answer(venue, body).value, allow_nan=False)


@pytest.mark.parametrize("kind", sorted(GOOD))
def test_each_field_that_must_be_there_is_missed(venue, kind):
    answer(venue, {"type": kind, **GOOD[kind]})
    fields = GOOD[kind].get("req", GOOD[kind])
    for name in set(fields) - {"dex", "aggregateByTime", "endTime", "nSigFigs", "mantissa"}:
        less = {key: value for key, value in fields.items() if key != name}
        body = {"req": less} if kind == "candleSnapshot" else less
        with pytest.raises(BadBody, match="Failed to deserialize the JSON body"):
            answer(venue, {"type": kind, **body})


@pytest.mark.parametrize(
    "body",
    [
        {"type": "meta", "dex": "xyz"},
        {"type": "fundingHistory", "coin": "NOPE", "startTime": 0},
        {"type": "recentTrades", "coin": "btc"},
        {"type": "marginTable", "id": 99},
    ],
)
def test_what_does_not_exist_has_no_answer(venue, body):
    with pytest.raises(NoAnswer):
        answer(venue, body)


@pytest.mark.parametrize("value", [-1, True, 1.0, "1", [1]])
def test_times_are_whole_numbers(venue, value):
    for body in (
        {"type": "fundingHistory", "coin": "BTC", "startTime": value},
        {"type": "fundingHistory", "coin": "BTC", "startTime": 1, "endTime": value},
    ):
        with pytest.raises(BadBody):
            answer(venue, body)
