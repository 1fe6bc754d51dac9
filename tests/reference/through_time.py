"""The obvious version of maps through time and of what was read last: loops over every row."""

import re
from datetime import timedelta

from tests.reference import maps
from tests.reference.cohorts import book, segment_map
from tests.reference.flow import forced_trades
from tests.reference.sweeps import Question

HOUR = timedelta(hours=1)


def each(since, until, every):
    """Return the moments of a series."""
    out = []
    while since < until:
        out.append(since)
        since += every
    return out


def scenarios(lake, coin, moments, pcts, max_age, knowable=False):
    """Return {(ts, direction, pct): (notional, positions, mark, snapshot_ts)}."""
    told = {}
    for ts in moments:
        asked = Question(lake, coin, ts, max_age, knowable)
        answering, mark = asked.answering(), None
        if answering is not None:
            mark = asked.mark()
        if mark is None:
            continue
        held = list(asked.positions().values())
        for direction in ("down", "up"):
            for pct in pcts:
                sums = maps.triggered(held, mark, pct, direction)
                told[ts, direction, pct] = (*sums, mark, answering["snapshot_ts"])
    return told


def regimes(lake, coin, moments, pct, max_age, knowable=False):
    """Return ts -> (ratio, regime, long, short)."""
    sides = {}
    for (ts, direction, _), (notional, *_) in scenarios(
        lake, coin, moments, [pct], max_age, knowable
    ).items():
        sides.setdefault(ts, {})["long" if direction == "down" else "short"] = notional
    told = {}
    for ts, side in sides.items():
        small, large = sorted(side.values())
        if large == 0:
            told[ts] = (None, None, 0, 0)
            continue
        ratio = large / small if small else None
        tilt = 99 if ratio is None else ratio
        regime = "symmetric" if tilt < 2 else "tilted" if tilt <= 4 else "fragile"
        told[ts] = (ratio, regime, side["long"], side["short"])
    return told


def heatmap(lake, coin, since, until, every, width_pct, held, max_age, knowable=False):
    """Return {(ts, bucket): (long, short, positions, liquidated long, liquidated short)}.

    ``held`` are the starts of the hours whose fills are held.
    """
    told = {}
    for ts in each(since, until, every):
        end = min(ts + every, until)
        asked = Question(lake, coin, ts, max_age, knowable)
        cells = {}
        is_map = asked.answering() is not None
        for row in asked.positions().values() if is_map else ():
            if row["liquidation_px"] is not None:
                key = maps.bucket(row["liquidation_px"], width_pct)
                cell = cells.setdefault(key, [0.0, 0.0, 0, 0.0, 0.0])
                cell[row["size"] < 0] += abs(row["size"]) * row["liquidation_px"]
                cell[2] += 1
        hour, is_held = ts.replace(minute=0, second=0, microsecond=0), True
        while hour < end:
            is_held, hour = is_held and hour in held, hour + HOUR
        published = [row for row in lake["fills"] if not knowable or row["known_ts"] <= until]
        for trade in forced_trades(published, coin, ts, end):
            key = maps.bucket(trade["px"], width_pct)
            cell = cells.setdefault(key, [0.0, 0.0, 0, 0.0, 0.0])
            cell[3 + (trade["side"] == "short")] += trade["notional"]
        for key, cell in cells.items():
            if not is_map:
                cell[:3] = [None] * 3
            if not is_held:
                cell[3:] = [None] * 2
            told[ts, key] = tuple(cell)
    return told


def most_hit(lake, coin, ts, width_pct, max_age, knowable=False):
    """Return bucket -> the notional of each segment, both sides."""
    buckets = {}
    cells = segment_map(book(lake, ts, max_age, knowable), coin, width_pct, "size")
    for (_, bucket), cell in cells.items():
        for name, notional in cell.items():
            own = buckets.setdefault(bucket, {})
            own[name] = own.get(name, 0.0) + notional
    return buckets


def newest(rows, at, when, max_age, knowable=False, **equal):
    """Return the row that was read last; ``when`` says of a row when it was; None: none."""
    some = [
        row
        for row in rows
        if all(row[name] == value for name, value in equal.items())
        and at - max_age <= when(row) <= at
        and (not knowable or row["known_ts"] <= at)
    ]
    return min(some, key=lambda row: (at - when(row), row["source"]), default=None)


def held_hours(parts, since, until, dex="hyperliquid"):
    """Return hour -> until when its fills are held, by the names of parts; None: not at all.

    ``parts`` are dicts of ``day`` (of a moment), ``part``, ``source``, ``max_ts``.
    """
    told = {}
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        ends = []
        for part in parts:
            if part["day"] != hour.date():
                continue
            words = part["part"].removeprefix(part["source"] + "-").split("-")
            end = hour + HOUR
            if len(words) == 2 and re.fullmatch(r"\d{8}t\d\d", words[0]):
                if words[0] == f"{hour:%Y%m%dt%H}":
                    whole = part["max_ts"] >= hour + timedelta(minutes=59)
                    ends.append(end if whole else part["max_ts"])
            elif words in ([dex, words[-1]], [f"{hour:%H}"]) and re.fullmatch(
                r"\d\d", words[-1]
            ):
                ends.append(end)
        told[hour] = max((end for end in ends if end > hour), default=None)
        hour += HOUR
    return told
