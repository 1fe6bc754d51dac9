from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.made_trade_ids import made_trade_id
from tests.pipelines.data_node_trades import (
    rows_of,
    trade,
)


def test_made_ids_are_the_same_for_ever():
    # BLAKE2b by another implementation: b2sum --length 64, its first 50 bits.
    assert made_trade_id(11, 12, 1748181599974190, "AAVE") == -734292677214269


@given(
    orders=st.tuples(*[st.integers(-(2**63), 2**63 - 1)] * 2),
    time=st.integers(0, 2**60),
    coin=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
def test_made_ids_are_negative_and_of_50_bits(orders, time, coin):
    assert -(2**50) <= made_trade_id(*orders, time, coin) < 0


def test_made_ids_differ_by_each_thing_they_are_made_from():
    ids = [
        made_trade_id(*made)
        for made in [(1, 2, 3, "A"), (2, 1, 3, "A"), (1, 2, 4, "A"), (1, 2, 3, "B")]
    ]
    ids += [made_trade_id(n, n + 1, 5, "A") for n in range(10_000)]
    assert len(set(ids)) == len(ids)


def test_a_made_id_does_not_depend_on_what_else_is_in_the_file():
    many = [trade({"oid": n}) for n in range(600)]
    alone = [rows_of(each)[0]["trade_id"] for each in many[::100]]
    assert [row["trade_id"] for row in rows_of(*many)[::200]] == alone
