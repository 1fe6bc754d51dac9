"""The words of a replay's story: what was decided, where it trades, and what came of it."""

from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt


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
    only_side: int = 0
    move_stop_px: float | None = None
    move_target_px: float | None = None


@dataclass(frozen=True)
class Market:
    """What a coin's market is like: ticks, depth, margin tiers [(rate, deduction)]."""

    size_decimals: int = 4
    sizes: tuple = (1.0,)
    bought: tuple = (0.0,)
    sold: tuple = (0.0,)
    forced_bought: tuple | None = None  # of exits that the market forces; None: as others
    forced_sold: tuple | None = None
    tiers: tuple | None = None
    leverage: float = 100.0

    def gives_up(self, buys, notional, forced=False):
        curve = self.bought if buys else self.sold
        if forced:
            curve = (self.forced_bought if buys else self.forced_sold) or curve
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
    begun: float  # price before slippage
    best: float  # of the market and of its own fills
    worst: float
    entries: list = field(default_factory=list)  # (coins, px)
    exits: list = field(default_factory=list)
    fees: float = 0.0
    funding: float = 0.0
    slippage: float = 0.0
    forfeit: float = 0.0
    ambiguous: bool = False
    charged: float = 0.0  # bound of what falls due in the piece
    unsure: bool = False  # it is in the funding
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

    def saw(self, px):
        self.best = px if self.better(px, self.best) else self.best
        self.worst = px if self.better(self.worst, px) else self.worst

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
