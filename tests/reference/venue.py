"""An auditor: replays what was recorded, in plain whole numbers, to what must be held then.

Written from the venue's rules (:mod:`tests.reference.venue_rules`), not from the kernels.  It
is given an opening state and the rows that followed, complains about every row that it would
have worked out otherwise, and compares what it arrives at with the closing state.
"""

from dataclasses import dataclass

from pipelines.simulator import records as r
from tests.reference import venue_rules as rules

FREE = {int(r.BY_BACKSTOP), int(r.BY_ADL), int(r.BY_SETTLEMENT)}


@dataclass
class Position:
    """What an account holds of a coin."""

    size: int = 0
    entry: int = 0
    margin: int = 0
    isolated: bool = False
    funding: int = 0
    funding_changed: int = 0


class Auditor:
    """The books of a second clearinghouse.

    ``complaints`` collects sentences; none: all rows and the closing state are right.
    """

    def __init__(self, sim):
        moment, self.sim = sim.moment(), sim
        self.complaints = []
        self.role = [int(role) for role in moment.accounts["role"]]
        self.likes = [int(each) for each in moment.accounts["leverage"]]
        self.old = [int(each) for each in moment.accounts["old"]]
        self.decimals = [6 - int(each) for each in moment.coins["size_decimals"]]
        self.oracle = {}
        self.cash, self.positions = self.of_moment(moment)
        self.house = [int(each) for each in sim.world.house]
        self.tables = tables_of(sim)

    def of_moment(self, moment):
        """Read a state into plain numbers."""
        cash = {a: int(row["cash"]) for a, row in enumerate(moment.accounts)}
        positions = {}
        for a, coin, slot in open_positions(moment):
            if (a, coin) in positions:
                self.say(f"account {a} has two positions in coin {coin}")
            positions[a, coin] = Position(
                slot["size"],
                slot["entry"],
                slot["margin"],
                bool(slot["isolated"]),
                slot["funding"],
                slot["funding_changed"],
            )
        return cash, positions

    def say(self, text):
        """Complain."""
        self.complaints.append(text)

    def must(self, what, recorded, worked_out):
        """Complain unless two numbers are the same."""
        if recorded != worked_out:
            self.say(f"{what}: recorded {recorded}, worked out {worked_out}")

    def leverage(self, account, coin):
        """Return what a position of an account is opened with."""
        about = self.sim.world.coins[coin]
        keeps = self.old[account] and about["old_table"] >= 0
        most = int(about["old_leverage"] if keeps else about["max_leverage"])
        return min(self.likes[account], most)

    def replay(self, told):
        """Let the recorded rows happen, in order of time.

        At one moment settlements come first, then funding, then trades: the order in which a
        minute begins.
        """
        events = [
            (int(row["ms"]), 0 if row["kind"] == r.BY_SETTLEMENT else 2, number, row)
            for number, row in enumerate(told.trades)
        ]
        events += [(int(row["ms"]), 1, n, row) for n, row in enumerate(told.fundings)]
        events += [(int(row["ms"]), 3, n, row) for n, row in enumerate(told.transfers)]
        act = (self.trade, self.pay, self.trade, self.transfer)
        for _, what, _, row in sorted(events, key=lambda event: event[:3]):
            act[what](row)

    def trade(self, row):
        """Let two accounts trade."""
        px, size, kind = int(row["px"]), int(row["size"]), int(row["kind"])
        who = f"trade at {row['ms']} of coin {row['coin']}"
        if size <= 0 or px <= 0:
            self.say(f"{who}: {size} at {px}")
        if row["buyer"] == row["seller"]:
            self.say(f"{who}: with itself")
        booked = kind not in FREE and kind != r.BY_SETTLEMENT
        if booked and not rules.is_on_tick(px, self.decimals[row["coin"]]):
            self.say(f"{who}: {px} is on no tick")
        for side, sign in (("buyer", 1), ("seller", -1)):
            takes = bool(row["taker_buys"]) == (sign > 0)
            self.one_side(row, who, side, sign * size, px, takes, kind)

    def one_side(self, row, who, side, delta, px, takes, kind):
        """Move position and money of one side, and hold the row against it."""
        account, coin = int(row[side]), int(row["coin"])
        who = f"{who}, {side} {account}"
        held = self.positions.get((account, coin))
        if held is None:
            held = Position(isolated=bool(row[f"{side}_isolated"]))
        start, end = held.size, held.size + delta
        self.must(f"{who} start", int(row[f"{side}_start"]), start)
        self.must(f"{who} isolated", bool(row[f"{side}_isolated"]), held.isolated)
        closed = min(abs(delta), abs(start)) if start * delta < 0 else 0
        pnl = closed * (px - held.entry) if start > 0 else closed * (held.entry - px)
        self.must(f"{who} closed profit", int(row[f"{side}_pnl"]), pnl)
        value = abs(delta) * px
        fee = 0 if kind in FREE else rules.fee(value, self.role[account] == r.MAKER, takes)
        self.must(f"{who} fee", int(row[f"{side}_fee"]), fee)
        self.house[r.FEES] += fee
        if held.isolated:
            forced = kind != r.BY_CHOICE and account == row["liquidated"]
            self.move_isolated(account, coin, held, delta, px, fee, forced)
        else:
            self.cash[account] -= delta * px + fee
        if end * start <= 0:  # opened, closed or turned
            held.entry, held.funding = px, 0
        elif abs(end) > abs(start):
            held.entry = rules.rounded(
                rules.Fraction(abs(start) * held.entry + abs(delta) * px, abs(end))
            )
        held.size, held.funding_changed = end, 0
        if end:
            self.positions[account, coin] = held
        else:
            self.positions.pop((account, coin), None)

    def move_isolated(self, account, coin, held, delta, px, fee, forced):
        """Let a trade move an isolated position's margin: in with size, out with profit."""
        start, end = held.size, held.size + delta
        held.margin -= delta * px + fee
        if end == 0:
            moved = -held.margin
        elif start * end < 0:
            self.say(f"account {account}: an isolated position was turned")
            moved = 0
        elif abs(end) > abs(start):
            moved = abs(delta) * px // self.leverage(account, coin)
        elif forced:
            moved = 0  # a liquidated position gives nothing back before it is closed
        else:
            equity = held.margin + end * px
            moved = -int(max(0, equity) * (abs(delta) / abs(start)))
        held.margin += moved
        self.cash[account] -= moved

    def pay(self, row):
        """Let the holders of a coin pay or get funding."""
        if row["rate"] != float(rules.hourly_rate(row["premium"])):
            # The premium is told to 8 decimals: its rate may be off by half of the last.
            apart = abs(row["rate"] - float(rules.hourly_rate(row["premium"])))
            if apart > 0.5e-8 / 8 + 1e-10:
                self.say(f"funding at {row['ms']} of {row['coin']}: rate {row['rate']}")
        for (account, coin), held in self.positions.items():
            if coin == row["coin"]:
                paid = rules.funding(held.size, int(row["oracle"]), float(row["rate"]))
                if held.isolated:
                    held.margin -= paid
                else:
                    self.cash[account] -= paid
                held.funding += paid
                held.funding_changed += paid
                self.house[r.INSURANCE] += paid

    def transfer(self, row):
        """Let money come or go."""
        kind, amount, account = int(row["kind"]), int(row["amount"]), int(row["account"])
        who = f"transfer at {row['ms']} of account {account}"
        if kind == r.DEPOSIT:
            self.house[r.DEPOSITED] += amount
        elif kind == r.WITHDRAWAL:
            self.house[r.WITHDRAWN] -= amount
        elif kind == r.COVER:
            self.house[r.INSURANCE] -= amount
        wrong = {r.DEPOSIT: amount < 0, r.WITHDRAWAL: amount > 0, r.COVER: amount <= 0}
        if wrong.get(kind, False):
            self.say(f"{who}: {amount} of kind {kind}")
        self.cash[account] += amount

    def close(self):
        """Compare with the state that the world is in now; return all complaints."""
        moment = self.sim.moment()
        cash, positions = self.of_moment(moment)
        for account, mine in self.cash.items():
            self.must(f"cash of account {account}", cash[account], mine)
        for key in sorted(self.positions.keys() | positions.keys()):
            mine, theirs = (of.get(key, Position()) for of in (self.positions, positions))
            self.must(f"position {key}", theirs, mine)
        for place in (r.FEES, r.INSURANCE, r.DEPOSITED, r.WITHDRAWN):
            self.must(f"house {place}", int(self.sim.world.house[place]), self.house[place])
        for coin, about in enumerate(moment.coins):
            longs = sum(
                p.size for (_, c), p in self.positions.items() if c == coin and p.size > 0
            )
            self.must(f"open interest of {coin}", int(about["open_interest"]), longs)
        return self.complaints


