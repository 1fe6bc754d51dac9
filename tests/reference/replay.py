"""The replay as a story: bars pass, decisions travel, orders rest, an account has cash.

Written from the rules (docs/replay.md) and not from the kernel: objects and events here,
records and levels there; what a bar may have done is found by walking its paths.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from math import inf, sqrt

from scipy.optimize import brentq

from backtest.ticks import tick_at
from tests.reference import replay_bar
from tests.reference.replay_bar import Bar

__all__ = ["Bar", "Decision", "Market", "Trade", "Venue", "replay"]


@dataclass(frozen=True)
class Decision:
    side: int = 0
    kind: str = "market"
    px: float | None = None
    good_for: int = 1
    max_bars: int = 0
    stop_fraction: float | None = None
    stop_px: float | None = None
    target_fraction: float | None = None
    target_px: float | None = None
    trail_fraction: float | None = None
    notional: float = 0.0
    share: float = 0.0
    leave: bool = False
    move_stop_px: float | None = None
    move_target_px: float | None = None


@dataclass(frozen=True)
class Market:
    """What a coin's market is like: ticks, depth, margin tiers [(rate, deduction)]."""

    size_decimals: int = 4
    sizes: tuple = (1.0,)
    bought: tuple = (0.0,)
    sold: tuple = (0.0,)
    tiers: tuple | None = None

    def gives_up(self, buys, notional):
        curve = self.bought if buys else self.sold
        if notional > self.sizes[-1]:
            return curve[-1] * sqrt(notional / self.sizes[-1])
        points = list(zip(self.sizes, curve, strict=True))
        for (x0, y0), (x1, y1) in pairwise(points):
            if x0 < notional <= x1:
                return y0 + (notional - x0) / (x1 - x0) * (y1 - y0)
        return curve[0]

    def maintenance(self, notional):
        return max(rate * notional - deduction for rate, deduction in self.tiers)


@dataclass(frozen=True)
class Venue:
    reading: str = "pessimistic"
    limit: str = "touch"
    ticks: float = 0.0
    volume_share: float = 1.0
    taker: float = 0.0
    maker: float = 0.0
    leverage: float = 100.0
    start_equity: float = 10_000.0


@dataclass
class Trade:
    coin: int
    decided: int
    entered: int
    kind: str
    side: int
    stop: float | None
    target: float | None
    trail: float | None
    until: int | None
    best: float
    worst: float
    entries: list = field(default_factory=list)  # (coins, px)
    exits: list = field(default_factory=list)
    fees: float = 0.0
    funding: float = 0.0
    slippage: float = 0.0
    forfeit: float = 0.0
    ambiguous: bool = False
    left: int | None = None
    reason: str | None = None

    @property
    def coins(self):
        """Coins held now."""
        return sum(coins for coins, _ in self.entries) - sum(coins for coins, _ in self.exits)

    @property
    def size(self):
        return self.side * sum(coins for coins, _ in self.entries)

    @property
    def entry(self):
        return sum(n * px for n, px in self.entries) / sum(n for n, _ in self.entries)

    @property
    def exit(self):
        return sum(n * px for n, px in self.exits) / sum(n for n, _ in self.exits)

    @property
    def pnl(self):
        gross = sum(n * px for n, px in self.exits) - sum(n * px for n, px in self.entries)
        return self.side * gross - self.fees - self.funding - self.forfeit

    def better(self, px, than):
        """Whether one price is better for the trade than another."""
        return px > than if self.side > 0 else px < than

    def levels_behind(self, liquidation):
        found = []
        if liquidation is not None:
            found.append((liquidation, "liquidation"))
        if self.stop is not None:
            found.append((self.stop, "stop"))
        if self.trail is not None:
            found.append((self.best * (1 - self.side * self.trail), "trail"))
        # Nearest first; of those at one price the liquidation is the last, the trail before it.
        rank = {"stop": 0, "trail": 1, "liquidation": 2}
        return sorted(found, key=lambda one: (-self.side * one[0], rank[one[1]]))


@dataclass
class Order:
    row: int
    decision: Decision
    last: int
    fresh: bool = True
    left: float | None = None


