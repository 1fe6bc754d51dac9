"""Seconds of a bar from its trades, written from docs/replay.md one trade at a time."""

from itertools import groupby, pairwise
from math import isclose

from tests.reference.replay_bar import Bar


def between(before, after):
    """Return the two prices of two blocks that lie nearest to each other."""
    pairs = [(a, b) for a in before for b in after]
    low, high = max(min(before), min(after)), min(max(before), max(after))
    if low <= high:  # the blocks overlap: the price need not have jumped
        return low, low
    return min(pairs, key=lambda pair: abs(pair[0] - pair[1]))


def seconds_of(bar, trades):
    """Return ``bar``'s seconds as bars, by second; None: its trades do not make it up.

    ``trades``: ``(seconds, px, size)``, in order of time.
    """
    told = [(second, _blocks(some), size) for second, some, size in _by_second(trades)]
    if not told:
        return None
    px = [one[1] for one in trades] + [bar.open]
    volume = sum(one[2] for one in trades)
    last = told[-1][1][-1]
    made_up = max(px) == bar.high and min(px) == bar.low
    made_up &= min(last) <= bar.close <= max(last)
    if not (made_up and isclose(volume, bar.volume, rel_tol=1e-9)):
        return None
    opens, closes = [bar.open], []
    for (_, before, _), (_, after, _) in pairwise(told):
        close, opened = between(before[-1], after[0])
        closes.append(close)
        opens.append(opened)
    closes.append(bar.close)
    found = {}
    for number, (second, blocks, size) in enumerate(told):
        px = [one for block in blocks for one in block]
        px += [opens[number]]
        found[second] = Bar(opens[number], max(px), min(px), closes[number], size)
    return found


def _by_second(trades):
    for second, some in groupby(trades, lambda one: int(one[0])):
        here = list(some)
        yield second, here, sum(one[2] for one in here)


def _blocks(trades):
    """Return the prices of each moment."""
    return [[one[1] for one in block] for _, block in groupby(trades, lambda one: one[0])]
