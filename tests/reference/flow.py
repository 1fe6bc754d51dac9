"""The obvious version: loops over forced trades, readings and books, interval by interval."""

import math
from datetime import timedelta

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
LEVELS = 20


def forced_trades(fills, coin, since, until):
    """Return each forced trade of [since, until) once, as the liquidated account's own side."""
    trades = {}
    for fill in fills:
        if fill["coin"] != coin or fill["liquidation_method"] is None:
            continue
        if not since <= fill["time_ts"] < until:
            continue
        whose = fill["liquidated_account"] or (fill["account"] if fill["is_taker"] else None)
        own = whose is not None and fill["account"] == whose
        key = fill["time_ts"], fill["trade_id"]
        if key in trades and (trades[key]["own"] or not own):
            continue
        trades[key] = {
            "time_ts": fill["time_ts"],
            "account": whose,
            "side": "short" if fill["is_buy"] == own else "long",
            "px": fill["px"],
            "notional": fill["px"] * fill["size"],
            "method": fill["liquidation_method"],
            "own": own,
        }
    return sorted(trades.values(), key=lambda trade: trade["time_ts"])


def held_time(hours, since, until):
    """Return the time of [since, until) that lies in hours that are held."""
    total = timedelta(0)
    for hour in hours:
        total += max(min(hour + HOUR, until) - max(hour, since), timedelta(0))
    return total


def flow(
    fills, hours, coin, since, until, every, contexts=(), books=(), min_held=0.25, silent=()
):
    """Return a dict for each interval.

    ``hours`` are the starts of the held ones; of those in ``silent`` takeovers and ADL are not
    told.
    """
    trades = forced_trades(fills, coin, since - WEEK, until)
    trades = [
        trade
        for trade in trades
        if any(hour <= trade["time_ts"] < hour + HOUR for hour in hours)
    ]
    told = [fill["time_ts"] for fill in fills if fill["coin"] == coin]
    told += [reading["context_ts"] for reading in contexts]
    heard = min((at for at in told if since - WEEK <= at < until), default=until)
    rows, start = [], since
    while start < until:
        end = min(start + every, until)
        known = hours if heard < end else ()  # of a coin not heard of nothing is held
        row = one(trades, known, start, end, contexts, books, min_held)
        told = [hour for hour in known if hour not in silent]
        rows.append(row | by_method(trades, told, start, end))
        start += every
    return rows


def one(trades, hours, start, end, contexts, books, min_held):
    """Return what an interval holds."""
    minutes = (end - start) / timedelta(minutes=1)
    some = [trade for trade in trades if start <= trade["time_ts"] < end]
    long = math.fsum(trade["notional"] for trade in some if trade["side"] == "long")
    short = math.fsum(trade["notional"] for trade in some if trade["side"] == "short")
    row = {"ts": start, "velocity": None, "liquidations": None, "one_sidedness": None}
    row |= {"velocity_ratio": None, "norm": None, "accounts": None, "cascade_score": None}
    row |= {"long_notional": None, "short_notional": None, "largest": None}
    if held_time(hours, start, end) == end - start:
        row |= {
            "liquidations": len(some),
            "long_notional": long,
            "short_notional": short,
            "largest": max((trade["notional"] for trade in some), default=None),
            "accounts": len({trade["account"] for trade in some} - {None}),
            "velocity": (long + short) / minutes,
            "one_sidedness": abs(long - short) / (long + short) if long + short else 0.0,
        }
    week = held_time(hours, start - WEEK, start)
    if week / WEEK >= min_held:
        before = math.fsum(
            trade["notional"] for trade in trades if start - WEEK <= trade["time_ts"] < start
        )
        row["norm"] = before / (week / timedelta(minutes=1))
        if row["velocity"] is not None:
            row["velocity_ratio"] = row["velocity"] / max(row["norm"], 1.0)
    row |= market(row, start, end, contexts, books)
    return row


def by_method(trades, told, start, end):
    """Return USD taken over and deleveraged; None unless hours that tell cover it all."""
    known = held_time(told, start, end) == end - start
    return {
        f"{method}_notional": math.fsum(
            trade["notional"]
            for trade in trades
            if trade["method"] == method and start <= trade["time_ts"] < end
        )
        if known
        else None
        for method in ("adl", "backstop")
    }


def market(row, start, end, contexts, books, max_age=2 * HOUR, book_age=HOUR / 6):
    """Return the readings around an interval, and the score."""
    interest = [(one["context_ts"], one["open_interest"]) for one in contexts]
    rates = [(one["context_ts"], one["funding_rate"]) for one in contexts]
    told = {"open_interest_change_pct": None, "depth": None, "book_taken": None}
    then, now = newest(interest, start, max_age), newest(interest, end, max_age)
    told["open_interest"] = now and now[1]
    if then and now and now[0] > then[0] and then[1]:
        told["open_interest_change_pct"] = (now[1] / then[1] - 1) * 100
    then, now = newest(rates, start, max_age), newest(rates, end, max_age)
    told["funding_rate"] = now and now[1]
    told["funding_shift"] = now[1] - then[1] if then and now and now[0] > then[0] else None
    found = newest([(book["book_ts"], book) for book in books], end, book_age)
    told["depth"] = found and depth(found[1])
    if told["depth"] is not None and row["velocity"] is not None:
        told["book_taken"] = (
            0.0 if not row["velocity"] else row["velocity"] / (told["depth"] or 1e-300)
        )
    parts = row["velocity_ratio"], row["one_sidedness"], told["open_interest_change_pct"]
    if None not in (*parts, told["book_taken"]):
        told["cascade_score"] = score(parts[0], parts[1], -parts[2], told["book_taken"])
    return told


