"""A lake small enough to sum by hand, for the tests of the report."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from warehouse.contracts import tables
from warehouse.store import land

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Size and liquidation price at the newest snapshot; the mark is 100.
BTC = ((10.0, 96.0), (5.0, 91.0), (2.0, 40.0), (-4.0, 108.0), (-3.0, 114.0), (1.0, None))


def fill_lake(root, coin="BTC", source="reservoir", backtests=True, contexts=True):
    """Land snapshots, prices, open interest, one liquidation and a backtest."""
    for hours in (0, 2, 3):
        at = NOON - hours * HOUR
        _land_snapshot(root, at, coin, source, BTC if hours == 0 else BTC[:4])
    _land(root, tables.CANDLES, [_candle(coin, k) for k in range(-12, 12) if k not in (1, 2)])
    if contexts:
        context = _row(
            tables.ASSET_CONTEXTS,
            venue="hyperliquid",
            coin=coin,
            context_ts=NOON - HOUR,
            open_interest=72.0,
            open_interest_notional=7200.0,
            source="market_files",
            known_ts=NOON,
        )
        _land(root, tables.ASSET_CONTEXTS, [context])
    _land(root, tables.FILLS, list(_liquidation(coin)))
    if backtests:
        _land_backtests(root, coin)
    return root


def _land(root, table, rows, part="hand"):
    land(root, table, pa.Table.from_pylist(rows, table.schema), part)


def _row(table, **values):
    return {column.name: values.get(column.name) for column in table.columns}


def _land_snapshot(root, at, coin, source, positions):
    common = {"snapshot_ts": at, "source": source, "scope": "hyperliquid"}
    rows = [
        _row(
            tables.POSITIONS,
            **common,
            coin=coin,
            account=f"0x{number:040x}",
            size=size,
            mark_px=100.0,
            liquidation_px=px,
            liquidation_px_source=None if px is None else "venue",
            known_ts=at + 2 * HOUR,
        )
        for number, (size, px) in enumerate(positions)
    ]
    priced = sum(px is not None for _, px in positions)
    ledger = _row(
        tables.SNAPSHOTS,
        **common,
        complete=True,
        trusted=True,
        accounts=len(rows),
        positions=len(rows),
        px_venue=priced,
        px_computed=0,
        px_never=0,
        px_unknown=len(rows) - priced,
        known_ts=at + 2 * HOUR,
    )
    _land(root, tables.POSITIONS, rows, f"hand-{at:%H}")
    _land(root, tables.SNAPSHOTS, [ledger], f"hand-{at:%H}")


def _candle(coin, hour):
    return _row(
        tables.CANDLES,
        venue="bybit",
        coin=coin,
        interval="1h",
        start_ts=NOON + hour * HOUR,
        open_px=100.0,
        high_px=102.0,
        low_px=98.0,
        close_px=100.0 + hour / 10,
        source="market_files",
        known_ts=NOON + (hour + 1) * HOUR,
    )


def _liquidation(coin):
    """Both sides of one trade: a long of 3 coins is closed at 97."""
    for account, is_buy in ((7, False), (8, True)):
        yield _row(
            tables.FILLS,
            time_ts=NOON - 90 * timedelta(minutes=1),
            coin=coin,
            account=f"0x{account:040x}",
            px=97.0,
            size=3.0,
            is_buy=is_buy,
            start_position=0.0,
            direction="Close Long",
            closed_pnl=0.0,
            fee=0.0,
            fee_token="USDC",
            trade_id=1,
            order_id=1,
            is_taker=not is_buy,
            liquidation_method="market",
            liquidated_account=f"0x{7:040x}",
            liquidation_mark_px=97.0,
            source="node_fills",
            known_ts=NOON,
        )


def _land_backtests(root, coin):
    runs, trades, equity = [], [], []
    for variant, run_id, returns in (
        ("without map", "aa", (0.02, -0.01, 0.015)),
        ("asymmetry_filter", "bb", (0.02,)),
    ):
        for bound in ("pessimistic", "optimistic"):
            common = {"run_id": run_id, "bound": bound, "coin": coin, "source": "undertow"}
            runs.append(_run(common, variant, len(returns)))
            trades += [_trade(common, number, one) for number, one in enumerate(returns)]
            equity += [_equity(common, hour, sum(returns)) for hour in range(12)]
    _land(root, tables.BACKTEST_RUNS, runs)
    _land(root, tables.BACKTEST_TRADES, trades)
    _land(root, tables.BACKTEST_EQUITY, equity)
    study = _row(
        tables.BACKTEST_STUDIES,
        study_id="5eed",
        strategy="breakout",
        variant="asymmetry_filter",
        coins=coin,
        start_ts=NOON - 12 * HOUR,
        end_ts=NOON,
        question="{}",
        runs=json.dumps({"own": ["bb"], "base": ["aa"]}),
        data_hash="d",
        code_hash="c",
        seed=0,
        verdict="Tested: it.\nThe only trial.\nNo edge is shown: it stood 1 of 2 tests.",
        findings="{}",
        source="undertow",
        known_ts=NOON,
    )
    _land(root, tables.BACKTEST_STUDIES, [study])


def _run(common, variant, trades):
    return _row(
        tables.BACKTEST_RUNS,
        **common,
        strategy="breakout",
        variant=variant,
        venue="bybit",
        interval="1h",
        start_ts=NOON - 12 * HOUR,
        end_ts=NOON,
        bars=12,
        knowable=True,
        parameters=json.dumps({"stop_pct": 2.0}),
        costs=json.dumps({"taker_fee": 0.00045}),
        signals=3,
        refused=3 - trades,
        unmapped=0,
        unfilled=0,
        trades=trades,
        ambiguous=0,
        return_fraction=0.025,
        max_drawdown=0.01,
        hit_rate=0.5,
        fees=12.5,
        funding=-1.25,
        known_ts=NOON,
    )


def _trade(common, number, return_fraction):
    entry = NOON - (11 - 3 * number) * HOUR
    return _row(
        tables.BACKTEST_TRADES,
        **common,
        trade=number,
        side="long",
        decided_ts=entry,
        entry_ts=entry,
        entry_px=100.0,
        exit_ts=entry + HOUR,
        exit_px=100.0 * (1 + return_fraction),
        exit_reason="target" if return_fraction > 0 else "stop",
        size=1.0,
        target_source="none",
        fees=1.0,
        funding=0.0,
        pnl=100.0 * return_fraction,
        return_fraction=return_fraction,
        ambiguous=False,
        known_ts=NOON,
    )


def _equity(common, hour, total):
    return _row(
        tables.BACKTEST_EQUITY,
        **common,
        time_ts=NOON + (hour - 11) * HOUR,
        position=0.0,
        close_px=100.0 + hour,
        equity=10_000.0 * (1 + total * hour / 11),
        known_ts=NOON,
    )
