"""This module makes garbage of a table's numbers that its contract would still allow.

Garbage follows from a seed and the row's grain, so that every view of a row shows the same.
"""

from collections.abc import Iterator

from warehouse.attach import quoted
from warehouse.contracts.columns import BOOL, F64
from warehouse.contracts.rules import NOT_NEGATIVE, POSITIVE
from warehouse.contracts.table import Column, Table

# A number becomes up to so many times as large, or as small.
MOST = 4.0
# A rate for other than an hour would be none that is charged, and so missing.
KEPT = ("period_hours",)


def scrambled(
    table: Table, after: str, seed: int, close_px: float, opened: str, block: int
) -> Iterator[tuple[str, str]]:
    """Yield each column of a table and what it is, where some rows are garbage.

    Parameters
    ----------
    table
        Its rows are called ``part``.
    after
        Whether a row is garbage, as SQL.
    seed
        Of the garbage.
    close_px
        About which prices of candles are mirrored, USD.
    opened
        Whether a candle keeps its open, as SQL.
    block
        How long candles are changed alike, microseconds.
    """
    made = dict(_garbage(table, seed, close_px, opened, block))
    for column in table.columns:
        held = f"part.{column.name}"
        found = made.get(column.name)
        yield column.name, f"if({after}, {found}, {held})" if found else held


def _garbage(
    table: Table, seed: int, close_px: float, opened: str, block: int
) -> Iterator[tuple[str, str]]:
    if table.name == "candles":
        yield from _candle(seed, close_px, opened, block)
        yield "volume", f"part.volume * {_factor('volume', table, seed)}"
        return
    if table.name == "order_books":
        # One factor for a book's prices, so that they stay in order and uncrossed.
        px, size = _factor("px", table, seed), _factor("size", table, seed)
        for side in ("bids", "asks"):
            level = (
                f"'px': level.px * {px}, 'size': level.size * {size}, 'orders': level.orders"
            )
            yield side, f"list_transform(part.{side}, lambda level: {{{level}}})"
        return
    for column in table.columns:
        if column.name in table.grain or column.name in KEPT:
            continue
        if column.kind == F64:
            yield column.name, _number(column, table, seed)
        elif column.kind == BOOL:
            yield column.name, f"part.{column.name} <> {_coin_toss(column.name, table, seed)}"


def _number(column: Column, table: Table, seed: int) -> str:
    number = f"part.{column.name} * {_factor(column.name, table, seed)}"
    if POSITIVE in column.rules or NOT_NEGATIVE in column.rules:
        return number
    return f"{number} * if({_coin_toss(column.name + ' sign', table, seed)}, -1, 1)"


def _candle(seed: int, close_px: float, opened: str, block: int) -> Iterator[tuple[str, str]]:
    """Yield the prices of a bar of a block of time that went elsewhere.

    All bars of a block are changed alike, so that finer ones still make up the coarser.  Half
    of the blocks are mirrored too: a rise becomes a fall.
    """
    begun = f"time_bucket(to_microseconds({block}), part.start_ts)"
    factor = _scaled(_drawn(f"'factor', part.coin, {begun}", seed))
    mirror = _drawn(f"'mirror', part.coin, {begun}", seed)

    def moved(name: str, opposite: str) -> str:
        mirrored = f"{close_px * close_px!r} / part.{opposite}"
        return f"{factor} * if({mirror} < 0.5, {mirrored}, part.{name})"

    low, high = moved("low_px", "high_px"), moved("high_px", "low_px")
    yield "open_px", f"if({opened}, part.open_px, {moved('open_px', 'open_px')})"
    yield "high_px", f"if({opened}, greatest(part.open_px, {high}), {high})"
    yield "low_px", f"if({opened}, least(part.open_px, {low}), {low})"
    yield "close_px", moved("close_px", "close_px")


def _factor(name: str, table: Table, seed: int) -> str:
    grain = ", ".join(f"part.{one}" for one in table.grain)
    return _scaled(_drawn(f"{quoted(name)}, {grain}", seed))


def _coin_toss(name: str, table: Table, seed: int) -> str:
    grain = ", ".join(f"part.{one}" for one in table.grain)
    return f"({_drawn(f'{quoted(name)}, {grain}', seed)} < 0.5)"


def _drawn(values: str, seed: int) -> str:
    """Return a number in [0, 1) that follows from values."""
    return f"((hash({seed}, {values}) % 65521) / 65521.0)"


def _scaled(drawn: str) -> str:
    return f"pow({MOST!r}, 2 * {drawn} - 1)"
