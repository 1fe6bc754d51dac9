"""This module makes ids for trades whose source gives none."""

import struct
from hashlib import blake2b


def made_trade_id(buyer: int, seller: int, time_us: int, coin: str) -> int:
    """Return a trade's id: negative, of 50 bits, the same for ever.  Pure.

    Parameters
    ----------
    buyer, seller
        Ids of their orders, each of 64 bits.
    time_us
        Microseconds since 1970.
    coin
        Venue symbol.

    Returns
    -------
    int
        ``-1 - n``, in [-2**50, -1], where no id of the venue is.  ``n`` is the first 50 bits
        of BLAKE2b-64 over the three numbers, 8 bytes each and little-endian, and the coin in
        UTF-8: what a row says of itself and of the other side's order is enough to make it.

    Notes
    -----
    The venue's own tid is a hash of both orders' ids too, but which one is not documented.

    >>> made_trade_id(7, 9, 1748181599974190, "AAVE")
    -946757355103969
    """
    said = struct.pack("<qqq", buyer, seller, time_us) + coin.encode()
    return -1 - (int.from_bytes(blake2b(said, digest_size=8).digest(), "big") >> 14)
