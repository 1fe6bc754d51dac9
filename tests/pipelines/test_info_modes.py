import json

import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.info.modes import Mode, to_mode, to_spot

ACCOUNT = "0x" + "ab" * 20


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("default", "standard"),
        ("disabled", "standard"),
        ("dexAbstraction", "dex_abstraction"),
        ("unifiedAccount", "unified"),
        ("portfolioMargin", "portfolio_margin"),
    ],
)
def test_each_word_of_the_venue_has_ours(said, word):
    assert to_mode(said, ACCOUNT) == Mode(word, None)


def test_a_word_that_is_not_known_is_null_and_told():
    assert to_mode("somethingNew", ACCOUNT) == Mode(None, "userAbstraction somethingNew")


@pytest.mark.parametrize("answer", [None, 7, {"mode": "default"}])
def test_a_mode_that_is_no_text_is_refused(answer):
    with pytest.raises(SourceError, match=f"userAbstraction {ACCOUNT}: must be text"):
        to_mode(answer, ACCOUNT)


def test_a_recorded_spot_state_is_read(real):
    file = real / "info" / "sample_http_spot_clearinghouse_state.json"
    spot = to_spot(json.loads(file.read_text()), ACCOUNT)
    assert spot.usdc == 14.625485
    assert not spot.unknown


def test_who_holds_no_usdc_holds_0():
    assert to_spot({"balances": []}, ACCOUNT).usdc == 0.0
    purr = {"coin": "PURR", "token": 1, "total": "2000", "hold": "0", "entryNtl": "1"}
    assert to_spot({"balances": [purr]}, ACCOUNT).usdc == 0.0


USDC = {"coin": "USDC", "token": 0, "total": "14.5", "hold": "0.0", "entryNtl": "0.0"}


def test_unknown_fields_of_spot_are_told():
    spot = to_spot({"balances": [USDC | {"mood": 1}], "sky": 2}, ACCOUNT)
    assert spot.unknown == {"spot.sky", "balance.mood"}


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (None, "must be an object, is None"),
        ({}, "field balances is missing"),
        ({"balances": [USDC | {"total": 14.5}]}, "field total must be a decimal in text"),
        ({"balances": [USDC | {"token": "0"}]}, "field token must be a whole number"),
        ({"balances": [USDC, USDC]}, "USDC must be listed once, is 2 times"),
    ],
)
def test_a_spot_state_that_is_not_as_documented_is_refused(answer, complaint):
    with pytest.raises(SourceError, match=f"spotClearinghouseState {ACCOUNT}.*{complaint}"):
        to_spot(answer, ACCOUNT)
