"""The account of a replay's story: its cash, what it holds and has ordered, and its margin."""

from scipy.optimize import brentq


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
        # What other coins have earned since the opens of the bar, the margin tied at them, and
        # what they may still owe of its payments.
        self.ahead, self.tied, self.owed, self.offered = 0.0, {}, {}, {}

    # -- money

    def equity(self, px=None):
        px = px or self.px
        return self.cash + sum(
            trade.side * trade.coins * px[coin] for coin, trade in enumerate(self.open) if trade
        )

    def margin(self, coin):
        trade = self.open[coin]
        return trade.coins * self.px[coin] / self.markets[coin].leverage if trade else 0.0

    def market_px(self, coin, px, way, notional, forced=False):
        forced = forced and self.venue.reading != "optimistic"
        given = self.markets[coin].gives_up(way > 0, notional, forced)
        if way < 0:
            given = min(given, 0.9)
        return px * (1 + way * given), given

    def buy_in(self, coin, coins, px, fee, given):
        trade = self.open[coin]
        trade.entries.append((coins, px))
        trade.saw(px)
        trade.fees += coins * px * fee
        trade.slippage += coins * px * given
        self.cash -= trade.side * coins * px + coins * px * fee

    def cash_out(self, coin, coins, px, fee, given):
        trade = self.open[coin]
        trade.exits.append((coins, px))
        trade.saw(px)
        trade.fees += coins * px * fee
        trade.slippage += coins * px * given
        self.cash += trade.side * coins * px - coins * px * fee

    def close(self, coin, bar, reason):
        trade = self.open[coin]
        trade.left, trade.reason = bar, reason
        trade.ambiguous |= trade.unsure
        self.closed.append(trade)
        self.open[coin] = None

    def leave(self, coin, bar, px, reason, least=None):
        """Close at the market; a limit that takes gets its own price at ``least``."""
        trade = self.open[coin]
        self.cancel(coin)
        coins = trade.coins
        forced = reason in ("stop", "trail", "liquidation")
        got, given = self.market_px(coin, px, -trade.side, coins * px, forced)
        if least is not None and trade.better(least, got):
            got, given = least, abs(least / px - 1)
        self.cash_out(coin, coins, got, self.venue.taker, given)
        self.close(coin, bar, reason)

    def liquidate(self, coin, bar, px):
        trade = self.open[coin]
        if self.venue.reading != "optimistic":
            lost = self.markets[coin].maintenance(trade.coins * px)
            trade.forfeit += lost
            self.cash -= lost
        self.leave(coin, bar, px, "liquidation")

    # -- funding

    def pay(self, trade, due):
        trade.funding += due
        self.cash -= due

    def bound(self, trade, stamps):
        """All payments that cost and none that brings; if optimistic, the reverse."""
        paid = [trade.side * trade.coins * one for one in stamps]
        hopes = self.venue.reading == "optimistic"
        return sum(one for one in paid if (one < 0) == hopes)

    def owes(self, coin, stamps, paid):
        """Note what a coin may owe of a bar's payments beyond what it has paid of them."""
        trade = self.open[coin]
        left = self.bound(trade, stamps) - paid if trade else 0.0
        worst = min if self.venue.reading == "optimistic" else max
        self.owed[coin] = worst(left, 0.0)

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
                rest += held.side * held.coins * others[other] - self.owed.get(other, 0.0)
                if self.markets[other].tiers is not None:
                    rest -= self.markets[other].maintenance(held.coins * others[other])

        def spare(px):
            notional = trade.coins * px
            return rest + trade.side * notional - market.maintenance(notional)

        low, high = 1e-9, 1e9
        if spare(low) * spare(high) > 0:
            return None
        return brentq(spare, low, high, xtol=1e-12, rtol=1e-15)

    def go_down(self, coin, t, bar, others):
        """End with the account, if it has no margin with all its coins at their worst."""
        trade, kept = self.open[coin], self.cash
        if not trade:
            return
        self.cash -= self.owed[coin]
        level = self.liquidation_px(coin, others)
        if level is None or trade.better(others[coin], level):
            self.cash = kept
            return
        trade.funding += self.owed.pop(coin)
        trade.ambiguous |= any(bar.stamps)
        begun = bar.open if trade.entered < t else trade.begun
        self.liquidate(coin, t, level if trade.better(begun, level) else begun)

    def cancel(self, coin):
        order = self.orders[coin]
        if order and self.outcome[order.row][coin] == "waiting":
            self.outcome[order.row][coin] = "unfilled"
        self.orders[coin] = None
