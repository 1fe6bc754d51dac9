"""The levels of one coin, position by position, in plain Python."""

from statistics import median

from tests.reference import buckets


def cells_of_coin(moment, size, px, mark, moments, width_pct):
    """Return cells and marks: {(moment, side, bucket): sums}, {moment: median mark}."""
    cells, marks = {}, {at: [] for at in moments}
    numbers = buckets.buckets_of(px, width_pct)
    for at, held, price, valued, bucket in zip(moment, size, px, mark, numbers, strict=True):
        if at not in marks:
            continue
        marks[at].append(valued)
        if not 0 < price < float("inf"):
            continue
        side = "long" if held > 0 else "short"
        cells.setdefault((at, side, bucket), []).append((abs(held), price))
    return (
        {
            key: {
                "notional": sum(held * price for held, price in some),
                "weighted": sum(held * price * price for held, price in some),
                "size": sum(held for held, _ in some),
                "positions": len(some),
                "top": max(held * price for held, price in some),
                "squares": sum((held * price) ** 2 for held, price in some),
            }
            for key, some in cells.items()
        },
        {at: median(values) for at, values in marks.items() if values},
    )
