"""The heatmap, the slow way: a dictionary of cells and no arrays."""

from tests.reference.buckets import NO_BUCKET, bucket_of


def liquidation_heatmap(positions, snapshots, width_pct):
    """Return cell -> (long, short, positions); a cell is (snapshot_ts, bucket)."""
    shown = {(s["snapshot_ts"], s["source"], s["scope"]) for s in snapshots}
    cells = {}
    for p in positions:
        if (p["snapshot_ts"], p["source"], p["scope"]) not in shown:
            continue
        if p["liquidation_px"] is None:
            continue
        bucket = bucket_of(p["liquidation_px"], width_pct)
        if bucket == NO_BUCKET:
            continue
        long, short, count = cells.get((p["snapshot_ts"], bucket), (0.0, 0.0, 0))
        notional = abs(p["size"]) * p["liquidation_px"]
        if p["size"] > 0:
            long += notional
        else:
            short += notional
        cells[p["snapshot_ts"], bucket] = (long, short, count + 1)
    return cells


def answering_snapshots(snapshots, coin, since, until):
    dex = coin.split(":")[0] if ":" in coin else "hyperliquid"
    kept = {}
    for s in sorted(snapshots, key=lambda s: (s["snapshot_ts"], s["scope"], s["source"])):
        if not (s["complete"] and s["trusted"]):
            continue
        if s["scope"] not in ("all", dex) or not since <= s["snapshot_ts"] < until:
            continue
        kept.setdefault(s["snapshot_ts"], s)
    return list(kept.values())
