"""Price buckets, the slow way: walk from 1 USD one edge at a time."""

NO_BUCKET = -(2**63)


def bucket_of(px, width_pct):
    """Return ``k`` with ``(1 + w/100)**k <= px < (1 + w/100)**(k + 1)``, or ``NO_BUCKET``."""
    if not 0.0 < px < float("inf"):
        return NO_BUCKET
    step = 1.0 + width_pct / 100.0
    bucket = 0
    while step ** float(bucket) > px:
        bucket -= 1
    while step ** float(bucket + 1) <= px:
        bucket += 1
    return bucket


def buckets_of(px, width_pct):
    return [bucket_of(one, width_pct) for one in px]


def bin_by_time(column, bucket, notional, first_bucket, columns, rows):
    grid = [[0.0] * columns for _ in range(rows)]
    for at, into, amount in zip(column, bucket, notional, strict=True):
        if first_bucket <= int(into) < first_bucket + rows:
            grid[int(into) - first_bucket][at] += amount
    return grid
