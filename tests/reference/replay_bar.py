"""What a bar may have done, by walking every path of prices that it allows.

The kernel reasons about extremes; this draws paths.  A path begins at the open, ends at the
close, and turns at the extremes (each at least once) and at any level that matters.
"""

from dataclasses import dataclass
from itertools import pairwise, product
from math import nan


@dataclass(frozen=True)
class Bar:
    open: float
    high: float
    low: float
    close: float
    volume: float = nan
    funding_rate: float = 0.0
    oracle: float | None = None
    fine: tuple = ()
    stamps: tuple = ()  # what a long pays at each stamp after the open, USD a coin

    @property
    def due(self):
        """What a long pays at the open, USD a coin."""
        return (self.open if self.oracle is None else self.oracle) * self.funding_rate


def paths(bar, levels):
    turns = {bar.high, bar.low, *(px for px in levels if bar.low <= px <= bar.high)}
    for length in (1, 2, 3, 4):
        for turned in product(turns, repeat=length):
            if {bar.high, bar.low} <= set(turned):
                yield [bar.open, *turned, bar.close]


def end_along(path, entry, levels):
    """Return the name of the level that ends a position along one path; None: none does.

    ``entry``: the price at which it begins, None: it lives from the open on.
    """
    alive = entry is None
    for here, there in pairwise(path):
        met = [(px, name) for px, name in levels if min(here, there) <= px <= max(here, there)]
        met += [] if alive else [(entry, "entry")]
        for px, name in sorted(met, key=lambda one: (abs(one[0] - here), one[1] != "entry")):
            if name == "entry":
                alive |= min(here, there) <= px <= max(here, there)
            elif alive:
                return name
    return None


def ends(bar, side, behind, goal, entry=None):
    """Return what may have ended a position in a bar: a set of 'behind', 'target', None.

    ``behind`` and ``goal``: prices that end it, None: there is none.
    """
    levels = [(behind, "behind"), (goal, "target")]
    levels = [(px, name) for px, name in levels if px is not None]
    marks = [px for px, _ in levels] + ([] if entry is None else [entry])
    return {end_along(path, entry, levels) for path in paths(bar, marks)}


def read(possible, optimistic):
    """Choose among what is possible: the worst for the position, or the best."""
    order = ("target", None, "behind") if optimistic else ("behind", None, "target")
    return next(one for one in order if one in possible)


def trail(bar, side, fraction, best, entered_by, optimistic):
    """Return (best price, level, hit): the best first and the worst last, or the reverse."""
    way = 1 if side > 0 else -1
    kind, cruel = (bar.high, bar.low) if way > 0 else (bar.low, bar.high)
    if entered_by == "limit":
        walk = [bar.close]
    elif optimistic:
        walk = [kind, bar.close]
    else:
        walk = [kind, cruel, bar.close]
    level, hit = None, False
    for px in walk:
        best = max(best, px) if way > 0 else min(best, px)
        level = best * (1.0 - way * fraction)
        if way * (px - level) <= 0.0:
            hit = True
            break
    return best, level, hit
