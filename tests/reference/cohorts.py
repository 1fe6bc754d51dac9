"""The obvious version of cohorts and of what became of a map: loops over rows and accounts."""

from datetime import timedelta

from tests.reference.maps import bucket
from tests.reference.sweeps import Question

SIZES = (
    ("shrimp", 250),
    ("fish", 10_000),
    ("dolphin", 50_000),
    ("apex_predator", 100_000),
    ("small_whale", 500_000),
    ("whale", 1_000_000),
    ("tidal_whale", 5_000_000),
    ("leviathan", float("inf")),
)
PROFITS = (
    ("giga_rekt", -1_000_000),
    ("full_rekt", -100_000),
    ("semi_rekt", -10_000),
    ("exit_liquidity", 0),
    ("humble_earner", 10_000),
    ("grinder", 100_000),
    ("smart_money", 1_000_000),
    ("money_printer", float("inf")),
)
ONE_COLLATERAL = ("unified", "portfolio_margin")


def segment(kind, amount):
    """Return the first segment that ends above the amount."""
    if amount is None:
        return f"unknown_{kind}"
    return next(name for name, end in (SIZES if kind == "size" else PROFITS) if amount < end)


def dex_of(coin):
    return coin.split(":")[0] if ":" in coin else "hyperliquid"


def book(lake, at, max_age, knowable=False, untrusted=False):
    """Return every position of every coin, with its coin's mark and its account's value."""
    held = []
    for coin in sorted({row["coin"] for row in lake["positions"]}):
        asked = Question(lake, coin, at, max_age, knowable, untrusted)
        states = asked.states()
        for account, row in asked.positions().items():
            state = states.get(account)
            mode, value = row["account_mode"], row["account_value"]
            if state is not None:
                mode = state["account_mode"] or mode
                if mode in ONE_COLLATERAL:
                    value = state["spot_usdc"]
            own = {"mark": asked.mark(), "value": value, "mode": mode}
            own["answered"] = asked.answering()["snapshot_ts"]
            held.append(row | own)
    earned = profits(lake, at, knowable)
    for row in held:
        row["worth"] = worth([one for one in held if one["account"] == row["account"]])
        row["profit"], row["since"] = earned.get(row["account"], (None, None))
    return held


def worth(rows):
    """Return what an account is worth over its dexes; None: not known of one of them."""
    values, one_collateral = [], False
    for dex in {dex_of(row["coin"]) for row in rows}:
        here = [row for row in rows if dex_of(row["coin"]) == dex]
        values.append(max(here, key=lambda row: row["snapshot_ts"])["value"])
        one_collateral |= any(row["mode"] in ONE_COLLATERAL for row in here)
    if None in values:
        return None
    return max(values) if one_collateral else sum(values)


def profits(lake, at, knowable=False):
    """Return account -> (profit or None, first fill)."""
    sums = {}
    for fill in lake.get("fills", []):
        coin = fill["coin"]
        if fill["time_ts"] > at or coin[0] in "@#" or "/" in coin:
            continue
        if knowable and fill["known_ts"] > at:
            continue
        profit, since = sums.get(fill["account"], (0.0, fill["time_ts"]))
        gained = fill["closed_pnl"]
        profit = None if profit is None or gained is None else profit + gained
        sums[fill["account"]] = (profit, min(since, fill["time_ts"]))
    return sums


def is_at_risk(row, threshold_pct):
    """Return whether a position is near liquidation; None: it cannot be told."""
    entry, mark, px = row["entry_px"], row["mark"], row["liquidation_px"]
    if px is None:
        return False
    if row["size"] < 0:  # a short is a long in a mirror
        entry, mark, px = entry and -entry, -mark, -px
    if mark <= px:
        return True
    if entry is None or entry <= px:
        return None
    return (entry - mark) * 100 >= threshold_pct * (entry - px)


def risk(held, wanted, threshold_pct=75):
    """Return coin -> what ``liquidation_risk`` says of it."""
    said = {}
    for row in held:
        names = ("all", segment("size", row["worth"]), segment("profit", row["profit"]))
        if wanted not in names:
            continue
        zero = {"open_interest": 0.0, "at_risk": 0.0, "unknown_interest": 0.0}
        zero["unpriced_interest"] = 0.0
        zero |= {"positions": 0, "positions_at_risk": 0, "positions_unknown": 0}
        one = said.setdefault(row["coin"], zero)
        interest, judged = abs(row["size"]) * row["mark"], is_at_risk(row, threshold_pct)
        one["open_interest"] += interest
        one["positions"] += 1
        one["at_risk"] += interest if judged else 0
        one["positions_at_risk"] += bool(judged)
        one["unknown_interest"] += interest if judged is None else 0
        one["positions_unknown"] += judged is None
        one["unpriced_interest"] += interest if row["liquidation_px"] is None else 0
    for one in said.values():
        known = one["open_interest"] - one["unknown_interest"]
        all_unknown = one["positions"] == one["positions_unknown"]
        one["risk_pct"] = None if all_unknown else 100 * one["at_risk"] / known
        one["unknown_pct"] = 100 * one["unknown_interest"] / one["open_interest"]
    return said


