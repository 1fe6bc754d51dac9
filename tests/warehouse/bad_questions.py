"""How what cannot be asked is asked, of a lake that has an answer to every good question."""

from contextlib import contextmanager
from datetime import timedelta

import duckdb
import pytest

from tests.effort import THOROUGH
from tests.rows import T0
from tests.warehouse import shown_market, whole_market
from warehouse import open_lake

HOUR = timedelta(hours=1)
NOW = T0 + 60 * HOUR
ASKED = {"at": NOW, "since": NOW - 30 * HOUR, "earlier": NOW - 12 * HOUR, "knowable": False}


@contextmanager
def a_market(folder):
    """Open a lake that shows all that had happened in a market by ``NOW``."""
    with open_lake(folder) as con:
        shown_market.put(con, whole_market.made())
        shown_market.show(con, NOW, knowable=False)
        yield con


def rows(con, query, **others):
    asked = {name: value for name, value in (ASKED | others).items() if f"${name}" in query}
    return con.sql(query, params=asked).fetchall()


def refusal(con, query, **others):
    """Return the one line that a question is refused with."""
    with pytest.raises(duckdb.InvalidInputException) as raised:
        rows(con, query, **others)
    (line,) = str(raised.value).splitlines()
    return line.removeprefix("Invalid Input Error: ")


def some(*cases):
    """Return all cases where there is time, and the last."""
    return cases if THOROUGH else cases[-1:]
