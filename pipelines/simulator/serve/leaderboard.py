"""This module makes the leaderboard's file: what accounts are worth, earned and traded."""

from typing import Any

import numpy as np

from pipelines.simulator.serve.numbers import real_text, usd_text
from pipelines.simulator.serve.venue import Venue
from pipelines.simulator.serve.worth import DAY, Worth

WINDOWS = {"day": 1, "week": 7, "month": 30, "allTime": None}  # days


def leaderboard(venue: Venue) -> dict[str, Any]:
    """Return the file: accounts by their value, the largest first.

    A window begins at the newest midnight that is at least as long ago; or with the world.
    """
    now = venue.worth
    windows = {
        name: _performance(_since(venue.midnights, now.ms, days), now)
        for name, days in WINDOWS.items()
    }
    rows = []
    for account in np.argsort(-now.value, kind="stable").tolist():
        rows.append(
            {
                "ethAddress": venue.listing.addresses[account],
                "accountValue": usd_text(now.value[account]),
                "windowPerformances": [
                    [
                        name,
                        {
                            "pnl": usd_text(pnl[account]),
                            "roi": real_text(roi[account], 10),
                            "vlm": usd_text(traded[account]),
                        },
                    ]
                    for name, (pnl, roi, traded) in windows.items()
                ],
                "prize": 0,
                "displayName": None,
            }
        )
    return {"leaderboardRows": rows}


def _since(midnights: tuple[Worth, ...], now: int, days: int | None) -> Worth:
    if days is None:
        return midnights[0]
    return [one for one in midnights if one.ms <= now - days * DAY or one is midnights[0]][-1]


def _performance(then: Worth, now: Worth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return profit and traded value, micro-USDC, with the profit as a fraction between."""
    paid_in = now.paid_in - then.paid_in
    pnl = now.value - then.value - paid_in
    roi = pnl / np.maximum(1, then.value + np.maximum(paid_in, 0))
    return pnl, roi, now.traded - then.traded
