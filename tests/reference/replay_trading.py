"""What an account lives through in a bar: decisions arrive, orders fill, positions end."""

from decimal import Decimal
from math import inf

from backtest.ticks import tick_at
from tests.reference import replay_bar
from tests.reference.replay_account import Account
from tests.reference.replay_words import Order, Trade


class Trading(Account):
    """An account in the market, one coin and one piece of a bar at a time."""

    def through(self, coin, level):
        if self.venue.limit != "through" or level is None:
            return 0.0
        tick = tick_at(Decimal(repr(level)), self.markets[coin].size_decimals)
        return self.venue.ticks * float(tick) * (1 - 1e-6)

    def arrive(self, coin, bar, row, decision, px):
        trade, moved = self.open[coin], False
        if trade and decision.only_side not in (0, trade.side):
            pass
        elif decision.leave:
            if trade:
                self.leave(coin, bar, px, "left")
            else:
                self.cancel(coin)
        elif trade:
            trade.stop = trade.stop if decision.move_stop_px is None else decision.move_stop_px
            if decision.move_target_px is not None:
                trade.target = decision.move_target_px
                moved = True
        if self.outcome[row][coin] == "waiting":
            if self.open[coin]:
                self.outcome[row][coin] = "not taken"
            else:
                self.cancel(coin)
                last = bar + max(decision.good_for, 1) - 1
                self.orders[coin] = Order(row, decision, last)
        return moved

    def fill(self, coin, bar, px, takes, bound=None):
        order, venue = self.orders[coin], self.venue
        decision, side = order.decision, order.decision.side
        first = order.left is None
        equity = self.equity() - self.ahead
        notional = decision.notional + decision.share * equity
        if first:
            margin = notional / self.markets[coin].leverage
            for other in range(len(self.markets)):
                if other != coin:
                    # What another coin leaves within the bar may still bind its margin.
                    margin += max(self.margin(other), self.tied.get(other, 0.0))
            if notional < 10 or margin > equity:
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
            trade = self.trade_of(coin, bar, order, px, got)
            wanted = notional / got
        else:
            trade, wanted = self.open[coin], order.left
        coins = wanted
        if not takes:
            coins = min(coins, self.offered[coin])
            self.offered[coin] -= coins
        if coins <= 0:
            return
        self.open[coin] = trade
        self.outcome[order.row][coin] = "opened"
        self.buy_in(coin, coins, got, venue.taker if takes else venue.maker, given)
        order.left = wanted - coins
        if order.left <= 0:
            self.orders[coin] = None

    def profit(self, coin, bar, px):
        trade = self.open[coin]
        coins = trade.coins
        coins = min(coins, self.offered[coin])
        self.offered[coin] -= coins
        self.cash_out(coin, coins, px, self.venue.maker, 0.0)
        if trade.coins <= 1e-12 * abs(trade.size):
            self.cancel(coin)
            self.close(coin, bar, "target")

    def trade_of(self, coin, bar, order, begun, px):
        d = order.decision
        stop, target = d.stop_px, d.target_px
        if stop is None and d.stop_fraction is not None:
            stop = px * (1 - d.side * d.stop_fraction)
        if target is None and d.target_fraction is not None:
            target = px * (1 + d.side * d.target_fraction)
        until = bar + d.max_bars if d.max_bars else None
        return Trade(
            coin,
            order.row,
            bar,
            d.kind,
            d.side,
            stop,
            target,
            d.trail_fraction,
            until,
            begun,
            px,
            px,
        )

    def passes(self, coin, bar, px, target):
        """End what a price has passed; a target 'arrives' there, 'rested', or was 'met'."""
        trade = self.open[coin]
        behind = trade.levels_behind(None)
        if behind and not trade.better(px, behind[0][0]):
            return self.leave(coin, bar, px, behind[0][1])
        if trade.target is None:
            return None
        beyond = trade.side * (px - trade.target)
        if target == "arrives":
            # A limit order that takes what is better than itself.
            if beyond >= 0:
                self.leave(coin, bar, px, "target", least=trade.target)
        elif beyond >= self.through(coin, trade.target):
            self.profit(coin, bar, trade.target if target == "met" else px)
        return None

    def gap(self, coin, bar, piece, opens, target):
        """What the open has passed already."""
        trade, px = self.open[coin], piece.open
        trade.saw(px)
        if self.exhausted():
            return self.liquidate(coin, bar, px)
        self.passes(coin, bar, px, target)
        if self.open[coin] and opens and trade.until is not None and bar >= trade.until:
            self.leave(coin, bar, px, "time")
        return None

    def entry_at_open(self, coin, bar, piece, opens):
        order = self.orders[coin]
        d, px = order.decision, piece.open
        fresh, order.fresh = order.fresh, False
        past = d.kind == "limit" and d.side * (d.px - px) >= self.through(coin, d.px)
        if d.kind == "market" or (d.kind == "stop" and d.side * (px - d.px) >= 0):
            self.fill(coin, bar, px, takes=True)
        elif d.kind == "limit" and fresh and d.side * (d.px - px) >= 0:
            self.fill(coin, bar, px, takes=True, bound=d.px)
        elif d.kind == "limit" and not fresh and past:
            self.fill(coin, bar, px if opens else d.px, takes=False)

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
        # Until it is through nobody knows what it will have paid of what falls due.
        trade.charged = self.bound(trade, piece.stamps)
        self.pay(trade, trade.charged)
        trade.unsure = any(piece.stamps)
        liquidation = self.liquidation_px(coin, others)
        begun = trade.begun if entered_by else piece.open
        if liquidation is not None and not trade.better(begun, liquidation):
            trade.worst = begun if trade.better(trade.worst, begun) else trade.worst
            self.liquidate(coin, bar, begun)
            return
        if entered_by:
            self.passes(coin, bar, begun, "arrives")
            if not self.open[coin]:
                return
        behind = (trade.levels_behind(liquidation) or [(None, None)])[0]
        goal = None
        if trade.target is not None and self.offered[coin] > 0:
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

    def opening(self, coin, bar, piece, opens, rows):
        # What rests may have its share of what the piece trades, once.
        self.offered[coin] = inf
        if self.venue.limit == "share":
            self.offered[coin] = self.venue.volume_share * piece.volume
        self.px[coin] = piece.open
        if self.open[coin]:
            self.gap(coin, bar, piece, opens, "rested" if opens else "met")
        for row, decision in rows:
            moved = self.arrive(coin, bar, row, decision, piece.open)
            if self.open[coin]:
                self.gap(coin, bar, piece, False, "arrives" if moved else "rested")

    def entering(self, coin, bar, piece, opens):
        if self.orders[coin]:
            held = self.open[coin]
            self.entry_at_open(coin, bar, piece, opens)
            if self.open[coin] and not held:
                self.gap(coin, bar, piece, False, "arrives")

    def going_on(self, coin, bar, piece, others, optimistic):
        was = self.open[coin]
        fills = (len(was.entries), len(was.exits)) if was else None
        if was or self.orders[coin]:
            self.within(coin, bar, piece, others, optimistic)
        trade = self.open[coin]
        if trade and any(piece.stamps):
            if trade is was and fills == (len(trade.entries), len(trade.exits)):
                self.pay(trade, -trade.charged)
                for one in piece.stamps:
                    self.pay(trade, trade.side * trade.coins * one)
            else:
                trade.ambiguous = True
            trade.unsure = False
        self.px[coin] = piece.close
