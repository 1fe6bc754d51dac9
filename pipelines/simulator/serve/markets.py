"""This module says what each coin shows: context, middle, and what it paid in funding."""

from typing import Any

import numpy as np

from pipelines.simulator.serve.numbers import (
    half_px_text,
    px_text,
    real_text,
    size_text,
    usd_text,
)
from pipelines.simulator.serve.venue import Venue

MOST_FUNDINGS = 500  # hours of an answer


def asset_contexts(venue: Venue) -> list[dict[str, Any]]:
    """Return what every coin shows, in the coins' order.

    What a delisted coin no longer has is null, as on the venue.
    """
    values, sizes = venue.day.traded()
    before = venue.day.marks_before()
    out = []
    for c, row in enumerate(venue.contexts):
        places, listed = venue.listing.size_decimals[c], bool(row["listed"])
        impact = [px_text(row[name], places) for name in ("impact_bid", "impact_ask")]
        out.append(
            {
                "funding": real_text(row["rate"], 10) if listed else "0.0",
                "openInterest": size_text(row["open_interest"], places),
                "prevDayPx": px_text(before[c], places),
                "dayNtlVlm": usd_text(values[c]),
                "premium": real_text(row["premium"], 10) if listed else None,
                "oraclePx": px_text(row["oracle"], places),
                "markPx": px_text(row["mark"], places),
                "midPx": half_px_text(row["bid"] + row["ask"], places) if listed else None,
                "impactPxs": impact if listed else None,
                "dayBaseVlm": size_text(sizes[c], places),
            }
        )
    return out


def all_mids(venue: Venue) -> dict[str, str]:
    """Return every coin's middle; of a coin without a book its last price, as documented."""
    mids = {}
    for c, row in enumerate(venue.contexts):
        places, name = venue.listing.size_decimals[c], venue.listing.names[c]
        if row["listed"]:
            mids[name] = half_px_text(row["bid"] + row["ask"], places)
        else:
            mids[name] = px_text(venue.moment.coins["last"][c], places)
    return mids


def funding_history(venue: Venue, c: int, since: int, until: int) -> list[dict[str, Any]]:
    """Return a coin's funding from ``since`` to ``until``, ms, both included: oldest first."""
    rows = venue.fundings.rows
    at = np.flatnonzero((rows["coin"] == c) & (rows["ms"] >= since) & (rows["ms"] <= until))
    return [
        {
            "coin": venue.listing.names[c],
            "fundingRate": real_text(row["rate"], 10),
            "premium": real_text(row["premium"], 10),
            "time": int(row["ms"]),
        }
        for row in rows[at[:MOST_FUNDINGS]]
    ]
