"""This module draws the page of maps from the words of a command line."""

from datetime import UTC, datetime
from pathlib import Path


def draw(lake: str, to: Path, coins: str, at: str | None) -> Path:
    """Write the page of ``coins``, a comma list, at a moment or the newest."""
    from warehouse import open_lake
    from warehouse.ask import check_coin, moment
    from warehouse.report import write_report

    wanted = [coin.strip() for coin in coins.split(",") if coin.strip()]
    shown = moment(at) if at else None
    with open_lake(lake) as con:
        for coin in wanted:
            check_coin(con, coin, shown or datetime.now(UTC))
    return write_report(lake, to, wanted, at=shown)
