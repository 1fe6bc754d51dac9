"""The obvious version of how long positions last: each account, coin and side by itself."""

from datetime import timedelta

HOUR = timedelta(hours=1)
ENDS = ("liquidated", "closed")


def dex_of(coin):
    return coin.split(":")[0] if ":" in coin else "hyperliquid"


def spells(lake, since, until, held, coin="all", knowable=False, max_gap=None, untrusted=False):
    """Return the spells of a lake; ``held`` are the hours whose fills it has."""

    def stands(row):
        return row["known_ts"] <= until or not knowable

    def within(moment):
        return since <= moment < until

    taken = {
        (row["snapshot_ts"], row["source"], row["scope"]): row["complete"]
        for row in lake["snapshots"]
        if within(row["snapshot_ts"])
        and (row["complete"] or (row["accounts_asked"] or 0) > (row["accounts_failed"] or 0))
        and (row["trusted"] or untrusted)
        and stands(row)
    }
    # Account (None: everyone's), moment, source, scope.
    looks = [(None, *key) for key, complete in taken.items() if complete]
    looks += [
        (row["account"], row["state_ts"], row["source"], row["scope"])
        for row in lake["accounts"]
        if taken.get((row["sweep_ts"], row["source"], row["scope"])) is False
        and row["positions"] is not None
        and within(row["state_ts"])
        and stands(row)
    ]
    out = []
    for name in sorted({row["coin"] for row in lake["positions"]}):
        if coin not in ("all", name):
            continue
        mine = [row for row in lake["positions"] if row["coin"] == name and stands(row)]
        fills = [
            row
            for row in lake["fills"]
            if row["coin"] == name and within(row["time_ts"]) and stands(row)
        ]
        for account in sorted({row["account"] for row in mine}):
            shown = {}
            for whose, ts, source, scope in looks:
                if scope not in ("all", dex_of(name)) or whose not in (None, account):
                    continue
                found = [
                    row
                    for row in mine
                    if row["account"] == account
                    and row["snapshot_ts"] == ts
                    and (row["source"], row["scope"]) == (source, scope)
                ]
                shown.setdefault(ts, []).extend(found)
            for side in ("long", "short"):
                ends = sorted(events(fills, account, side))
                out += walk(name, account, side, shown, ends, held, max_gap)
    return out


def events(fills, account, side):
    """Yield (moment, 0 liquidated or 1 closed) of an account's side."""
    for row in fills:
        if row["liquidation_method"] is not None:
            own = row["account"] == row["liquidated_account"]
            sells = not row["is_buy"] if own else row["is_buy"]
            if row["liquidated_account"] == account and sells == (side == "long"):
                yield row["time_ts"], 0
        held = row["start_position"] * (1 if side == "long" else -1)
        against = row["account"] == account and row["is_buy"] == (side == "short")
        if against and 0 < held <= row["size"]:
            yield row["time_ts"], 1


def walk(coin, account, side, shown, ends, held, max_gap):
    """Go from look to look."""
    out, spell, before, begun = [], None, None, None
    for ts in sorted(shown):
        rows = [row for row in shown[ts] if (row["size"] > 0) == (side == "long")]
        begun = "opened" if before is not None and ts - before <= max_gap else "unknown"
        if spell is not None:
            outcome, moment = between(before, ts, ends, held, max_gap)
            if outcome is None and not rows:
                outcome = "vanished"
            if outcome is None:
                spell["looks"] += 1
            else:
                out.append(spell | {"outcome": outcome, "end_ts": moment or before})
                spell = None
                again = {"liquidated": "left", "gap": "unknown", "no_fills": "unknown"}
                begun = again.get(outcome, "opened")
        if rows and spell is None:
            spell = {"coin": coin, "account": account, "side": side, "begun": begun}
            spell |= {"seen_ts": ts, "looks": 1, "row": rows[0]}
        before = ts
    if spell is not None:
        out.append(spell | {"outcome": "open", "end_ts": before})
    return out


def between(before, ts, ends, held, max_gap):
    """Return what ended a position between two looks, and when; None: nothing did."""
    if ts - before > max_gap:
        return "gap", None
    hour = before.replace(minute=0, second=0, microsecond=0)
    while hour <= ts:
        if hour not in held:
            return "no_fills", None
        hour += HOUR
    for moment, kind in ends:
        if before < moment <= ts:
            return ENDS[kind], moment
    return None, None


def kaplan_meier(watches):
    """Return [(hours, survival, liquidated before closed)] at each liquidation."""
    out, survival, left, share = [], 1.0, 1.0, 0.0
    for now in sorted({hours for hours, _ in watches}):
        at_risk = sum(hours >= now for hours, _ in watches)
        forced = sum(hours == now and outcome == "liquidated" for hours, outcome in watches)
        closed = sum(hours == now and outcome == "closed" for hours, outcome in watches)
        share += left * forced / at_risk
        left *= 1 - (forced + closed) / at_risk
        survival *= 1 - forced / at_risk
        if forced:
            out.append((now, survival, share))
    return out
