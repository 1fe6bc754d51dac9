"""Positions of a whole market: they last, change and end, and several sources look at them."""

from typing import NamedTuple

from tests.rows import T0, account
from tests.warehouse.market_rows import (
    COINS,
    HOLDERS,
    HOUR,
    HOURS,
    MINUTE,
    PX,
    RARE,
    RARE_HOLDERS,
    Row,
    row_of,
)
from tests.warehouse.market_trades import close_position
from warehouse.contracts import tables as every


def dex_of(coin):
    """Return the dex of a coin."""
    return coin.partition(":")[0] if ":" in coin else "hyperliquid"


class _Holding(NamedTuple):
    size: float
    entry_px: float
    liquidation_px: float | None
    leverage: float
    leverage_type: str


def put_people(draw, rows):
    """Positions that last, change and end, and who looked at them."""
    kept = _Holding(2.0, 32.0, 24.0, 5.0, "cross")
    book = {(holder, RARE): kept for holder in RARE_HOLDERS}
    told = 0
    for half in range(2 * HOURS):
        now = T0 + half * HOUR / 2
        for holder in HOLDERS:
            for coin, px in COINS.items():
                if draw.random() < 0.93:
                    continue
                held = book.pop((holder, coin), None)
                if held is not None:
                    told += 1
                    close_position(draw, rows, told, now + 7 * MINUTE, holder, coin, held)
                if draw.random() < 0.7:
                    size = draw.choice([0.25, 0.5, 1.0, 2.0, 8.0]) * draw.choice([1, -1])
                    away = draw.choice([1, 2, 4, 16, 64]) / 128 * (-1 if size > 0 else 1)
                    book[holder, coin] = _Holding(
                        size,
                        px + draw.randrange(-8, 8) / 2,
                        None if draw.random() < 0.1 else px * (1 + away),
                        float(draw.choice([2, 5, 20])),
                        draw.choice(["cross", "cross", "isolated"]),
                    )
        if half % 18 == 5:
            _look(draw, rows, now, book, "alpha", "all", complete=True)
        if half % 26 == 11:
            _look(draw, rows, now, book, "beta", "hyperliquid", complete=True)
        if half % 4 == 1:
            _look(draw, rows, now, book, "own", "hyperliquid", complete=False)
        if half == 2 * 47:  # a dex of which nothing of its own was there before
            _look(draw, rows, now, book, "gamma", "xyz", complete=True)


def _look(draw, rows, now, book, source, scope, complete):
    # Sweeps that are known are answered with a base that is not yet.
    late = draw.choice([0, 0, 5, 26]) * HOUR
    if scope == "xyz" or (scope == "all" and now.hour > 20):
        late = 26 * HOUR
    common = {"source": source, "scope": scope}
    asked = [
        holder
        for holder in (*HOLDERS, *RARE_HOLDERS)
        if complete or draw.random() < RARE_HOLDERS.get(holder, 0.7)
    ]
    count, people = 0, set()
    for holder in asked:
        state = now if complete else now - draw.randrange(1, 40) * MINUTE
        about = {
            "account_value": draw.choice([100.0, 4000.0, 60000.0, 1e6]),
            "account_mode": draw.choice([None, "standard", "unified"]),
            "known_ts": state + late,
        }
        mine = [
            (coin, held)
            for (other, coin), held in book.items()
            if other == holder and scope in ("all", dex_of(coin))
        ]
        for coin, held in mine:
            mark = PX[coin] + draw.randrange(-4, 5) / 2
            values = row_of(
                every.POSITIONS,
                **(common | held._asdict() | about),
                snapshot_ts=state,
                coin=coin,
                account=account(holder),
                mark_px=mark,
                liquidation_px_source=held.liquidation_px and "venue",
                max_leverage=40.0,
                margin_used=abs(held.size) * mark / held.leverage,
            )
            rows["positions"].append(Row(values))
        count += len(mine)
        people |= {holder} if mine else set()
        if not complete:
            values = row_of(
                every.ACCOUNTS,
                **(common | about),
                state_ts=state,
                account=account(holder),
                sweep_ts=now,
                positions=len(mine),
                notional=sum(abs(held.size) * PX[coin] for coin, held in mine),
                spot_usdc=draw.choice([64.0, 8000.0]),
            )
            rows["accounts"].append(Row(values))
    values = row_of(
        every.SNAPSHOTS,
        **common,
        snapshot_ts=now,
        complete=complete,
        trusted=draw.random() < 0.85,
        accounts_asked=None if complete else len(asked),
        accounts_failed=None if complete else 0,
        accounts_skipped=None if complete else len(HOLDERS) + len(RARE_HOLDERS) - len(asked),
        accounts=len(people),
        positions=count,
        px_venue=count,
        px_computed=0,
        px_never=0,
        px_unknown=0,
        known_ts=now + late,
    )
    rows["snapshots"].append(Row(values))
