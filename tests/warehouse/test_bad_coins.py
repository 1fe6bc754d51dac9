"""Of a coin that is not named, or that nobody has heard of, nothing is told."""

import pytest

from tests.warehouse.bad_questions import ASKED, a_market, rows, some
from tests.warehouse.every_macro import EVERY


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with a_market(tmp_path_factory.mktemp("lake")) as con:
        yield con


# An answer about a coin says nothing of one that is not named.  These say of its dex alone.
OF_A_DEX = {"snapshot_at", "states_at", "fill_hours", "incidents_at"}
WITHOUT_A_COIN = {name for name, query in EVERY.items() if "'BTC'" not in query}


@pytest.mark.parametrize("name", sorted(set(EVERY) - OF_A_DEX - WITHOUT_A_COIN))
def test_without_a_coin_there_is_no_answer(con, name):
    for coin in some("null", "''"):
        assert rows(con, EVERY[name].replace("'BTC'", coin)) == []


# Nothing is held of a coin that nobody has heard of; these say so in rows of nothing.
NOTHING_HELD = {"map_coverage", "map_dependence", "liquidation_rates", "liquidation_flow"}
NOTHING_HELD |= {"dex_positions_at"}


@pytest.mark.parametrize("name", sorted(set(EVERY) - OF_A_DEX - WITHOUT_A_COIN - NOTHING_HELD))
def test_of_an_unknown_coin_there_are_no_rows(con, name):
    assert rows(con, EVERY[name].replace("'BTC'", "'NOPE'")) == []


def test_of_an_unknown_coin_nothing_is_made_up(con):
    for name in NOTHING_HELD - {"dex_positions_at"}:
        relation = con.sql(
            EVERY[name].replace("'BTC'", "'NOPE'"),
            params={key: value for key, value in ASKED.items() if f"${key}" in EVERY[name]},
        )
        for column in ("notional", "mapped_notional", "multi_notional"):
            if column in relation.columns:
                found = relation.select(column).distinct().fetchall()
                assert set(found) <= {(0,), (None,)}
        unknown = ("coverage", "share", "open_interest", "funding_rate")
        for column in (*unknown, "liquidations", "velocity", "norm", "cascade_score"):
            if column in relation.columns:
                assert relation.select(column).distinct().fetchall() == [(None,)]
