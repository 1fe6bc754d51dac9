"""This module shows the book of a coin, level by level or rounded to significant figures."""

from typing import Any

from pipelines.simulator.serve.numbers import px_text, size_text
from pipelines.simulator.serve.venue import Venue


def l2_book(
    venue: Venue, c: int, figures: int | None = None, mantissa: int | None = None
) -> dict[str, Any]:
    """Return the answer to ``l2Book``.

    Parameters
    ----------
    venue, c
        The venue and which coin.
    figures
        Significant figures that prices are rounded to, bids down and asks up; None: as quoted.
    mantissa
        With five figures: what the last of them is a multiple of.
    """
    places = venue.listing.size_decimals[c]
    levels = []
    for side in range(2):
        prices, sizes = venue.level_px[c, side].tolist(), venue.level_size[c, side].tolist()
        seen: dict[int, list[int]] = {}
        for px, size in zip(prices, sizes, strict=True):
            if size <= 0:
                continue
            at = px if figures is None else rounded(px, figures, mantissa or 1, side == 1)
            level = seen.setdefault(at, [0, 0])
            level[0] += size
            level[1] += 1
        levels.append(
            [
                {"px": px_text(px, places), "sz": size_text(size, places), "n": count}
                for px, (size, count) in seen.items()
            ]
        )
    return {"coin": venue.listing.names[c], "time": venue.ms, "levels": levels}


def rounded(px: int, figures: int, mantissa: int, up: bool) -> int:
    """Round a price in units to significant figures.

    >>> rounded(914_057, 4, 1, up=False), rounded(914_057, 4, 1, up=True)
    (914000, 914100)
    >>> rounded(914_057, 5, 5, up=True), rounded(57, 3, 1, up=False)
    (914100, 57)
    """
    step = mantissa * 10 ** max(0, len(str(px)) - figures)
    return (px + step - 1) // step * step if up else px // step * step
