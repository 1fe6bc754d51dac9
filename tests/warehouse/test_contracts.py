import math

import pyarrow as pa
import pytest

from tests.rows import account, batch, position
from warehouse.contracts.table import ContractError
from warehouse.contracts.tables import POSITIONS, TABLES


def check(*rows):
    return POSITIONS.check(batch(POSITIONS, rows))


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"size": 0.0}, r"positions\.size: must not be 0, is 0\.0 in row 1 .*account=0x0+2"),
        ({"mark_px": -1.0}, r"positions\.mark_px: must be above 0, is -1\.0 in row 1"),
        ({"mark_px": math.nan}, r"positions\.mark_px: must be a finite number .* is nan"),
        ({"liquidation_px": 0.0}, r"positions\.liquidation_px: must be above 0, is 0\.0"),
        ({"liquidation_px": math.inf}, r"liquidation_px: must be a finite number .* is inf"),
        ({"coin": ""}, r"positions\.coin: must not be empty, is ''"),
        ({"account": "0xAB"}, r"positions\.account: must be a lower-case 0x address.*'0xAB'"),
        ({"leverage_type": "portfolio"}, r"leverage_type: must be one of cross, isolated"),
        ({"liquidation_px_source": "guess"}, r"must be one of venue, computed, is 'guess'"),
        ({"max_leverage": -5.0}, r"positions\.max_leverage: must be above 0, is -5\.0"),
    ],
)
def test_a_broken_row_names_table_column_rule_and_value(broken, says):
    with pytest.raises(ContractError, match=says):
        check(position(holder=1), position(holder=2) | broken)


def test_a_value_that_must_not_be_missing():
    # Arrow's own constructor lets a null into a column that may have none.
    rows = batch(POSITIONS, [position()]).set_column(3, "coin", pa.array([None], pa.string()))
    with pytest.raises(
        ContractError, match=r"positions\.coin: must not be missing, is null in"
    ):
        POSITIONS.check(rows)


def test_two_rows_of_one_grain():
    with pytest.raises(ContractError, match=r"one row per coin, account, source, scope, snap"):
        check(position(holder=3), position(holder=1), position(holder=3, size=7.0))


def test_columns_missing_unexpected_or_of_another_kind():
    rows = batch(POSITIONS, [position()])
    with pytest.raises(ContractError, match="positions: column size is missing"):
        POSITIONS.check(rows.drop_columns(["size"]))
    with pytest.raises(ContractError, match="positions: column extra is not in the contract"):
        POSITIONS.check(rows.append_column("extra", pa.array([1])))
    words = rows.set_column(5, "size", pa.array(["many"]))
    with pytest.raises(
        ContractError, match=r"positions\.size: cannot be read as double: .*many"
    ):
        POSITIONS.check(words)


def test_rows_come_back_sorted_by_grain():
    rows = check(position(coin="ETH"), position(holder=9), position(holder=2))
    assert rows["account"].to_pylist() == [account(2), account(9), account(1)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_described(table):
    names = [column.name for column in table.columns]
    assert len(set(names)) == len(names)
    assert set(table.grain) <= set(names)
    assert table.time in names
    for column in table.columns:
        assert column.doc, column.name
        if column.null:
            assert "null" in column.doc, (
                f"{table.name}.{column.name} does not say what null means"
            )


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_no_rows_keep_every_contract(table):
    assert table.check(table.schema.empty_table()).num_rows == 0
