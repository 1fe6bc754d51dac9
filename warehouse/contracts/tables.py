"""This module lists the tables of the lake."""

from warehouse.contracts.accounts import ACCOUNTS
from warehouse.contracts.backtests import (
    BACKTEST_EQUITY,
    BACKTEST_PLACEBOS,
    BACKTEST_RUNS,
    BACKTEST_STUDIES,
    BACKTEST_TRADES,
    BACKTEST_TRIALS,
)
from warehouse.contracts.books import ORDER_BOOKS
from warehouse.contracts.fills import FILLS
from warehouse.contracts.incidents import INCIDENTS
from warehouse.contracts.levels import IMPORTED_LEVELS
from warehouse.contracts.liquidation_levels import LIQUIDATION_LEVELS
from warehouse.contracts.margin_errors import MARGIN_ERRORS
from warehouse.contracts.market import ASSET_CONTEXTS, CANDLES, FUNDING, INSTRUMENTS, TIER
from warehouse.contracts.positions import POSITIONS, SNAPSHOTS
from warehouse.contracts.unknown_fields import UNKNOWN_FIELDS

TABLES = (
    POSITIONS,
    SNAPSHOTS,
    ACCOUNTS,
    FILLS,
    CANDLES,
    FUNDING,
    ASSET_CONTEXTS,
    ORDER_BOOKS,
    INSTRUMENTS,
    LIQUIDATION_LEVELS,
    IMPORTED_LEVELS,
    MARGIN_ERRORS,
    INCIDENTS,
    UNKNOWN_FIELDS,
    BACKTEST_RUNS,
    BACKTEST_TRADES,
    BACKTEST_EQUITY,
    BACKTEST_STUDIES,
    BACKTEST_PLACEBOS,
    BACKTEST_TRIALS,
)

__all__ = [table.name.upper() for table in TABLES] + ["TABLES", "TIER"]