def newest(readings, before, max_age):
    """Return the last reading strictly before a moment, if it is young enough."""
    known = [one for one in readings if one[1] is not None and one[0] < before]
    found = max(known, key=lambda one: one[0], default=None)
    return found if found and before - found[0] <= max_age else None


def depth(book, pct=0.1):
    """Return USD within ``pct`` of the mid; None where it cannot be known."""
    if not book["bids"] or not book["asks"]:
        return None
    mid = (book["bids"][0]["px"] + book["asks"][0]["px"]) / 2
    low, high = mid * (1 - pct / 100), mid * (1 + pct / 100)
    if len(book["bids"]) >= LEVELS and book["bids"][-1]["px"] >= low:
        return None
    if len(book["asks"]) >= LEVELS and book["asks"][-1]["px"] <= high:
        return None
    levels = [one for one in book["bids"] if one["px"] >= low]
    levels += [one for one in book["asks"] if one["px"] <= high]
    return sum(one["px"] * one["size"] for one in levels)


def score(ratio, one_sidedness, fall_pct, taken):
    """Return the score of four known parts."""
    fast = min(max(math.log10(ratio) / 2 if ratio > 0 else 0.0, 0.0), 1.0)
    fall, thin = min(max(fall_pct / 5, 0.0), 1.0), min(max(taken, 0.0), 1.0)
    return 10 * fast * (0.4 + 0.2 * one_sidedness + 0.2 * fall + 0.2 * thin)


def cascades(fills, hours, coin, since, until, keep=3.0, seed=10.0, floor=10_000.0, silent=()):
    """Return a dict for each, with all that the macro tells of it."""
    minute, gap = timedelta(minutes=1), timedelta(minutes=10)
    until = until.replace(second=0, microsecond=0)
    first = since.replace(second=0, microsecond=0) - timedelta(days=1)
    rows = flow(fills, hours, coin, first, until, minute)
    fast = [row for row in rows if row["velocity"] and (row["velocity_ratio"] or 0) >= keep]
    runs = []
    for row in fast:
        if runs and row["ts"] - (runs[-1][-1]["ts"] + minute) <= gap:
            runs[-1].append(row)
        else:
            runs.append([row])
    known = {row["ts"] for row in rows if row["velocity_ratio"] is not None}
    found = []
    for run in runs:
        seeds = [r for r in run if r["velocity_ratio"] >= seed and r["velocity"] >= floor]
        start, last = run[0]["ts"], run[-1]["ts"] + minute
        if not seeds or not since <= start < until:
            continue
        ended = all(last + minute * step in known for step in range(10))
        trades = forced_trades(fills, coin, start, last)
        told = [hour for hour in hours if hour not in silent]
        peak = max(run, key=lambda row: (row["velocity"], -row["ts"].timestamp()))
        found.append(
            {
                "coin": coin,
                "start_ts": start,
                "end_ts": last if ended else None,
                "last_ts": last,
                "peak_ts": peak["ts"],
                "peak_velocity": peak["velocity"],
                "held_share": held_time(hours, start, last) / (last - start),
                **(forced := summed(trades)),
                **by_method(trades, told, start, last),
                **moved(fills, coin, start, last, until, forced["side"]),
            }
        )
    return found


def summed(trades):
    """Return what was forced out: counts, USD by side, and the larger side."""
    usd = {
        name: math.fsum(trade["notional"] for trade in trades if name in trade.values())
        for name in ("long", "short")
    }
    return {
        "side": "long" if usd["long"] >= usd["short"] else "short",
        "liquidations": len(trades),
        "accounts": len({trade["account"] for trade in trades} - {None}),
        "notional": math.fsum(trade["notional"] for trade in trades),
        **{f"{name}_notional": value for name, value in usd.items()},
    }


def moved(fills, coin, start, last, until, side):
    """Return the price before, the worst during, and what was taken back within an hour."""
    told = dict.fromkeys(("px_before", "px_worst", "worst_ts", "move_pct", "recovery_pct"))
    pick, other = (min, max) if side == "long" else (max, min)
    trades = [
        (fill["time_ts"], fill["trade_id"], fill["px"])
        for fill in fills
        if fill["coin"] == coin
        and fill["px"] > 0
        and fill["liquidation_method"] in (None, "market")
        and fill["time_ts"] < until
    ]
    before = max((t for t in trades if start - HOUR <= t[0] < start), default=None)
    told["px_before"] = before and before[2]
    during = [t for t in trades if start <= t[0] < last]
    if not during:
        return told
    worst = pick(t[2] for t in during)
    at = min(t[0] for t in during if t[2] == worst)
    told |= {"px_worst": worst, "worst_ts": at}
    if before is None:
        return told
    told["move_pct"] = (worst / before[2] - 1) * 100
    after = [t[2] for t in trades if at < t[0] < at + HOUR]
    against = worst < before[2] if side == "long" else worst > before[2]
    if after and at + HOUR <= until and against:
        told["recovery_pct"] = (other(after) - worst) / (before[2] - worst) * 100
    return told
