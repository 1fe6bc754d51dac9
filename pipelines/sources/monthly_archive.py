"""This module says what the files of the venue's monthly archive have in common.

``s3://hyperliquid-archive`` (us-east-1, requester pays) holds contexts by the day and order
books by the hour.  Hyperliquid docs, "Historical data" (read 2026-08-22): uploaded
"approximately once a month", with "no guarantee of timely updates", and data may be missing.
"""

import re
from datetime import UTC, date, datetime

from pipelines.sources.errors import SourceError

BUCKET = "hyperliquid-archive"
FIRST_YEAR = 2023  # of the venue: its files begin on 2023-04-15
# Months from the one a file is of to the one at whose start it counts as known.  A month's
# files come some time in the next month (all of July 2026 was there on 23 August 2026), and
# nobody says when: at that month's end they have come.  Rather late than early: a backtest
# that may use only what was knowable must not see a file before its upload.
MONTHS_UNTIL_KNOWN = 2

# What a coin may be called: BTC, kPEPE, xyz:TSLA, @107.
COIN = r"[0-9A-Za-z@#][0-9A-Za-z@#:._-]{0,63}"
_DAY = re.compile(r"[0-9]{8}")


def known_from(day: date) -> datetime:
    """Return when a follower of the archive could have had the files of ``day``.

    >>> known_from(date(2026, 7, 31)).isoformat(), known_from(date(2025, 11, 1)).isoformat()
    ('2026-09-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')
    """
    month = day.year * 12 + day.month - 1 + MONTHS_UNTIL_KNOWN
    return datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)


def day_named(text: str) -> date | None:
    """Return the day that a part of a path names; None if it names none.

    >>> day_named("20251113"), day_named("20251331")
    (datetime.date(2025, 11, 13), None)
    """
    if not _DAY.fullmatch(text):
        return None
    try:
        day = datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date()
        known_from(day)
    except ValueError:
        return None
    return day


def misnamed(path: str, wanted: str) -> SourceError:
    """Return the complaint about a file whose name says nothing."""
    return SourceError(f"{path}: must be called {wanted}")
