"""This module mirrors what a rule looks at: above and below, longs and shorts, swapped.

A map that tells where price goes must do better than the same map upside down.
"""

from dataclasses import replace

import numpy as np

from backtest.flow import Flow
from backtest.maps import Maps
from backtest.placebos.anchor import Anchor
from backtest.view import MapReader


def mirrored_maps(read: MapReader, anchor: Anchor) -> MapReader:
    """Return a reader of each map mirrored about the price at its snapshot.

    Parameters
    ----------
    read
        What answers with the maps themselves.
    anchor
        Gives the price at a snapshot.

    Notes
    -----
    What lay at ``L`` with the price at ``S`` lies at ``S² / L``, a long's being a short's
    there.  At a price ``p`` the mirrored map is the map at ``S² / p``, sides swapped; so is
    the reach.  Mirrored twice it is the map itself.
    """

    def mirror(
        asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        seen = read(asked, moments, px, reach_pct)
        square = anchor(seen.snapshot_ts) ** 2
        there = asked & ~np.isnan(square)
        other = read(there, moments, np.where(there, square / px, px), reach_pct)
        return replace(
            other,
            short_above=other.long_below,
            long_below=other.short_above,
            cluster_above=square / other.cluster_below,
            cluster_below=square / other.cluster_above,
        )

    return mirror


def mirrored_flow(flow: Flow) -> Flow:
    """Return flow in which liquidated longs are shorts, and shorts longs."""
    return replace(flow, long_notional=flow.short_notional, short_notional=flow.long_notional)
