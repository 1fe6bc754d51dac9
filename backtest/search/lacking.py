"""This module says what a search lacks of bars, payments and slippage, before it begins.

A chunk that cannot be played would end a search whose other chunks are in the lake already, and
count as trials there.
"""

from collections.abc import Sequence

import numpy as np

from backtest.search.chunk import Chunk, Span
from backtest.search.legs import Legs
from backtest.search.levels import family
from backtest.search.spread import in_threads
from backtest.strategies.strategy import Strategy
from warehouse import open_lake


def check_tapes(chunks: Sequence[Chunk]) -> None:
    """Raise if a tape that some of the chunks play on is not whole.

    Parameters
    ----------
    chunks
        What is to be worked.

    Raises
    ------
    LookupError
        If bars, an hour's funding, or the slippage of a bar in which an order of some setting
        may fill, are missing; one line names all of them.
    ValueError
        If a row contradicts itself.
    """
    tapes: dict[Span, list[Chunk]] = {}
    for chunk in chunks:
        for span in chunk.spans:
            tapes.setdefault(span, []).append(chunk)
    said = dict(in_threads(_lack, list(tapes.items())))
    # In the order of the chunks, whichever was ready first.
    lacking = [said[span] for span in tapes if said[span] is not None]
    if lacking:
        raise LookupError(
            f"nothing was tried, for {len(lacking)} of {len(tapes)} tapes are not whole: "
            f"{'; '.join(map(str, lacking))}"
        )


def _lack(tape: tuple[Span, list[Chunk]]) -> tuple[Span, str | None]:
    """Return coin and period of a tape, and what it lacks; null: nothing."""
    span, chunks = tape
    try:
        # Where all slippage is known, nobody has to decide anything to know that.
        if np.isnan(chunks[0].tape(span).slippage.curves).any():
            _check_slippage(span, chunks)
    except LookupError as error:
        return span, str(error)
    return span, None


def _check_slippage(span: Span, chunks: list[Chunk]) -> None:
    """Raise if an order of some setting may fill where slippage is not known."""
    first = chunks[0]
    with open_lake(first.lake) as lake:
        legs = Legs(first.tape(span, lake), first.asked(span).period[0])
        for strategy in _deciding(chunks):
            legs.of(strategy)


def _deciding(chunks: list[Chunk]) -> list[Strategy]:
    """Return one strategy for all that decide alike."""
    alike: dict[Strategy, Strategy] = {}
    others = []
    for strategy in (one for chunk in chunks for one in chunk.strategies):
        shared = family(strategy)
        if shared is None:
            others.append(strategy)
        else:
            alike.setdefault(shared, strategy)
    return [*alike.values(), *others]