def segment_map(held, coin, width_pct, kind):
    """Return {(side, bucket): {segment: notional}}."""
    cells = {}
    for row in held:
        if row["coin"] != coin or row["liquidation_px"] is None:
            continue
        key = ("long" if row["size"] > 0 else "short", bucket(row["liquidation_px"], width_pct))
        name = segment(kind, row["worth"] if kind == "size" else row["profit"])
        cell = cells.setdefault(key, {})
        cell[name] = cell.get(name, 0.0) + abs(row["size"]) * row["liquidation_px"]
    return cells


def moves(lake, coin, from_at, to_at, max_age, knowable=False):
    """Return one row for each account and side: sizes, prices and moments on both maps."""
    ends = [Question(lake, coin, at, max_age, knowable) for at in (from_at, to_at)]
    if None in [end.answering() for end in ends]:
        return []
    held = [end.positions() for end in ends]
    rows = []
    for account in sorted(held[0].keys() | held[1].keys()):
        moments = []
        for end in ends:
            state, base = end.states().get(account), end.base()
            if state is not None:
                moments.append(state["state_ts"])
            else:
                moments.append(None if base is None else base["snapshot_ts"])
        for side, sign in (("long", 1), ("short", -1)):
            own = []
            for one in held:
                position = one.get(account)
                there = position is not None and position["size"] * sign > 0
                own.append(
                    (abs(position["size"]), position["liquidation_px"]) if there else (0, None)
                )
            if own[0][0] or own[1][0]:
                rows.append((account, side, *own, *moments))
    return rows


def touches(lake, coin, from_at, to_at, max_age, knowable=False):
    """Return the hours in which a position may have changed; None: nobody was asked again."""
    moved = moves(lake, coin, from_at, to_at, max_age, knowable)
    since = min((since for *_, since, _ in moved if since is not None), default=from_at)
    until = max((until for *_, until in moved if until is not None), default=None)
    if until is None:
        return None
    hour, hours = since.replace(minute=0, second=0, microsecond=0), set()
    while hour <= until:
        hours.add(hour)
        hour += timedelta(hours=1)
    return hours


def changes(lake, coin, from_at, to_at, max_age, width_pct, fills_held, knowable=False):
    """Return {(side, bucket): {reason: USD}}."""
    cells = {}

    def add(side, px, reason, amount):
        if px is not None:
            cell = cells.setdefault((side, bucket(px, width_pct)), {})
            cell[reason] = cell.get(reason, 0.0) + amount

    for account, side, (size, px), (size_then, px_then), since, until in moves(
        lake, coin, from_at, to_at, max_age, knowable
    ):
        forced = 0.0
        if fills_held and since is not None and until is not None:
            forced = sum(
                fill["size"]
                for fill in lake.get("fills", [])
                if fill["coin"] == coin
                and fill["account"] == account == fill["liquidated_account"]
                and since < fill["time_ts"] <= until
                and (not knowable or fill["known_ts"] <= to_at)
                and fill["is_buy"] == (side == "short")
            )
            forced = min(forced, max(size - size_then, 0))
        left = size - forced
        if size and px is not None:
            add(side, px, "from_notional", size * px)
            add(side, px, "liquidated", forced * px)
        if size_then and px_then is not None:
            add(side, px_then, "to_notional", size_then * px_then)
        if not size:
            reason = "found" if since is None else "opened"
            add(side, px_then, reason, size_then * (px_then or 0))
        elif until is None:
            add(side, px, "not_seen", left * (px or 0))
        elif not size_then:
            add(side, px, "closed", left * (px or 0))
        elif None not in (px, px_then) and bucket(px, width_pct) == bucket(px_then, width_pct):
            add(side, px, "held", left * px)
            add(side, px, "resized", (size_then - left) * px)
            add(side, px, "repriced", size_then * (px_then - px))
            add(side, px, "held_unasked", left * px if since == until else 0)
        else:
            add(side, px, "moved_out", left * (px or 0))
            add(side, px_then, "moved_in", size_then * (px_then or 0))
    return cells


def decay(lake, coin, from_at, until, max_age, hours, width_pct):
    """Return {(side, hours): (unchanged, same bucket, held, not seen)}; None: unseen."""
    said = {}
    for age in hours:
        at = from_at + timedelta(hours=age)
        if at > until:
            continue
        sums = {}
        for _, side, (size, px), (size_then, px_then), since, then in moves(
            lake, coin, from_at, at, max_age
        ):
            if not size or px is None:
                continue
            one = sums.setdefault(side, [0.0] * 5)
            one[4] += size * px
            if then is None or then == since:
                one[3] += size * px
                continue
            left = min(size, size_then) * px
            one[2] += left
            if px_then is not None and bucket(px, width_pct) == bucket(px_then, width_pct):
                one[1] += left
                one[0] += left if size == size_then and px == px_then else 0
        for side, (unchanged, same, kept, unseen, whole) in sums.items():
            shares = [part / whole for part in (unchanged, same, kept)]
            if unseen >= whole * (1 - 1e-12):
                shares = [None] * 3
            said[side, age] = (*shares, unseen / whole)
    return said
