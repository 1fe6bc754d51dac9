"""The obvious version: every half of the blocks, row by row, in fractions where it can be."""

from itertools import combinations
from math import log, sqrt
from statistics import fmean, stdev


def blocks_of(rows, many):
    """Return runs of rows; the first ones take what does not divide."""
    size, more = divmod(len(rows), many)
    runs, start = [], 0
    for number in range(many):
        end = start + size + (number < more)
        runs.append(rows[start:end])
        start = end
    return runs


def sharpe(returns):
    """Return the Sharpe ratio of a list, to 12 digits after the point."""
    if not any(returns):
        return 0.0
    return round(fmean(returns) / stdev(returns), 12)


def rank(ratios, own):
    """Return the mean place of equals, counted from the lowest."""
    places = [place for place, one in enumerate(sorted(ratios), 1) if one == own]
    return sum(places) / len(places)


def overfitting(returns, blocks):
    """Return [(logit, chosen, afterwards)] of every half, in order."""
    runs = blocks_of(returns, blocks)
    settings = range(len(returns[0]))
    found = []
    for held in combinations(range(blocks), blocks // 2):
        inside = [row for number in held for row in runs[number]]
        outside = [
            row for number in range(blocks) if number not in held for row in runs[number]
        ]
        here = [sharpe([row[n] for row in inside]) for n in settings]
        there = [sharpe([row[n] for row in outside]) for n in settings]
        best = [n for n in settings if here[n] == max(here)]
        relative = fmean(rank(there, there[n]) for n in best) / (len(settings) + 1)
        found.append((log(relative / (1 - relative)), max(here), fmean(there[n] for n in best)))
    return found


def slope(xs, ys):
    """Return the least-squares slope by the textbook's formula."""
    middle_x, middle_y = fmean(xs), fmean(ys)
    across = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True))
    return across / sqrt(sum((x - middle_x) ** 2 for x in xs)) ** 2
