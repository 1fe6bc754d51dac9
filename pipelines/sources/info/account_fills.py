"""This module translates ``userFillsByTime``: one account's fills, oldest first.

Hyperliquid docs, "Info endpoint: retrieve a user's fills by time" (read 2026-08-22): at most
2,000 fills an answer, both ends of the time included, and only the 10,000 most recent fills can
be reached.  A fill is as in the files of the venue's nodes, so one translation serves both.
"""

from collections import Counter
from typing import Any

import orjson
import pyarrow as pa

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import shown
from pipelines.sources.node_fill_rows import to_fills

MOST = 2_000  # fills of an answer
REACHABLE = 10_000  # newest fills of an account


def to_account_fills(answer: Any, account: str) -> tuple[pa.Table, Counter[str]]:
    """Translate an answer to the ``fills`` contract.  Pure.

    Parameters
    ----------
    answer
        What the venue said.
    account
        Who was asked for.

    Returns
    -------
    Table
        Columns of ``fills`` but ``source`` and ``known_ts``, in the venue's order.
    Counter
        Field that is not known -> how often it came.

    Raises
    ------
    SourceError
        If the answer is no list, or a field of a fill is missing or mistyped.

    Examples
    --------
    >>> fill = {"coin": "ETH", "px": "4215.9", "sz": "0.3", "side": "A", "time": 1761584399797,
    ...         "startPosition": "0.3", "dir": "Close Long", "closedPnl": "-1.5", "oid": 7,
    ...         "crossed": True, "fee": "0.2", "tid": 9, "feeToken": "USDC"}
    >>> rows, unknown = to_account_fills([fill], "0xAB")
    >>> rows["account"].to_pylist(), rows["is_buy"].to_pylist(), rows["liquidation_method"][0]
    (['0xab'], [False], <pyarrow.StringScalar: None>)
    """
    where = f"userFillsByTime {account}"
    if not isinstance(answer, list):
        raise SourceError(f"{where}: must be a list, is {shown(answer)}")
    try:
        body = orjson.dumps({"events": [[account.lower(), fill] for fill in answer]})
    except orjson.JSONEncodeError as error:
        raise SourceError(f"{where}: must be JSON: {error}") from error
    return to_fills(body, where)
