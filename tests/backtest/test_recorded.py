"""A name on the command line means one study, or the error says which there are."""

import json
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from backtest.recorded import find_study


def lake(*studies, coins="BTC"):
    """Studies of days that follow each other, each received a day after the one before."""
    con = duckdb.connect()
    con.execute("create table parts (table_name text, part text, received_ts timestamp)")
    con.execute(
        "create table backtest_studies (study_id text, question text, runs text, "
        "data_hash text, code_hash text, trials text, strategy text, variant text, coins text, "
        "start_ts timestamp, end_ts timestamp)"
    )
    day = datetime(2026, 1, 2, tzinfo=UTC)
    for study, own in studies:
        runs = json.dumps({"own": own, "base": ["bb1"]})
        row = [study, "{}", runs, "d", "c", None, "breakout", "asymmetry_filter", coins, day]
        con.execute(
            f"insert into backtest_studies values ({', '.join(11 * '?')})",
            [*row, day + timedelta(days=1)],
        )
        day += timedelta(days=1)
        con.execute("insert into parts values ('backtest_studies', ?, ?)", [study, day])
    return con


TWO = (("aa11", ["e1", "e2"]), ("aa22", ["e3", "aa1199"]))


@pytest.mark.parametrize("name", ["aa11", "e1", "e2"])
def test_a_study_and_its_runs_name_it(name):
    assert find_study(lake(*TWO), name).study_id == "aa11"


def test_a_beginning_is_enough_where_only_one_has_it():
    found = find_study(lake(*TWO), "aa2")
    assert found.study_id == "aa22"
    assert found.run_ids == ("e3", "aa1199", "bb1")


@pytest.mark.parametrize(
    ("studies", "name", "error", "said"),
    [
        ((), "aa", LookupError, "the lake holds no study"),
        (TWO, "ff", LookupError, "no study or run is named ff; the lake holds aa22"),
        (TWO, "aa", LookupError, "aa is a name of 2 studies, newest first: aa22"),
        (TWO, "bb1", LookupError, "name one: undertow report aa22$"),
        (TWO, "", ValueError, "must be a study_id or run_id"),
        (TWO, "' or true --", ValueError, "must be a study_id or run_id"),
        ([(f"a{n:02}", [f"e{n:02}"]) for n in range(12)], "a", LookupError, "and 9 more"),
    ],
)
def test_what_means_none_or_several_is_said_in_one_line(studies, name, error, said):
    with pytest.raises(error, match=said) as raised:
        find_study(lake(*studies), name)
    assert "\n" not in str(raised.value)


def test_of_many_studies_the_newest_three_are_named_in_a_short_line():
    studies = [(f"{n:x}" * 16, [f"e{n}"]) for n in range(1, 16)]
    with pytest.raises(LookupError) as raised:
        find_study(lake(*studies, coins="BTC,ETH,SOL,HYPE,XRP"), "bb1", "undertow prove")
    newest = [f"{n * 16} (asymmetry_filter on 5 coins)" for n in "fed"]
    assert str(raised.value) == (
        f"bb1 is a name of 15 studies, newest first: {', '.join(newest)} and 12 more; "
        f"name one: undertow prove {'f' * 16}"
    )
    assert len(str(raised.value)) < 250
