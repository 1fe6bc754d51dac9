"""Small bars and decisions for the tests of the replay, and the two ways to run them."""

import numpy as np

from backtest.kernels import replay as kernels
from backtest.replay import REASONS
from tests.reference import replay as naive
from tests.reference.replay import known

NAMES = {
    kernels.STOP: "stop",
    kernels.TARGET: "target",
    kernels.TIME: "time",
    kernels.END: "end",
}


def as_arrays(bars, decisions):
    """Turn the slow twin's objects into the kernel's arrays."""
    nan = float("nan")

    def column(rows, name, empty, kind=float):
        values = (getattr(row, name) for row in rows)
        return np.array([empty if value is None else value for value in values], dtype=kind)

    return (
        *(column(bars, name, nan) for name in ("open", "high", "low", "close", "funding_rate")),
        column(decisions, "side", 0, np.int8),
        column(decisions, "stop_fraction", nan),
        column(decisions, "target_px", nan),
        column(decisions, "target_fraction", nan),
        column(decisions, "max_bars", 0, np.int64),
    )


def by_kernel(bars, decisions, costs, optimistic, implementation=kernels.replay):
    """Run the kernel and return the slow twin's kind of answer."""
    arrays = as_arrays(bars, decisions)
    span, reason, ambiguous, money, position, profit, outcome = implementation(
        *arrays, costs.notional, costs.taker, costs.maker, optimistic
    )
    trades = []
    for row in range(reason.size):
        size, entry, leave, stop, target, fees, funding, pnl = money[row].tolist()
        decision = decisions[int(span[row, 0]) - 1]
        trades.append(
            naive.Trade(
                entry_bar=int(span[row, 0]),
                size=size,
                entry=entry,
                stop=known(stop),
                target=known(target),
                max_bars=decision.max_bars,
                fees=fees,
                funding=funding,
                exit_bar=int(span[row, 1]),
                exit=leave,
                reason=REASONS[int(reason[row])],
                ambiguous=bool(ambiguous[row]),
                pnl=pnl,
            )
        )
    marks = list(zip(position.tolist(), profit.tolist(), strict=True))
    unfilled = np.flatnonzero(outcome == kernels.UNFILLED).tolist()
    return trades, marks, unfilled