class Account:
    def __init__(self, markets, venue, rows):
        self.markets, self.venue = markets, venue
        self.cash = venue.start_equity
        coins = range(len(markets))
        self.px = [None for _ in coins]
        self.open = [None for _ in coins]
        self.orders = [None for _ in coins]
        self.waiting = [[] for _ in coins]
        self.outcome = [["not taken" for _ in coins] for _ in range(rows)]
        self.closed = []

    # -- money

    def equity(self, px=None):
        px = px or self.px
        return self.cash + sum(
            trade.side * trade.coins * px[coin] for coin, trade in enumerate(self.open) if trade
        )

    def market_px(self, coin, px, way, notional):
        given = self.markets[coin].gives_up(way > 0, notional)
        return px * (1 + way * given), given

    def buy_in(self, coin, coins, px, fee, given):
        trade = self.open[coin]
        trade.entries.append((coins, px))
        trade.fees += coins * px * fee
        trade.slippage += coins * px * given
        self.cash -= trade.side * coins * px + coins * px * fee

    def cash_out(self, coin, coins, px, fee, given):
        trade = self.open[coin]
        trade.exits.append((coins, px))
        trade.fees += coins * px * fee
        trade.slippage += coins * px * given
        self.cash += trade.side * coins * px - coins * px * fee

    def close(self, coin, bar, reason):
        trade = self.open[coin]
        trade.left, trade.reason = bar, reason
        self.closed.append(trade)
        self.open[coin] = None

    def leave(self, coin, bar, px, reason):
        trade = self.open[coin]
        self.cancel(coin)
        coins = trade.coins
        got, given = self.market_px(coin, px, -trade.side, coins * px)
        self.cash_out(coin, coins, got, self.venue.taker, given)
        self.close(coin, bar, reason)

    def liquidate(self, coin, bar, px):
        trade = self.open[coin]
        if self.venue.reading != "optimistic":
            lost = self.markets[coin].maintenance(trade.coins * px)
            trade.forfeit += lost
            self.cash -= lost
        self.leave(coin, bar, px, "liquidation")

    def profit(self, coin, bar, px):
        trade = self.open[coin]
        coins = trade.coins
        coins = min(coins, self.offered)
        self.offered -= coins
        self.cash_out(coin, coins, px, self.venue.maker, 0.0)
        if trade.coins <= 1e-12 * abs(trade.size):
            self.cancel(coin)
            self.close(coin, bar, "target")

    # -- margin

    def exhausted(self):
        held = [(coin, trade) for coin, trade in enumerate(self.open) if trade]
        if any(self.markets[coin].tiers is None for coin, _ in held):
            return False
        needed = sum(
            self.markets[coin].maintenance(trade.coins * self.px[coin]) for coin, trade in held
        )
        return self.equity() < needed

    def liquidation_px(self, coin, others):
        """The price at which equity and maintenance meet, found by halving."""
        trade, market = self.open[coin], self.markets[coin]
        if market.tiers is None:
            return None
        rest = self.cash
        for other, held in enumerate(self.open):
            if held and other != coin:
                rest += held.side * held.coins * others[other]
                if self.markets[other].tiers is not None:
                    rest -= self.markets[other].maintenance(held.coins * others[other])

        def spare(px):
            notional = trade.coins * px
            return rest + trade.side * notional - market.maintenance(notional)

        low, high = 1e-9, 1e9
        if spare(low) * spare(high) > 0:
            return None
        return brentq(spare, low, high, xtol=1e-12, rtol=1e-15)

    # -- orders

    def through(self, coin, level):
        if self.venue.limit != "through" or level is None:
            return 0.0
        tick = tick_at(Decimal(repr(level)), self.markets[coin].size_decimals)
        return self.venue.ticks * float(tick) * (1 - 1e-6)

    def cancel(self, coin):
        order = self.orders[coin]
        if order and self.outcome[order.row][coin] == "waiting":
            self.outcome[order.row][coin] = "unfilled"
        self.orders[coin] = None

    def arrive(self, coin, bar, row, decision, px):
        trade = self.open[coin]
        if decision.leave:
            if trade:
                self.leave(coin, bar, px, "left")
            else:
                self.cancel(coin)
        elif trade:
            trade.stop = trade.stop if decision.move_stop_px is None else decision.move_stop_px
            if decision.move_target_px is not None:
                trade.target = decision.move_target_px
        if self.outcome[row][coin] == "waiting":
            if self.open[coin]:
                self.outcome[row][coin] = "not taken"
            else:
                self.cancel(coin)
                last = bar + max(decision.good_for, 1) - 1
                self.orders[coin] = Order(row, decision, last)

    def fill(self, coin, bar, px, takes, bound=None):
        order, venue = self.orders[coin], self.venue
        decision, side = order.decision, order.decision.side
        first = order.left is None
        notional = decision.notional + decision.share * self.equity()
        if first:
            exposure = notional + sum(
                trade.coins * self.px[other] for other, trade in enumerate(self.open) if trade
            )
            if notional < 10 or exposure > venue.leverage * self.equity():
                self.outcome[order.row][coin] = "refused"
                self.orders[coin] = None
                return
        else:
            notional = order.left * px
        got, given = px, 0.0
        if takes:
            got, given = self.market_px(coin, px, side, notional)
            if bound is not None and side * (got - bound) > 0:
                got, given = bound, abs(bound / px - 1)
        if first:
            trade = self.trade_of(coin, bar, order, got)
            passed = (trade.stop is not None and side * (px - trade.stop) <= 0) or (
                trade.target is not None and side * (trade.target - got) <= 0
            )
            if passed:
                self.cancel(coin)
                return
            wanted = notional / got
        else:
            trade, wanted = self.open[coin], order.left
        coins = wanted
        if not takes:
            coins = min(coins, self.offered)
            self.offered -= coins
        if coins <= 0:
            return
        self.open[coin] = trade
        self.outcome[order.row][coin] = "opened"
        self.buy_in(coin, coins, got, venue.taker if takes else venue.maker, given)
        order.left = wanted - coins
        if order.left <= 0:
            self.orders[coin] = None

    def trade_of(self, coin, bar, order, px):
        d = order.decision
        stop, target = d.stop_px, d.target_px
        if stop is None and d.stop_fraction is not None:
            stop = px * (1 - d.side * d.stop_fraction)
        if target is None and d.target_fraction is not None:
            target = px * (1 + d.side * d.target_fraction)
        until = bar + d.max_bars if d.max_bars else None
        return Trade(
            coin, order.row, bar, d.kind, d.side, stop, target, d.trail_fraction, until, px, px
        )

    # -- a bar

    def gap(self, coin, bar, piece, opens):
        """What the open has passed already."""
        trade, px = self.open[coin], piece.open
        trade.worst = px if trade.better(trade.worst, px) else trade.worst
        trade.best = px if trade.better(px, trade.best) else trade.best
        if self.exhausted():
            return self.liquidate(coin, bar, px)
        behind = trade.levels_behind(None)
        if behind and not trade.better(px, behind[0][0]):
            return self.leave(coin, bar, px, behind[0][1])
        if trade.target is not None and trade.side * (px - trade.target) >= self.through(
            coin, trade.target
        ):
            self.profit(coin, bar, px)
        if self.open[coin] and opens and trade.until is not None and bar >= trade.until:
            self.leave(coin, bar, px, "time")
        return None

    def entry_at_open(self, coin, bar, piece):
        order = self.orders[coin]
        d, px = order.decision, piece.open
        fresh, order.fresh = order.fresh, False
        past = d.kind == "limit" and d.side * (d.px - px) >= self.through(coin, d.px)
        if d.kind == "market" or (d.kind == "stop" and d.side * (px - d.px) >= 0):
            self.fill(coin, bar, px, takes=True)
        elif d.kind == "limit" and fresh and d.side * (d.px - px) >= 0:
            self.fill(coin, bar, px, takes=True, bound=d.px)
        elif d.kind == "limit" and not fresh and past:
            self.fill(coin, bar, px, takes=False)

    def entry_inside(self, coin, bar, piece):
        order = self.orders[coin]
        d = order.decision
        if d.kind == "limit":
            cruel = piece.low if d.side > 0 else piece.high
            if d.side * (d.px - cruel) >= self.through(coin, d.px):
                self.fill(coin, bar, d.px, takes=False)
                return "limit"
        if d.kind == "stop" and piece.low <= d.px <= piece.high:
            self.fill(coin, bar, d.px, takes=True)
            return "stop"
        return None

    def within(self, coin, bar, piece, others, optimistic):
        entered_by = begins = None
        if self.orders[coin]:
            was, level = self.open[coin], self.orders[coin].decision.px
            how = self.entry_inside(coin, bar, piece)
            if self.open[coin] and not was:
                entered_by, begins = how, level
        trade = self.open[coin]
        if not trade:
            return
        liquidation = self.liquidation_px(coin, others)
        begun = trade.entry if entered_by else piece.open
        if liquidation is not None and not trade.better(begun, liquidation):
            trade.worst = begun if trade.better(trade.worst, begun) else trade.worst
            self.liquidate(coin, bar, begun)
            return
        behind = (trade.levels_behind(liquidation) or [(None, None)])[0]
        goal = None
        if trade.target is not None and self.offered > 0:
            goal = trade.target + trade.side * self.through(coin, trade.target)
        possible = replay_bar.ends(piece, trade.side, behind[0], goal, begins)
        trade.ambiguous |= len(possible) > 1
        end = replay_bar.read(possible, optimistic)
        worst = piece.low if trade.side > 0 else piece.high
        if end == "behind":
            trade.worst = behind[0] if trade.better(trade.worst, behind[0]) else trade.worst
            if behind[1] == "liquidation":
                self.liquidate(coin, bar, behind[0])
            else:
                self.leave(coin, bar, behind[0], behind[1])
            return
        trade.worst = worst if trade.better(trade.worst, worst) else trade.worst
        if end == "target":
            trade.best = trade.target if trade.better(trade.target, trade.best) else trade.best
            self.profit(coin, bar, trade.target)
            if not self.open[coin]:
                return
        readings = [
            replay_bar.trail(piece, trade.side, trade.trail or 0.0, trade.best, entered_by, way)
            for way in (optimistic, not optimistic)
        ]
        trade.best, level, hit = readings[0]
        if trade.trail is not None:
            trade.ambiguous |= readings[0][2] != readings[1][2]
            if hit:
                self.leave(coin, bar, level, "trail")

    def piece(self, coin, bar, piece, opens, rows, others, optimistic):
        # What rests may have its share of what the piece trades, once.
        self.offered = inf
        if self.venue.limit == "share":
            self.offered = self.venue.volume_share * piece.volume
        self.px[coin] = piece.open
        if self.open[coin]:
            self.gap(coin, bar, piece, opens)
        for row, decision in rows:
            self.arrive(coin, bar, row, decision, piece.open)
            if self.open[coin]:
                self.gap(coin, bar, piece, False)
        if self.orders[coin]:
            self.entry_at_open(coin, bar, piece)
        if self.open[coin] or self.orders[coin]:
            self.within(coin, bar, piece, others, optimistic)
        self.px[coin] = piece.close


