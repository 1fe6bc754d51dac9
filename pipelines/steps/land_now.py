"""This module lands what the venue is asked for about a closed day."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from pipelines.landed import Landed
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import VAULTS
from pipelines.steps.fills_now import ask_fills
from pipelines.steps.land_rows import land_rows
from pipelines.steps.market_now import Progress, ask_market
from warehouse.contracts.table import Table
from warehouse.contracts.tables import CANDLES, FILLS, FUNDING
from warehouse.store import Lake, Origin, landing
from warehouse.store.asks import ALL_DAY, Ask

SOURCE = "info"
DAY = timedelta(days=1)


def land_market_day(
    client_of: Callable[[], InfoClient],
    lake: Path | str,
    day: date,
    *,
    interval: str = "1m",
    coins: Sequence[str] | None = None,
    dexes: Sequence[str] = ("",),
    source: str = SOURCE,
    progress: Progress | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> list[Landed]:
    """Land the candles and funding of a UTC day that has ended; see :func:`ask_market`.

    Returns
    -------
    list of Landed
        Of ``candles`` and ``funding``; what could not be had is a gap.
    """
    asked = ask_market(
        client_of,
        day,
        now(),
        interval=interval,
        coins=coins,
        dexes=dexes,
        source=source,
        progress=progress,
    )
    part = f"{source}-{interval}"
    rows = {
        CANDLES: with_held(lake, CANDLES, asked.candles, day, part),
        FUNDING: with_held(lake, FUNDING, asked.funding, day, part),
    }
    landed = land_rows(lake, rows, part, _origins(client_of), now)
    landed[0].gaps = asked.gaps
    for one in landed:
        one.asked = [_ask(one.table, source, day, one.rows, [str(e) for e in asked.failed])]
    return landed


def land_account_fills(
    client_of: Callable[[], InfoClient],
    lake: Path | str,
    day: date,
    *,
    accounts: Sequence[str] = VAULTS,
    source: str = SOURCE,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Landed:
    """Land the fills of single accounts on a UTC day: the liquidator vaults' without others."""
    since = datetime.combine(day, time(), UTC)
    asked = ask_fills(client_of, since, since + DAY, accounts, source)
    rows = with_held(lake, FILLS, asked.rows.to_pylist(), day, source)
    landed = land_rows(lake, {FILLS: rows}, source, _origins(client_of), now)[0]
    landed.duplicates = asked.duplicates
    landed.unknown_fields = dict(sorted(asked.unknown.items()))
    landed.gaps = asked.gaps
    landed.asked = [_ask(FILLS.name, source, day, landed.rows, asked.gaps)]
    return landed


def with_held(
    lake: Lake | Path | str, table: Table, rows: list[dict[str, Any]], day: date, part: str
) -> list[dict[str, Any]]:
    """Return an answer's rows, and those that the lake holds of its part and it lacks.

    A coin that did not answer this time, or what the venue no longer keeps, is no correction.
    """
    with landing(lake) as batches:
        held = batches.held(table, day, part)
    if held is None:
        return rows
    given = {tuple(row[name] for name in table.grain) for row in rows}
    before = held[0].to_pylist()
    return rows + [
        row for row in before if tuple(row[name] for name in table.grain) not in given
    ]


def _origins(client_of: Callable[[], InfoClient]) -> list[Origin]:
    return [Origin.of(f"{client_of().base_url}/info")]


def _ask(table: str, source: str, day: date, rows: int, failed: Sequence[str]) -> Ask:
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        return Ask(table, source, day, ALL_DAY, "failed", failed[0] + more)
    if rows:
        return Ask(table, source, day, ALL_DAY, "landed")
    return Ask(table, source, day, ALL_DAY, "absent", "the venue answered with no rows")
