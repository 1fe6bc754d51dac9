"""This module takes the six strategies through real rows, and writes docs/real_rows.md.

Run it as ``python -m docs.real_rows FOLDER`` from the repository's root, ``FOLDER`` being that
of ``undertow demo --real``; two quiet cores take two minutes.
"""

import sys
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from backtest.answer import Answer, answer
from backtest.question import Question
from backtest.strategies.catalogue import made
from backtest.terms import Costs, Terms
from backtest.worded import percent
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from pipelines.steps.positions import land_reservoir
from warehouse.catalog import open_lake

COINS = ("BTC", "ETH", "SOL", "HYPE")
WORDS = f"""# The six strategies on real rows

Made by `docs/real_rows.py` of real rows that are no part of this repository: snapshots of some
hundred accounts of the leaderboard from 3 to 12 February 2026, fills of some vaults from 9 to
11 October 2025, Hyperliquid's hourly funding, and hourly bars of Binance, for Hyperliquid's own
are not among them; {", ".join(COINS)}, parameters as they come. What is shown is that real rows
go the whole way, what could not be asked of them, and that nothing is called an edge.

Neither books nor traded volumes of these days are held, so slippage is left out, which a
verdict counts as failed. In February no fills are held, so nothing of cascades is known; in
October no snapshots, and nothing of maps. Fills of October count as heard live.

"""
TEXTS, NUMBERS = ("strategy", "days"), ("signals", "of them unknown", "attempts")
MEANS = ("pessimistic", "optimistic", "without the map")
HEAD = (
    f"| {' | '.join((*TEXTS, *NUMBERS, *MEANS, 'verdict'))} |\n"
    f"{'|---' * len(TEXTS)}{'|---:' * (len(NUMBERS) + len(MEANS))}|---|\n"
)


class Asked(NamedTuple):
    """A rule, and the days that it is asked of."""

    rule: str
    since: datetime
    until: datetime
    live_flow: bool

    @property
    def question(self) -> Question:
        """Return what is asked."""
        return Question(
            strategy=made(self.rule, {}),
            coins=COINS,
            since=self.since,
            until=self.until,
            live_flow=self.live_flow,
            terms=Terms(Costs(slippage="none")),
        )


FEBRUARY = datetime(2026, 2, 4, tzinfo=UTC), datetime(2026, 2, 12, tzinfo=UTC), False
OCTOBER = datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 12, tzinfo=UTC), True
RULES = (
    Asked("breakout+asymmetry_filter", *FEBRUARY),
    Asked("breakout+cluster_take_profit", *FEBRUARY),
    Asked("breakout+regime_stops", *FEBRUARY),
    Asked("mean_reversion_symmetric", *FEBRUARY),
    Asked("cascade_follow", *FEBRUARY),
    Asked("cascade_fade", *FEBRUARY),
    Asked("cascade_follow", *OCTOBER),
    Asked("cascade_fade", *OCTOBER),
)


def main(root: str) -> None:
    """Land the rows, ask every rule, and write what came of it."""
    with tempfile.TemporaryDirectory(prefix="undertow-") as folder:
        lake = Path(folder)
        land_reservoir(root, lake)
        land_hourly_fills(root, lake)
        land_market(root, lake, date(2025, 10, 1), date(2025, 10, 13))
        land_market(root, lake, date(2026, 1, 26), date(2026, 2, 13))
        with open_lake(lake) as con:
            found = answer(con, [one.question for one in RULES])
    rows = [_row(asked, one) for asked, one in zip(RULES, found, strict=True)]
    Path(__file__).with_name("real_rows.md").write_text(WORDS + HEAD + "".join(rows))


def _row(asked: Asked, found: Answer) -> str:
    what, readings = found.findings.subject, found.findings.readings
    base = found.findings.ablations[0].attempts.mean_without
    cells = (
        f"`{asked.rule}`",
        f"{asked.since:%Y-%m-%d} to {asked.until:%Y-%m-%d}",
        what.signals,
        what.unmapped,
        readings[0].attempts,
        percent(readings[0].mean),
        percent(readings[1].mean),
        percent(base),
        found.verdict[2],
    )
    return f"| {' | '.join(map(str, cells))} |\n"


if __name__ == "__main__":
    main(sys.argv[1])
