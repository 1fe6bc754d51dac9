"""The obvious version of maps from sweeps: loops over every row, one question at a time."""

BANDS = ((0, 5), (5, 10), (10, 25), (25, 50), (50, float("inf")))


class Question:
    """One moment's question about a coin, and which rows may be used for it."""

    def __init__(self, lake, coin, at, max_age, knowable=False, untrusted=False):
        self.lake, self.coin, self.at, self.max_age = lake, coin, at, max_age
        self.knowable, self.untrusted = knowable, untrusted
        self.scopes = {"all", coin.split(":")[0] if ":" in coin else "hyperliquid"}

    def published(self, row):
        return not self.knowable or row["known_ts"] <= self.at

    def snapshots(self):
        """Return those that may be used, the newest first; of equals the complete one."""
        some = [
            row
            for row in self.lake["snapshots"]
            if row["snapshot_ts"] <= self.at
            and row["scope"] in self.scopes
            and (row["trusted"] or self.untrusted)
            and (row["complete"] or answered(row) > 0)
            and self.published(row)
        ]
        some.sort(key=lambda row: (not row["complete"], row["scope"], row["source"]))
        return sorted(some, key=lambda row: row["snapshot_ts"], reverse=True)

    def answering(self):
        return next(iter(self.snapshots()), None)

    def base(self):
        """Return the complete snapshot that accounts are read from; None: there is none."""
        answering = self.answering()
        if answering is None or answering["complete"]:
            return answering
        oldest = answering["snapshot_ts"] - self.max_age
        reach = (row for row in self.snapshots() if row["snapshot_ts"] >= oldest)
        return next((row for row in reach if row["complete"]), None)

    def states(self):
        """Return account -> its newest answer, of those that count beside the base."""
        answering, base = self.answering(), self.base()
        if answering is None or answering["complete"]:
            return {}
        oldest = answering["snapshot_ts"] - self.max_age
        newest = {}
        for sweep in self.snapshots():
            for row in self.lake["accounts"]:
                if (
                    not sweep["complete"]
                    and sweep["snapshot_ts"] >= oldest
                    and (row["sweep_ts"], row["source"], row["scope"])
                    == (sweep["snapshot_ts"], sweep["source"], sweep["scope"])
                    and row["positions"] is not None
                    and row["state_ts"] >= oldest
                    and (base is None or row["state_ts"] > base["snapshot_ts"])
                    and self.published(row)
                ):
                    other = newest.get(row["account"])
                    if other is None or row["state_ts"] > other["state_ts"]:
                        newest[row["account"]] = row
        return newest

    def positions(self):
        """Return account -> its position in the coin."""
        base, states = self.base(), self.states()
        held = {}
        for row in self.lake["positions"]:
            if row["coin"] != self.coin or not self.published(row):
                continue
            key = (row["snapshot_ts"], row["source"], row["scope"])
            state = states.get(row["account"])
            if state is not None:
                counts = key == (state["state_ts"], state["source"], state["scope"])
            else:
                counts = base is not None and key == tuple(
                    base[name] for name in ("snapshot_ts", "source", "scope")
                )
            if counts:
                held[row["account"]] = row
        return held

    def mark(self):
        """Return the mark at the answering snapshot; None: nothing says it."""
        answering, states, held = self.answering(), self.states(), self.positions()
        own = [
            row["mark_px"]
            for account, row in held.items()
            if (states[account]["sweep_ts"] if account in states else row["snapshot_ts"])
            == answering["snapshot_ts"]
        ]
        if own:
            return median(own)
        if held:
            since = answering["snapshot_ts"].replace(hour=0, minute=0, second=0)
            context = self.context(
                "mark_px", answering["snapshot_ts"], since.timestamp() - 86_400
            )
            if context is not None:
                return context["mark_px"]
            return max(held.values(), key=lambda row: row["snapshot_ts"])["mark_px"]
        context = self.context("mark_px", self.at, 0)
        return None if context is None else context["mark_px"]

    def context(self, name, until, since):
        """Return the newest context that says ``name``."""
        some = [
            row
            for row in self.lake["asset_contexts"]
            if row["coin"] == self.coin
            and row["venue"] == "hyperliquid"
            and row[name] is not None
            and since <= row["context_ts"].timestamp()
            and row["context_ts"] <= until
            and self.published(row)
        ]
        return max(some, key=lambda row: row["context_ts"], default=None)

    def coverage(self):
        """Return {(side, low or name): (size, positions)} and {the same: coverage or None}."""
        held, px = self.positions().values(), self.mark()
        sums = {}
        for side, sign in (("long", 1), ("short", -1)):
            for key in (*(low for low, _ in BANDS), "unpriced", "all"):
                sums[side, key] = (0.0, 0)
            for row in held:
                if row["size"] * sign > 0:
                    for key in (band(row, px, sign), "all"):
                        size, count = sums[side, key]
                        sums[side, key] = (size + abs(row["size"]), count + 1)
        since = (self.at - self.max_age).timestamp()
        context = self.context("open_interest", self.at, since)
        interest = None if context is None else context["open_interest"]
        shares = {key: size / interest if interest else None for key, (size, _) in sums.items()}
        return sums, shares


def answered(snapshot):
    """Return how many accounts answered; 0 too where nobody was asked one by one."""
    return (snapshot["accounts_asked"] or 0) - (snapshot["accounts_failed"] or 0)


def band(row, px, sign):
    """Return where the band of a position begins, per cent; or that it has no price."""
    if row["liquidation_px"] is None:
        return "unpriced"
    away = max(0.0, (100 * row["liquidation_px"] / px - 100) * -sign)
    return next(low for low, high in BANDS if low <= away < high)


def median(values):
    """Return the middle, or the mean of the two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