def join(fine):
    return Bar(
        fine[0].open,
        max(bar.high for bar in fine),
        min(bar.low for bar in fine),
        fine[-1].close,
        sum(bar.volume for bar in fine),
    )


def pieces_of(bar, cut, rows, drilled):
    """Return [(piece, decisions that arrive at its open)] of a bar, in order."""
    if cut:
        parts = [(bar.fine[:cut], rows[:-1]), (bar.fine[cut:], rows[-1:])]
    else:
        parts = [(bar.fine, rows)]
    for fine, arriving in parts:
        if drilled and fine:
            for number, one in enumerate(fine):
                yield one, arriving if number == 0 else []
        else:
            yield (join(fine) if cut else bar), arriving


def replay(bars, decisions, markets, venue, arrives=None):
    """Replay ``decisions[t][coin]`` over ``bars[t][coin]``; a bar that is None is not there.

    ``arrives(t)``: the bar, and the number of its finer bar, in which what is decided at the
    close of bar ``t`` reaches the venue.  Returns the account, equity and coins at each close.
    """
    arrives = arrives or (lambda t: (t + 1, 0))
    account = Account(markets, venue, len(bars))
    optimistic = venue.reading == "optimistic"
    equity, position = [], []
    for t, row in enumerate(bars):
        here = [(coin, bar) for coin, bar in enumerate(row) if bar is not None]
        for coin, bar in here:
            account.px[coin] = bar.open
            trade = account.open[coin]
            if trade:
                paid_on = bar.open if bar.oracle is None else bar.oracle
                due = trade.side * trade.coins * paid_on * bar.funding_rate
                trade.funding += due
                account.cash -= due
        others = list(account.px)
        if not optimistic:
            for coin, bar in here:
                held = account.open[coin]
                others[coin] = bar.low if held and held.side > 0 else bar.high
        for coin, bar in here:
            due = [one for one in account.waiting[coin] if one[0] <= t]
            account.waiting[coin] = [one for one in account.waiting[coin] if one[0] > t]
            cut = next((one[1] for one in due if one[0] == t), 0) if bar.fine else 0
            rows = [(number, decision) for _, _, number, decision in due]
            first = True
            for piece, arriving in pieces_of(bar, cut, rows, venue.reading == "drilled"):
                account.piece(coin, t, piece, first, arriving, others, optimistic)
                first = False
            account.px[coin] = bar.close
            order = account.orders[coin]
            if order and t >= order.last:
                account.cancel(coin)
        last = t == len(bars) - 1
        for coin in range(len(markets)):
            if last:
                account.cancel(coin)
                if account.open[coin]:
                    account.leave(coin, t, account.px[coin], "end")
            decision = decisions[t][coin]
            if decision.side and not last and (not account.open[coin] or decision.leave):
                account.outcome[t][coin] = "waiting"
            bar_there, fine = arrives(t)
            account.waiting[coin].append((bar_there, fine, t, decision))
        equity.append(account.equity() if any(account.open) else account.cash)
        position.append([t.side * t.coins if t else 0.0 for t in account.open])
    for row in account.outcome:
        for coin, outcome in enumerate(row):
            row[coin] = "not taken" if outcome == "waiting" else outcome
    return account, equity, position
