"""A header says of every column what it is, in one way, or it is refused by name."""

import pytest

from warehouse.calls import parameters
from warehouse.catalog import Definition
from warehouse.dictionary import parted
from warehouse.dictionary_entries import ColumnEntry, Entry
from warehouse.headers import HeaderError, header
from warehouse.lineage import explained

TABLE = Entry(
    "t",
    "table",
    "Rows.",
    "a",
    (),
    (),
    (
        ColumnEntry("a", "VARCHAR", "none", "never", "whose", "landed"),
        ColumnEntry("b", "DOUBLE", "USD", "not given", "how much", "landed"),
    ),
)
GOOD = """What it is.

grain: a
reads: t
columns:
  from t: a
  b | USD | how much is left
      of it | none is left | t.b
  c | none | the coin asked for | never | argument coin
"""


def said(comment, columns=("a VARCHAR", "b DOUBLE", "c VARCHAR"), reader=None):
    """Return the columns of a view ``m`` of the table ``t``, and of one that reads it."""
    given = tuple(parameters(Definition("m", "table macro", "coin", "", "")))
    made = {"m": (comment, columns)} | ({"n": reader} if reader else {})
    entries = {}
    for name, (text, types) in made.items():
        read = header(name, text)
        typed = tuple(ColumnEntry(*column.split(), "", "", "", "") for column in types)
        entries[name] = (
            Entry(name, "table macro", read.purpose, read.grain, read.reads, given, typed),
            read,
        )
    known = explained([TABLE], entries)
    return {name: {one.name: one for one in known[name].columns} for name in made}


def test_a_line_says_all_of_a_column():
    columns = said(GOOD)["m"]
    assert columns["b"] == ColumnEntry(
        "b", "DOUBLE", "USD", "none is left", "how much is left of it", "t.b"
    )
    assert columns["c"].origin == "argument coin"


def test_what_is_passed_on_is_as_it_was_and_from_there():
    assert said(GOOD)["m"]["a"] == ColumnEntry("a", "VARCHAR", "none", "never", "whose", "t.a")


def test_what_another_made_is_from_there_and_what_is_made_alike_is_made_here():
    made = GOOD.replace("| t.b", "| made here")
    told = "reads: m\ncolumns:\n  {} m: b"
    passed = said(made, reader=(told.format("from"), ["b DOUBLE"]))["n"]["b"]
    alike = said(made, reader=(told.format("as"), ["b DOUBLE"]))["n"]["b"]
    assert (passed.origin, alike.origin) == ("m.b", "made here")
    assert passed.null == alike.null == "none is left"


FAULTS = {
    "a column of which nothing is said": ("  from t: a\n", "", "m.sql: nothing is said of a"),
    "a column that there is not": (
        "from t: a",
        "from t: a, d",
        "d is no column of t, or of it",
    ),
    "an own line of one that there is not": ("  c |", "  d |", "tells of d, which it does not"),
    "one told twice": ("from t: a", "from t: a, b", "m.sql: b is told twice"),
    "no unit": (
        "c | none |",
        "c |",
        "m.sql: a column is name | unit | what it is | null | from",
    ),
    "an empty unit": ("c | none |", "c |  |", "m.sql: a column is name | unit"),
    "no null meaning": (" | never | arg", " | arg", "m.sql: a column is name | unit"),
    "a part too many": ("| how much", "| of all | how much", "m.sql: a column is name | unit"),
    "a place that there is not": ("| t.b", "| t.x", "b is from t.x, and there is none"),
    "an argument that there is not": ("ment coin", "ment moon", "c is from argument moon"),
    "a word of its own": ("| t.b", "| somewhere", "b is from somewhere, and there is none"),
    "one it does not read": ("reads: t", "reads: u", "m.sql: from t, which it does not read"),
    "made as one that there is not": ("from t: a", "as u: a", "m.sql: there is no u"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault):
    old, new, message = FAULTS[fault]
    assert GOOD.count(old) == 1
    with pytest.raises(HeaderError) as raised:
        said(GOOD.replace(old, new))
    assert message in str(raised.value)


def test_one_of_another_type_is_another_column():
    with pytest.raises(HeaderError, match="a is no column of t, or of it"):
        said(GOOD, columns=("a BIGINT", "b DOUBLE", "c VARCHAR"))


def test_a_scalar_says_what_it_gives():
    (value,) = header("m", "Half.\n\ngives: USD | half of it | px is null").columns
    assert value == ("value", "USD", "half of it", "px is null", "made here")
    with pytest.raises(HeaderError, match=r"m\.sql: a column is name"):
        header("m", "Half.\n\ngives: USD, half of it")


def test_what_a_contract_does_not_say_is_empty():
    assert parted("at the mark") == ("at the mark", "")
    assert parted("null: not given") == ("", "not given")
