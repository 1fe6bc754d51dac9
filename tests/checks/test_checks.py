"""Each folder ``<check>/<case>`` is a test.

Its CSVs are the tables of a lake and ``expect.csv`` what the check finds on 2 January 2026, in
the columns it names; no rows: the case is sound.  Columns that a case does not care about are
filled in here.
"""

from datetime import date
from pathlib import Path

import pytest

from warehouse import catalog
from warehouse.checks.definitions import checks, chosen, parsed
from warehouse.checks.window import asked
from warehouse.contracts.tables import TABLES

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/expect.csv"))
SINCE, UNTIL = date(2026, 1, 2), date(2026, 1, 3)
TIMES = {table.name: table.time for table in TABLES}
FILLED_IN = {
    "positions": {"scope": "'hyperliquid'", "size": "1", "mark_px": "100"},
    "snapshots": {"scope": "'hyperliquid'", "complete": "true", "trusted": "true"},
    "accounts": {"scope": "'hyperliquid'"},
    "fills": {"is_buy": "true", "px": "100", "size": "1", "start_position": "0"},
    "asset_contexts": {"venue": "'hyperliquid'"},
    "candles": {"venue": "'hyperliquid'", "interval": "'1h'"},
    "funding": {"venue": "'hyperliquid'", "period_hours": "1"},
}


@pytest.fixture(scope="module")
def empty_lake(tmp_path_factory):
    with catalog.open_lake(tmp_path_factory.mktemp("lake")) as con:
        yield con


def load(con, csv):
    table = csv.stem
    rows = con.read_csv(str(csv), header=True, all_varchar=True)
    time = TIMES[table]
    values = FILLED_IN[table] | {
        "source": "'test'",
        "day": f"{time}::timestamptz::date",
        "known_ts": time,
    }
    extra = "".join(
        f", {value} as {name}" for name, value in values.items() if name not in rows.columns
    )
    con.execute(f"insert into promised.{table} by name select *{extra} from rows")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}:{case.name}")
def test_check(empty_lake, case):
    for table in TABLES:
        empty_lake.execute(f"delete from promised.{table.name}")
    for csv in case.glob("*.csv"):
        if csv.stem != "expect":
            load(empty_lake, csv)
    check = chosen([case.parent.name])
    days = [date(2026, 1, day) for day in (1, 2, 3)]
    found = asked(empty_lake, check, SINCE, UNTIL, lambda table: days)
    text = case.joinpath("expect.csv").read_text().splitlines()
    names = text[0].split(",")
    values = [[str(getattr(one, name)) for name in names] for one in found]
    said = [[value.replace("+00:00", "+00") for value in row] for row in values]
    assert said == [line.split(",") for line in text[1:]]
    assert all(one.what and one.known_ts and one.rows > 0 for one in found)
    assert all(one.end_ts is None or one.end_ts > one.start_ts for one in found)


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_every_check_has_a_planted_fault_and_a_sound_case(check):
    kinds = {
        len(case.joinpath("expect.csv").read_text().splitlines()) > 1
        for case in CASES
        if case.parent.name == check.name
    }
    assert kinds == {True, False}


def test_every_case_is_of_a_check():
    assert {case.parent.name for case in CASES} == {check.name for check in checks()}


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.name)
def test_every_check_says_what_it_is_for_and_reads_what_it_says(check):
    tables = {table.name for table in TABLES}
    assert check.purpose.endswith(".")
    assert check.table in check.reads
    assert {name for name in tables if f"{name}_versions" in check.query} == set(check.reads)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("-- table: t\n-- reads: t\n", "one line `-- check: …`"),
        (
            "-- check: stop\n-- check: warn\n-- table: t\n-- reads: t\n",
            "one line `-- check: …`",
        ),
        ("-- check: halt\n-- table: t\n-- reads: t\n", "must be stop or warn, is halt"),
        ("-- check: stop\n-- table: t\n", "one line `-- reads: …`"),
    ],
)
def test_a_header_that_lacks_something_is_refused(header, says):
    with pytest.raises(ValueError, match=says):
        parsed("a_is_b", header + "select 1")


def test_a_check_of_no_known_name_is_refused():
    with pytest.raises(ValueError, match="'all_is_well': must be one of accounts_"):
        chosen(["all_is_well"])
