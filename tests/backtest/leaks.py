"""Strategies that cheat, each in one way, and honest ones beside them."""

from dataclasses import dataclass

import numpy as np

from backtest.decisions import Decisions
from backtest.strategies.breakout import Breakout
from backtest.strategies.strategy import Strategy


@dataclass(frozen=True, kw_only=True)
class Cheat(Strategy):
    """Enter on the sign of a signal that its kind of cheat made."""

    lookback: int = 6

    @property
    def warmup(self):
        return self.lookback

    def decide(self, view):
        signal = self.signal(view)
        return Decisions.of(
            np.where(np.abs(signal) > self.least, np.sign(signal), 0),
            stop_fraction=0.01,
            target_fraction=0.01,
            max_bars=6,
            notional=1000.0,
        )

    least = 0.006


class LastBar(Cheat):
    """Honest: the rise of the bar that closed."""

    def signal(self, view):
        return view.close_px / view.open_px - 1


class Counted(LastBar):
    """Honest, and made of what is no field of it."""

    def __init__(self, many):
        super().__init__()
        object.__setattr__(self, "many", many)


@dataclass(frozen=True, kw_only=True)
class Holding(LastBar):
    """Honest, and holds another object of this module."""

    other: object = None


class NextBar(Cheat):
    """The rise of the bar to come: a future candle."""

    def signal(self, view):
        rise = view.close_px / view.open_px - 1
        return np.append(rise[1:], 0.0)


class Weekly(LastBar):
    """Honest but at one close of the week, where it knows the bar to come."""

    least = 0.008

    def signal(self, view):
        told = super().signal(view)
        hours = (view.bars.end - np.datetime64(WEEKLY)) // np.timedelta64(1, "h")
        return np.where(hours % 168 == 0, np.sign(np.append(told[1:], 0.0)), told)


WEEKLY = "2026-01-03T05:00"


class Centred(Cheat):
    """The close against a mean of the bars around it: a centred window."""

    def signal(self, view):
        smooth = np.convolve(view.close_px, np.ones(7) / 7, mode="same")
        return smooth / view.close_px - 1


class Trailing(Cheat):
    """Honest: the close against a mean of the bars before it."""

    def signal(self, view):
        summed = np.cumsum(np.insert(view.close_px, 0, 0.0))
        n = len(view)
        first = np.maximum(np.arange(n) - 6, 0)
        mean = (summed[1:] - summed[first]) / (np.arange(n) + 1 - first)
        return view.close_px / mean - 1


class DayOfFunding(Cheat):
    """What the whole UTC day will have paid, at each of its hours: end-of-day funding."""

    least = 1e-4

    def signal(self, view):
        day = (view.bars.start.astype("datetime64[D]")).astype(int)
        rate = np.nan_to_num(view.flow().funding_rate)
        return np.bincount(day - day[0], weights=rate)[day - day[0]]


class FundingSoFar(Cheat):
    """Honest: what the UTC day has paid up to each of its hours."""

    least = 1e-4

    def signal(self, view):
        day = view.bars.start.astype("datetime64[D]")
        rate = np.nan_to_num(view.flow().funding_rate)
        return np.array([rate[: n + 1][day[: n + 1] == day[n]].sum() for n in range(len(view))])


@dataclass(frozen=True, kw_only=True)
class Resting(Strategy):
    """Honest: entries that rest for some bars near the close, whatever it was."""

    kind: str

    def decide(self, view):
        side = np.where(np.arange(len(view)) % 3 == 0, 1, -1)
        away = 0.004 if self.kind == "stop" else -0.004
        return Decisions.of(
            side,
            kind=self.kind,
            px=view.close_px * (1 + away * side),
            good_for=4,
            stop_fraction=0.01,
            trail_fraction=0.02,
            target_fraction=0.01,
            max_bars=9,
            notional=5000.0,
        )


def seen(view):
    """Return the close of each bar, and the rise of the bar to come."""
    return view.close_px, np.append((view.close_px / view.open_px - 1)[1:], 0.0)


def stale(kept, view):
    """Return what was kept of bars that are as they were; of others, what honest rules see."""
    close, rise = kept
    told = view.close_px / view.open_px - 1
    n = min(len(close), len(view))
    told[:n] = np.where(close[:n] == view.close_px[:n], rise[:n], told[:n])
    return told


class OnItsClass(Cheat):
    """The rise of the bar to come, kept on the class from the first time that it was asked.

    Of bars that went elsewhere it sees their own, so that entries move with what happens.
    """

    kept = None

    def signal(self, view):
        if OnItsClass.kept is None:
            OnItsClass.kept = seen(view)
        return stale(OnItsClass.kept, view)


SEEN: list[tuple[np.ndarray, np.ndarray]] = []


class InItsModule(Cheat):
    """Likewise, kept in the module."""

    def signal(self, view):
        SEEN.append(seen(view))
        return stale(SEEN[0], view)


class InAnother(Cheat):
    """Likewise, kept in another module, which is imported where it is needed."""

    def signal(self, view):
        from tests.backtest import leaks_kept

        leaks_kept.SEEN.append(seen(view))
        return stale(leaks_kept.SEEN[0], view)


@dataclass(frozen=True, kw_only=True)
class OnItself(Cheat):
    """Likewise, kept on the rule itself, as a frozen class does not forbid."""

    def signal(self, view):
        if not hasattr(self, "kept"):
            object.__setattr__(self, "kept", seen(view))
        return stale(self.kept, view)


class Elsewhere(Cheat):
    """Likewise, all of it, kept where nobody looks: on a module that is installed."""

    def signal(self, view):
        if not hasattr(np, "kept_by_a_leak"):
            np.kept_by_a_leak = seen(view)[1]
        return np.kept_by_a_leak[: len(view)]


@dataclass(frozen=True, kw_only=True)
class Told(Cheat):
    """Enter on how what the flow calls a funding rate changed: what a leak puts there."""

    least = 1e-9

    def signal(self, view):
        rate = np.nan_to_num(view.flow().funding_rate)
        return np.append(0.0, np.diff(rate))


BREAKOUT = Breakout(lookback=6, stop_pct=1.0, target_pct=1.5, max_bars=12)
