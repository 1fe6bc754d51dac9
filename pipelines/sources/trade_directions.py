"""This module says which direction a fill had, where its source does not.

The words are the venue's own: ``dir`` of a fill, as it is in answers and archives
(https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint, as of
2026-08-22).
"""

import pyarrow as pa
import pyarrow.compute as pc

SPOT = "^@|/"  # @107, PURR/USDC
# Side -> what a trade of it does to a position that is flat or points its way, to one it makes
# smaller, to one it turns; and its word on spot.
WORDS = {
    True: ("Open Long", "Close Short", "Short > Long", "Buy"),
    False: ("Open Short", "Close Long", "Long > Short", "Sell"),
}


def directions(
    coin: pa.ChunkedArray, start: pa.ChunkedArray, size: pa.ChunkedArray, is_buy: bool
) -> pa.ChunkedArray:
    """Return the direction of fills of one side.  Pure.

    Parameters
    ----------
    coin
        Venue symbols, shape ``(n,)``.
    start
        Signed positions before the fill, coins.
    size
        Coins traded.
    is_buy
        Which side.

    Returns
    -------
    ChunkedArray
        Shape ``(n,)``; null where size is not above 0: such a fill neither opens nor closes.

    >>> coin, start, size = ["A", "A", "@1"], [-0.5, -0.5, 0.0], [0.5, 0.6, 1.0]
    >>> columns = (pa.chunked_array([values]) for values in (coin, start, size))
    >>> directions(*columns, is_buy=True).to_pylist()
    ['Close Short', 'Short > Long', 'Buy']
    """
    opens, closes, turns, spot = WORDS[is_buy]
    against = pc.negate(start) if is_buy else start
    word = pc.if_else(pc.greater_equal(against, size), closes, turns)
    word = pc.if_else(pc.less_equal(against, 0.0), opens, word)
    word = pc.if_else(pc.greater(size, 0.0), word, pa.scalar(None, pa.string()))
    return pc.if_else(pc.match_substring_regex(coin, SPOT), spot, word)
