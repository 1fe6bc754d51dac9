"""This module holds what came of the draws of a placebo, and its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from backtest.bars import as_utc
from backtest.pooled import Attempts
from backtest.study import Played
from warehouse.contracts.tables import BACKTEST_PLACEBOS


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw on all coins, pessimistic reading.

    Attributes
    ----------
    attempts
        Of all coins.
    pnl
        Profit of all trades, USD.
    """

    attempts: Attempts
    pnl: float


@dataclass(frozen=True, slots=True)
class Placebo:
    """One way to make what a rule looks at meaningless.

    Attributes
    ----------
    name
        What was put in its place.
    drawn
        Whether it is drawn at random; one that is not has one draw.
    in_place
        Whether it enters where the rule might have, so that a day is one market in both; one
        that is not is moved to other days.
    draws
        In order.
    """

    name: str
    drawn: bool
    in_place: bool
    draws: tuple[Draw, ...]

    @property
    def means(self) -> list[float | None]:
        """Return each draw's mean return of an attempt; None: it has no attempts."""
        return [draw.attempts.mean for draw in self.draws]


def placebo_rows(study_id: str, played: Played, placebos: Sequence[Placebo]) -> pa.Table:
    """Return the rows of ``backtest_placebos``.

    Parameters
    ----------
    study_id
        Name of the study.
    played
        What the placebos are held against.
    placebos
        What came of them.
    """
    since, until = played.question.period
    sources = {run.source for run in played.own}
    same = {
        "study_id": study_id,
        "start_ts": as_utc(since),
        "source": "simulated" if "simulated" in sources else "undertow",
        "known_ts": as_utc(until),
    }
    rows = [
        same
        | {
            "placebo": placebo.name,
            "draw": number,
            "trades": draw.attempts.trades,
            "attempts": len(draw.attempts),
            "mean_attempt": draw.attempts.mean,
            "pnl": draw.pnl,
        }
        for placebo in placebos
        for number, draw in enumerate(placebo.draws)
    ]
    return pa.Table.from_pylist(rows, BACKTEST_PLACEBOS.schema)
