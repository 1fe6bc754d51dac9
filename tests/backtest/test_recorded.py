"""A name on the command line means one study, or the error says which there are."""

import json

import duckdb
import pytest

from backtest.recorded import recorded


def lake(*studies):
    con = duckdb.connect()
    con.execute("create table backtest_studies (study_id text, runs text, seed bigint)")
    for number, (study, own) in enumerate(studies):
        runs = json.dumps({"own": own, "base": ["base1"]})
        con.execute("insert into backtest_studies values ($1, $2, $3)", [study, runs, number])
    return con


TWO = (("aa11", ["r1", "r2"]), ("aa22", ["r3", "aa1199"]))


@pytest.mark.parametrize("name", ["aa11", "r1", "r2", " r2 "])
def test_a_study_its_runs_and_their_beginnings_name_it(name):
    assert recorded(lake(*TWO), name)["study_id"] == "aa11"


def test_a_beginning_is_enough_where_only_one_has_it():
    assert recorded(lake(*TWO), "aa2")["seed"] == 1


def test_a_whole_name_is_meant_before_a_beginning():
    assert recorded(lake(*TWO), "aa11")["seed"] == 0


@pytest.mark.parametrize(
    ("studies", "name", "said"),
    [
        ((), "aa", "the lake holds no study"),
        (TWO, "zz", "no study or run begins with 'zz'; there are aa11, aa22"),
        (TWO, "aa", "'aa' means 2 studies: aa11, aa22"),
        (TWO, "", "means 2 studies"),
        (TWO, "base1", "no study or run begins"),
        (TWO, "' or true --", "no study or run begins"),
        ([(f"a{n:02}", [f"r{n:02}"]) for n in range(12)], "a", "a07 and 4 more"),
    ],
)
def test_what_means_none_or_several_is_said_in_one_line(studies, name, said):
    with pytest.raises(LookupError, match=said) as error:
        recorded(lake(*studies), name)
    assert "\n" not in str(error.value)
