"""This module reads the leaderboard: accounts that traded, with what they are worth.

A file of some 35 MB and 40,000 addresses beside the info endpoint (measured 2026): it costs no
weight, names the largest accounts, and is a sample, not the venue.
"""

import re
from typing import Any

from pipelines.sources.info.fields import Fields

MAINNET = "https://stats-data.hyperliquid.xyz/Mainnet/leaderboard"
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def to_accounts(answer: Any) -> dict[str, float]:
    """Translate the leaderboard to account -> value, USD.  Pure.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or an address is none.

    Examples
    --------
    >>> rows = [{"ethAddress": "0x" + "AB" * 20, "accountValue": "1000.5"}]
    >>> to_accounts({"leaderboardRows": rows})
    {'0xabababababababababababababababababababab': 1000.5}
    """
    found = {}
    for each in Fields(answer, "leaderboard").objects("leaderboardRows"):
        address = each.text("ethAddress")
        if not ADDRESS.fullmatch(address):
            raise each.wrong("ethAddress", "0x and 40 digits", address)
        found[address.lower()] = each.decimal("accountValue")
    return found
