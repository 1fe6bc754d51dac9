"""The obvious version: who holds what beside what, account by account."""


def map_dependence(book, coin):
    """Return side -> sums of one coin; ``book`` are rows of ``positions`` of one snapshot."""
    answer = {}
    for side, sign in (("long", 1), ("short", -1)):
        sums = dict.fromkeys(("notional", "cross", "multi", "maybe"), 0.0)
        counts = dict.fromkeys(("positions", "multi_positions", "unpriced"), 0)
        for row in book:
            if row["coin"] != coin or row["size"] * sign < 0:
                continue
            if row["liquidation_px"] is None:
                counts["unpriced"] += 1
                continue
            others = [
                other["leverage_type"]
                for other in book
                if other["account"] == row["account"] and other["coin"] != coin
            ]
            notional, mode = abs(row["size"]) * row["liquidation_px"], row["leverage_type"]
            sums["notional"] += notional
            counts["positions"] += 1
            sums["cross"] += notional * (mode == "cross")
            if mode == "cross" and "cross" in others:
                sums["multi"] += notional
                counts["multi_positions"] += 1
            elif mode != "isolated" and any(other != "isolated" for other in others):
                sums["maybe"] += notional
        whole = sums["notional"] or None
        answer[side] = (
            *sums.values(),
            whole and sums["multi"] / whole,
            whole and (sums["multi"] + sums["maybe"]) / whole,
            *counts.values(),
        )
    return answer
