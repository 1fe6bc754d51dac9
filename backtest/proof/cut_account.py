"""This module draws the worlds that an account is played in: cuts, each of every kind."""

from collections.abc import Iterator, Sequence

import numpy as np

from backtest.bars import Bars
from backtest.proof.cuts import cut_rows
from backtest.proof.worlds import Last, Pin, World
from backtest.study import Played


def worlds_of(
    played: Played, kinds: Sequence[str], cuts: int | None, seed: int, rng: np.random.Generator
) -> Iterator[World]:
    """Yield the worlds that an account is played in, coin by coin in order of the cut.

    Parameters
    ----------
    played
        The account as it was played in the lake as it is.
    kinds
        Of worlds, of each cut.
    cuts, rng
        As of :func:`backtest.proof.cuts.cut_rows`.
    seed
        Of the garbage.
    """
    runs = played.of("pessimistic")
    pins = {tape.coin: Pin.of(tape) for tape in played.tapes}
    ends = min(own.bars.end[-1] for own in runs)
    for own in runs:
        for row in cut_rows(own.bars, own.decisions.side, cuts, rng):
            cut = own.bars.end[row]
            # A coin without bars from then on would be given one.
            if cut >= ends:
                continue
            others = tuple(
                _last(pins[one.coin], one.bars, cut) for one in runs if one.coin != own.coin
            )
            for kind in kinds:
                yield World(
                    kind,
                    row,
                    cut,
                    float(own.bars.close_px[row]),
                    seed,
                    own.knowable,
                    played.question.live_flow,
                    pins[own.coin],
                    others,
                )


def _last(pin: Pin, bars: Bars, cut: np.datetime64) -> Last:
    """Return the last bar of a coin that had closed by a cut."""
    row = int(np.searchsorted(bars.end, cut, side="right")) - 1
    return Last(pin, row, float(bars.close_px[row] if row >= 0 else bars.open_px[0]))


def at_one_venue(played: Played) -> None:
    """Raise where coins of an account are of several venues, for one is asked for."""
    venues = sorted({tape.bars.venue for tape in played.tapes})
    if len(venues) > 1:
        raise ValueError(
            f"an account with coins at several venues ({', '.join(venues)}) cannot be proven; "
            "ask for one venue, or for an account a coin"
        )
