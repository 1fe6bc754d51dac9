"""Each folder ``<view or macro>/<case>`` is a test.

Its CSVs are the tables of a lake, ``query.sql`` the question and ``expect.csv`` the answer, in
order and in the columns it names; or ``error.txt`` what the error must say.  Columns that a
case does not care about are filled in here.  Of each answer, what the data dictionary says is
never null must not be.
"""

from pathlib import Path

import duckdb
import pytest
from polars.testing import assert_frame_equal

from tests.never_null import nulls, promised
from warehouse import catalog
from warehouse.dictionary import dictionary

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/*/query.sql"))
FILLED_IN = {
    "positions": {
        "source": "'test'",
        "scope": "'hyperliquid'",
        "day": "snapshot_ts::timestamptz::date",
        "known_ts": "snapshot_ts",
    },
    "snapshots": {
        "source": "'test'",
        "scope": "'hyperliquid'",
        "complete": "true",
        "trusted": "true",
        "day": "snapshot_ts::timestamptz::date",
        "known_ts": "snapshot_ts",
    },
    "fills": {
        "px": "100",
        "size": "1",
        "is_taker": "true",
        "liquidation_method": "'market'",
        "source": "'test'",
        "day": "time_ts::timestamptz::date",
        "known_ts": "time_ts",
    },
    "accounts": {
        "source": "'test'",
        "scope": "'hyperliquid'",
        "day": "state_ts::timestamptz::date",
        "known_ts": "state_ts",
    },
    "incidents": {
        "check_name": "'a_check'",
        "source": "'test'",
        "severity": "'warn'",
        "what": "'wrong'",
        "rows": "1",
        "day": "start_ts::timestamptz::date",
        "known_ts": "start_ts",
    },
    "parts": {
        "table_name": "'fills'",
        "source": "'test'",
        "revision": "1",
        "max_ts": "day::timestamptz + interval 23 hours",
        "known_ts": "day::timestamptz + interval 24 hours",
    },
    "asks": {"table_name": "'fills'", "source": "'test'", "asked_ts": "day"},
    "candles": {
        "venue": "'hyperliquid'",
        "source": "'test'",
        "day": "start_ts::timestamptz::date",
        "known_ts": "start_ts",
    },
    "funding": {
        "venue": "'hyperliquid'",
        "source": "'test'",
        "day": "time_ts::timestamptz::date",
        "known_ts": "time_ts",
    },
    "order_books": {
        "source": "'test'",
        "day": "book_ts::timestamptz::date",
        "known_ts": "book_ts",
    },
    "liquidation_levels": {
        "source": "'test'",
        "scope": "'hyperliquid'",
        "day": "snapshot_ts::timestamptz::date",
    },
    "levels_days": {"revised": "false"},
    "margin_errors": {"day": "start_ts::timestamptz::date"},
    "asset_contexts": {
        "venue": "'hyperliquid'",
        "source": "'test'",
        "day": "context_ts::timestamptz::date",
        "known_ts": "context_ts",
    },
    "backtest_studies": {},
    "backtest_runs": {},
}


@pytest.fixture(scope="module")
def empty_lake(tmp_path_factory):
    with catalog.open_lake(tmp_path_factory.mktemp("lake")) as con:
        yield con


@pytest.fixture
def con(empty_lake):
    """An empty lake: every table exists, no rows; what a test puts in is taken back."""
    yield empty_lake
    for table in FILLED_IN:
        empty_lake.execute(f"delete from promised.{table}")


@pytest.fixture(scope="module")
def never():
    return promised(dictionary())


def load(con, csv):
    table = csv.stem
    rows = con.read_csv(str(csv), all_varchar=True)
    others = {
        name: value for name, value in FILLED_IN[table].items() if name not in rows.columns
    }
    extra = "".join(f", {value} as {name}" for name, value in others.items())
    con.execute(f"insert into promised.{table} by name select *{extra} from rows")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}:{case.name}")
def test_macro(con, case, never):
    for csv in case.glob("*.csv"):
        if csv.stem != "expect":
            load(con, csv)
    query = case.joinpath("query.sql").read_text()
    if (error := case / "error.txt").exists():
        with pytest.raises(duckdb.Error) as raised:
            con.sql(query).fetchall()
        assert error.read_text().strip() in str(raised.value)
        return
    answer = con.sql(query)
    names = case.joinpath("expect.csv").read_text().splitlines()[0].split(",")
    kinds = dict(zip(answer.columns, map(str, answer.types), strict=True))
    want = con.read_csv(
        str(case / "expect.csv"), header=True, dtype={name: kinds[name] for name in names}
    )
    assert_frame_equal(answer.pl().select(names), want.pl(), rel_tol=1e-9)
    # What is joined on from the left may be missing as a whole.
    if "left join" not in query:
        assert not nulls(answer.to_arrow_table(), never[case.parent.name])


def test_every_macro_of_the_surface_has_a_case():
    made = {made.name for made in catalog.definitions() if made.kind != "macro"}
    assert made <= {case.parent.name for case in CASES}


def test_every_definition_says_what_it_is_for(con):
    for made in catalog.definitions():
        assert made.purpose, made.name
        if made.kind in {"view", "table macro"}:
            assert "grain:" in made.purpose, made.name
