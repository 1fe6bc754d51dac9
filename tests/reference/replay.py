"""The replay as a story: bars pass, decisions travel, orders rest, an account has cash.

Written from the rules (docs/replay.md) and not from the kernel: objects and events here,
records and levels there; what a bar may have done is found by walking its paths.
"""

from tests.reference.replay_bar import Bar
from tests.reference.replay_trading import Trading


def stamps_of(fine):
    """Every payment of some finer bars, in order."""
    return [paid for bar in fine for paid in (bar.due, *bar.stamps)]


def join(fine, stamps):
    return Bar(
        fine[0].open,
        max(bar.high for bar in fine),
        min(bar.low for bar in fine),
        fine[-1].close,
        sum(bar.volume for bar in fine),
        stamps=tuple(stamps),
    )


def pieces_of(bar, cut, rows, drilled):
    """Return [(piece, what is due at its open, decisions that arrive there)], in order.

    What is due at the bar's own open is not in it.
    """
    if cut:
        parts = [(bar.fine[:cut], rows[:-1]), (bar.fine[cut:], rows[-1:])]
    else:
        parts = [(bar.fine, rows)]
    for fine, arriving in parts:
        if drilled and fine:
            for number, one in enumerate(fine):
                yield one, one.due, arriving if number == 0 else []
        elif not cut:
            yield bar, 0.0, arriving
        elif fine == bar.fine[:cut]:
            yield join(fine, stamps_of(fine)), 0.0, arriving
        else:
            yield join(fine, stamps_of(fine)[1:]), fine[0].due, arriving


def replay(bars, decisions, markets, venue, arrives=None):
    """Replay ``decisions[t][coin]`` over ``bars[t][coin]``; a bar that is None is not there.

    ``arrives(t)``: the bar, and the number of its finer bar, in which what is decided at the
    close of bar ``t`` reaches the venue.  Returns the account, equity and coins at each close.
    """
    arrives = arrives or (lambda t: (t + 1, 0))
    account = Trading(markets, venue, len(bars))
    optimistic = venue.reading == "optimistic"
    equity, position = [], []
    for t, row in enumerate(bars):
        here = [(coin, bar) for coin, bar in enumerate(row) if bar is not None]
        for coin, bar in here:
            account.px[coin] = bar.open
            trade = account.open[coin]
            if trade:
                account.pay(trade, trade.side * trade.coins * bar.due)
        pieces = {}
        for coin, bar in here:
            due = [one for one in account.waiting[coin] if one[0] <= t]
            account.waiting[coin] = [one for one in account.waiting[coin] if one[0] > t]
            cut = next((one[1] for one in due if one[0] == t), 0) if bar.fine else 0
            rows = [(number, decision) for _, _, number, decision in due]
            pieces[coin] = list(pieces_of(bar, cut, rows, venue.reading == "drilled"))
        # At the opens all coins leave first, then all enter.
        for coin, _ in here:
            piece, _, arriving = pieces[coin][0]
            account.opening(coin, t, piece, True, arriving)
        for coin, _ in here:
            account.entering(coin, t, pieces[coin][0][0], True)
        others = list(account.px)
        if not optimistic:
            for coin, bar in here:
                held = account.open[coin]
                others[coin] = bar.low if held and held.side > 0 else bar.high
        for coin, bar in here:
            account.owes(coin, bar.stamps, 0.0)
        opened = account.equity() if here else None
        before = len(account.closed)
        account.tied = {coin: account.margin(coin) for coin in range(len(markets))}
        for coin, bar in here:
            account.ahead = account.equity() - opened
            was = account.open[coin]
            paid = was.funding if was else 0.0
            account.owed[coin] = 0.0
            for number, (piece, due, arriving) in enumerate(pieces[coin]):
                if account.open[coin]:
                    trade = account.open[coin]
                    account.pay(trade, trade.side * trade.coins * due)
                if number:
                    account.opening(coin, t, piece, False, arriving)
                    account.entering(coin, t, piece, False)
                account.going_on(coin, t, piece, others, optimistic)
            # Until all are through the bar, the others know of none how it goes.
            account.px[coin] = bar.open
            # But who entered on the way was in it at its worst, too.
            entered = account.open[coin]
            if entered and not optimistic:
                others[coin] = bar.low if entered.side > 0 else bar.high
            if entered:
                paid = entered.funding - (paid if entered is was else 0.0)
            account.owes(coin, bar.stamps, paid)
            order = account.orders[coin]
            if order and t >= order.last:
                account.cancel(coin)
        # One liquidation takes all: of those that went before, too.
        gone = any(trade.reason == "liquidation" for trade in account.closed[before:])
        for coin, bar in here if gone and not optimistic else []:
            account.go_down(coin, t, bar, others)
        account.ahead, account.tied, account.owed = 0.0, {}, {}
        for coin, bar in here:
            account.px[coin] = bar.close
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