def tables_of(sim):
    """Return the margin tiers by table, bounds in micro-USDC."""
    return {
        sim.tiers.row_of[name]: [
            (int(tier.lower_bound * 10**6), int(tier.max_leverage)) for tier in tiers
        ]
        for name, tiers in sim.tiers.tiers.items()
    }


def open_positions(moment):
    """Yield account, coin and the fields of each open position, as plain numbers."""
    ends, account = moment.accounts["end"].tolist(), 0
    names = moment.slots.dtype.names
    for number in moment.slots["size"].nonzero()[0].tolist():
        while ends[account] <= number:
            account += 1
        slot = dict(zip(names, moment.slots[number].tolist(), strict=True))
        yield account, slot["coin"], slot


@dataclass
class Standing:
    """How an account's cross part, or one isolated position, stands at a mark."""

    equity: int
    held: rules.Fraction

    @property
    def under(self):
        """Whether it is liquidated."""
        return self.equity < self.held


def standings(sim, marks, moment=None):
    """Return how everyone stands, by (account, None) for cross, (account, coin) isolated."""
    moment, tables, out = moment or sim.moment(), tables_of(sim), {}
    cash = moment.accounts["cash"].tolist()
    for a, coin, slot in open_positions(moment):
        value = slot["size"] * int(marks[coin])
        held = rules.maintenance(abs(value), tables[slot["table"]])
        if slot["isolated"]:
            out[a, coin] = Standing(slot["margin"] + value, held)
        else:
            mine = out.setdefault((a, None), Standing(cash[a], rules.Fraction(0)))
            mine.equity += value
            mine.held += held
    return out
