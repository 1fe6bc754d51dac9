"""Accounts that have one maximum leverage in all of their coins: by hand, planted faults."""

import pytest

from tests.warehouse.test_margin_error import DOCUMENTED, RATES, TIERS, held_by, rows_of
from warehouse.cross.accounts import back
from warehouse.cross.margin_error import OWNER, compare
from warehouse.cross.margin_tables import TABLES, UNKNOWN_TABLE, tiers_named
from warehouse.cross.own_tables import agreed, given_tables

SHORTS = [("BTC", -20.0), ("ETH", -800.0), ("SOL", -30_000.0)]
BOTH = [("BTC", 20.0), ("ETH", -300.0), ("SOL", -30_000.0)]
FIFTY = {coin: [(0, 1 / 100)] for coin in DOCUMENTED}
VALUE = 20e6


def vault(book=SHORTS, rates=FIFTY, value=VALUE, **others):
    return held_by("0xa", book, value, rates, **{"account_value": value, **others})


def tables(rows):
    frame = rows_of(rows).with_columns(shared=rows_of(rows)["leverage_type"] != "isolated")
    frame = frame.with_columns(dex=frame["scope"])
    return agreed(frame, TIERS, given_tables(frame, TIERS), OWNER)[1].to_list()


def test_shorts_agree_by_any_leverage_and_the_value_says_by_which():
    assert tables(vault()) == ["50"] * 3
    assert tables(vault(rates={coin: [(0, 1 / 40)] for coin in DOCUMENTED})) == ["20"] * 3


def test_a_value_that_is_a_little_late_still_says_which():
    assert tables(vault(account_value=VALUE * 1.0005)) == ["50"] * 3


@pytest.mark.parametrize(
    "change",
    [
        {"account_value": None},
        {"account_value": VALUE * 1.0015},  # as near to 40x
        {"account_mode": "unified"},
    ],
    ids=str,
)
def test_a_value_that_does_not_say_leaves_the_table_unknown(change):
    rows = vault(**change)
    assert tables(rows) == [UNKNOWN_TABLE] * 3
    got = compare(rows_of(rows), TIERS)
    assert got["verdict"].to_list() == ["own_leverage"] * 3
    assert got["error"].is_null().all()
    assert not got["sibling"].any()
    assert set(back(rows_of(rows), TIERS).positions["basis"]) == {"no_tiers"}


def test_longs_and_shorts_leave_one_leverage_whatever_the_value():
    rows = vault(BOTH, value=1e6, account_value=None)
    assert all(row["liquidation_px"] for row in rows)
    assert tables(rows) == ["50"] * 3


def test_prices_that_agree_by_their_coins_tiers_are_left_alone():
    assert tables(vault(rates=RATES)) == [None] * 3
    assert tables(vault(BOTH, RATES, 1e6)) == [None] * 3


def test_one_price_that_is_wrong_leaves_no_leverage_of_the_account():
    rows = vault()
    rows[1]["liquidation_px"] *= 1.0001
    assert tables(rows) == [None] * 3


def test_its_prices_are_named_and_agree_and_its_margin_is_solved():
    got = compare(rows_of(vault()), TIERS)
    assert got["verdict"].to_list() == ["own_leverage"] * 3
    assert got["agrees"].all()
    assert got["error"].min() > 1e-3  # by its coins' tiers ours is another price
    backed = back(rows_of(vault()), TIERS)
    assert set(backed.positions["basis"]) == {"solved"}
    worth = sum(row["size"] * row["mark_px"] for row in vault())
    assert backed.positions["behind"].to_list() == pytest.approx([VALUE - worth] * 3, rel=1e-9)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_found_by_the_price_that_follows_it(name):
    steps = tiers_named(name)
    rates = {**RATES, "SOL": [(s.lower_bound, 1 / (2 * s.max_leverage)) for s in steps]}
    book = [("BTC", -4.0), ("ETH", -40.0), ("SOL", -300_000.0)]
    rows = held_by("0xa", book, 250e6, rates)
    assert rows[2]["liquidation_px"] * 300_000 > 200e6  # beyond every bound
    expected = "close" if steps == DOCUMENTED["SOL"] else "own_leverage"
    assert compare(rows_of(rows), TIERS)["verdict"].to_list() == ["close", "close", expected]
