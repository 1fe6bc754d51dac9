"""This module chooses the prices that the charts of one coin show."""

from dataclasses import dataclass

import polars as pl

from warehouse.report.coin_facts import CoinFacts

# Around the mark; the map holds prices from near 0 to many times the mark.
REACH = 0.28
# Room left beyond a price path that leaves the map's range.
ROOM = 0.08


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Prices from ``low`` to ``high``, USD."""

    low: float
    high: float

    def holds(self, price: float) -> bool:
        """Return whether a price is shown."""
        return self.low <= price < self.high


def map_range(mark: float) -> PriceRange:
    """Return the prices that the map at a moment shows."""
    return PriceRange(mark * (1 - REACH), mark * (1 + REACH))


def heatmap_range(facts: CoinFacts) -> PriceRange | None:
    """Return the prices that the heatmap shows; None where no price is known.

    They are the map's, so that the two charts can be read across, and more where the price
    has been elsewhere during the period.
    """
    bars, marks = facts.bars, facts.marks
    prices = [
        price
        for price in (
            bars["low_px"].min(),
            bars["high_px"].max(),
            marks["px"].min(),
            marks["px"].max(),
        )
        if price is not None
    ]
    if not prices and facts.mark is None:
        return None
    base = map_range(facts.mark) if facts.mark else PriceRange(min(prices), max(prices))
    lowest, highest = min([*prices, base.high]), max([*prices, base.low])
    return PriceRange(
        base.low if lowest > base.low else lowest * (1 - ROOM),
        base.high if highest < base.high else highest * (1 + ROOM),
    )


def outside(chart: pl.DataFrame, shown: PriceRange) -> dict[str, tuple[float, int]]:
    """Return notional (USD) and positions of each side that the map does not show."""
    unseen = chart.filter((pl.col("px") < shown.low) | (pl.col("px") >= shown.high))
    return {
        side: (rows["notional"].sum(), rows["positions"].sum())
        for side in ("long", "short")
        if (rows := unseen.filter(pl.col("side") == side)).height
    }
