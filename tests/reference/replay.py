"""The replay as a story: a bar is a path of prices, an account has cash, orders rest.

Written from the rules and not from the kernel: the kernel compares levels with a bar's
extremes; this walks the bar from its open to its close and fills what it crosses.
"""

from dataclasses import dataclass, field
from math import isnan


@dataclass
class Bar:
    open: float
    high: float
    low: float
    close: float
    funding_rate: float = 0.0


@dataclass
class Decision:
    side: int = 0
    stop_fraction: float | None = None
    target_px: float | None = None
    target_fraction: float | None = None
    max_bars: int | None = None


@dataclass
class Costs:
    notional: float
    taker: float
    maker: float


@dataclass
class Trade:
    entry_bar: int
    size: float
    entry: float
    stop: float | None
    target: float | None
    max_bars: int | None
    fees: float = 0.0
    funding: float = 0.0
    exit_bar: int | None = None
    exit: float | None = None
    reason: str | None = None
    ambiguous: bool = False
    cash_before: float = 0.0
    pnl: float = 0.0

    @property
    def long(self):
        return self.size > 0

    def stop_reached_at(self, px):
        return self.stop is not None and (px <= self.stop if self.long else px >= self.stop)

    def target_reached_at(self, px):
        return self.target is not None and (
            px >= self.target if self.long else px <= self.target
        )


@dataclass
class Account:
    costs: Costs
    cash: float = 0.0
    trade: Trade | None = None
    closed: list[Trade] = field(default_factory=list)

    def enter(self, bar_number, px, decision):
        size = self.costs.notional / px * decision.side
        target = decision.target_px
        if target is None and decision.target_fraction is not None:
            away = 1.0 + decision.target_fraction * decision.side
            target = px * away
        if target is not None:
            ahead = target > px if decision.side > 0 else target < px
            if not ahead:
                return False
        stop = None
        if decision.stop_fraction is not None:
            stop = px * (1.0 - decision.stop_fraction * decision.side)
        self.trade = Trade(
            bar_number, size, px, stop, target, decision.max_bars, cash_before=self.cash
        )
        self.cash -= size * px
        self.pay_fee(abs(size) * px * self.costs.taker)
        return True

    def pay_fee(self, fee):
        self.cash -= fee
        self.trade.fees += fee

    def pay_funding(self, px, rate):
        due = self.trade.size * px * rate
        self.cash -= due
        self.trade.funding += due

    def leave(self, bar_number, px, reason):
        trade = self.trade
        self.cash += trade.size * px
        rate = self.costs.maker if reason == "target" else self.costs.taker
        self.pay_fee(abs(trade.size) * px * rate)
        trade.exit_bar, trade.exit, trade.reason = bar_number, px, reason
        trade.pnl = self.cash - trade.cash_before
        self.closed.append(trade)
        self.trade = None

    def worth(self, px):
        return self.cash + (self.trade.size * px if self.trade else 0.0)


def path(bar, trade, optimistic):
    """The extremes of a bar in the order that this reading believes in."""
    kind, cruel = (bar.high, bar.low) if trade.long else (bar.low, bar.high)
    return (kind, cruel) if optimistic else (cruel, kind)


def live_through(account, number, bar, optimistic, entered_now):
    """Fill what the bar fills."""
    trade = account.trade
    if not entered_now:
        if trade.stop_reached_at(bar.open):
            return account.leave(number, bar.open, "stop")
        if trade.target_reached_at(bar.open):
            return account.leave(number, bar.open, "target")
        if trade.max_bars is not None and number == trade.entry_bar + trade.max_bars:
            return account.leave(number, bar.open, "time")
    extremes = (bar.low, bar.high)
    trade.ambiguous = any(map(trade.stop_reached_at, extremes)) and any(
        map(trade.target_reached_at, extremes)
    )
    for px in path(bar, trade, optimistic):
        if trade.stop_reached_at(px):
            return account.leave(number, trade.stop, "stop")
        if trade.target_reached_at(px):
            return account.leave(number, trade.target, "target")
    return None


def replay(bars, decisions, costs, optimistic):
    """Return closed trades, coins and worth at each close, and the unfilled decisions."""
    account, marks, unfilled = Account(costs), [], []
    pending = None
    for number, bar in enumerate(bars):
        entered_now = False
        if account.trade:
            account.pay_funding(bar.open, bar.funding_rate)
        elif pending is not None and pending.side:
            entered_now = account.enter(number, bar.open, pending)
            if not entered_now:
                unfilled.append(number - 1)
        if account.trade:
            live_through(account, number, bar, optimistic, entered_now)
        if account.trade and number == len(bars) - 1:
            account.leave(number, bar.close, "end")
        pending = None if account.trade else decisions[number]
        marks.append((account.trade.size if account.trade else 0.0, account.worth(bar.close)))
    return account.closed, marks, unfilled


def known(value):
    """None for NaN: how the kernel's arrays say that there is none."""
    return None if isnan(value) else value
