"""What landings left in a lake: rows, and bytes without the ledger's times."""

import pyarrow.compute as pc

from warehouse.catalog import open_lake
from warehouse.store import Lake, parts_of


def frame(lake, query):
    with open_lake(lake) as con:
        return con.sql(query).pl()


def parts(lake, table):
    """Return the parts of a table that count, by their names below the table."""
    lines = parts_of(Lake.at(lake))
    kept = lines.filter(
        pc.and_(pc.equal(lines["table_name"], table), pc.is_null(lines["superseded_ts"]))
    )
    return sorted(path.removeprefix(f"{table}/") for path in kept["path"].to_pylist())


def origins(lake, table):
    """Return the names of the files that the parts of a table were read from."""
    lines = parts_of(Lake.at(lake)).to_pylist()
    kept = (line for line in lines if line["table_name"] == table)
    urls = (origin["url"] for line in kept for origin in line["origins"])
    return sorted({url.rpartition("/")[2] for url in urls})


def held(lake):
    """Return every file of a lake, the ledger's too, with its bytes."""
    place = Lake.at(lake)
    return {path: place.read(path) for path in place.sizes("")}
