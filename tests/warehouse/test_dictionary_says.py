"""The data dictionary says all of every column, and what it says is so."""

import pytest

from tests.warehouse.dictionary_checks import (
    arguments,
    foreign,
    misread,
    unnamed_arguments,
    unsaid,
    wrong_units,
)
from warehouse.catalog import definitions
from warehouse.dictionary import dictionary


@pytest.fixture(scope="module")
def entries():
    return {entry.name: entry for entry in dictionary()}


@pytest.fixture(scope="module")
def made():
    return {one.name: one for one in definitions()}


def but(entry, column, **other):
    """Return an entry that says something else of one column."""
    return entry._replace(
        columns=tuple(
            one._replace(**other) if one.name == column else one for one in entry.columns
        )
    )


def test_every_column_has_unit_meaning_null_and_origin(entries):
    for entry in entries.values():
        assert entry.columns, entry.name
        assert not unsaid(entry), entry.name


@pytest.mark.parametrize("part", ["unit", "null", "says", "origin", "type"])
@pytest.mark.parametrize("name", ["positions", "liquidations", "positions_at"])
def test_a_column_of_which_one_is_not_said_is_found(entries, name, part):
    assert unsaid(but(entries[name], "size", **{part: ""})) == ["size"]


def test_a_scalar_that_does_not_say_what_it_gives_is_found(entries):
    assert unsaid(but(entries["bucket_of"], "value", says="")) == ["value"]
    assert unsaid(but(entries["bucket_of"], "value", unit="dollars")) == ["value"]


def test_names_have_one_unit_and_what_is_measured_has_one(entries):
    for entry in entries.values():
        assert not wrong_units(entry), entry.name


def test_a_wrong_unit_is_found(entries):
    assert wrong_units(but(entries["cascades"], "px_worst", unit="none")) == ["px_worst"]
    assert wrong_units(but(entries["fills"], "size", unit="USD")) == ["size"]
    assert wrong_units(but(entries["map_changes"], "held", unit="none")) == ["held"]


def test_a_column_is_from_what_is_read_on_the_way_to_it(entries):
    for entry in entries.values():
        assert not foreign(entry, entries), entry.name


def test_a_column_from_elsewhere_is_found(entries):
    wrong = but(entries["liquidation_map"], "coin", origin="fills.coin")
    assert foreign(wrong, entries) == ["coin"]


def test_a_header_reads_what_its_text_names_and_no_more(entries, made):
    for name, one in made.items():
        assert not misread(entries[name], one.body, entries), name


def test_what_is_read_and_not_said_is_found(entries, made):
    body, entry = made["map_moves"].body, entries["map_moves"]
    assert misread(entry._replace(reads=entry.reads[1:]), body, entries) == {entry.reads[0]}
    assert misread(entry._replace(reads=(*entry.reads, "fills")), body, entries) == {"fills"}
    assert misread(entry, f"{body} join candles_versions as c on true", entries) == {"candles"}


def test_a_column_that_is_an_argument_says_so(entries, made):
    for name, one in made.items():
        assert not unnamed_arguments(entries[name], one), name
    assert sum("coin" in arguments(one) for one in made.values()) > 10


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("liquidation_flow", "asset_contexts.coin"), ("map_changes", "fills.coin")],
)
def test_an_argument_that_is_said_to_be_a_tables_is_found(entries, made, name, wrong):
    entry = but(entries[name], "coin", origin=wrong)
    assert unnamed_arguments(entry, made[name]) == ["coin"]


def test_what_a_header_says_is_in_the_dictionary(entries):
    def column(name, wanted):
        return next(one for one in entries[name].columns if one.name == wanted)

    notional = column("positions_at", "notional")
    assert (notional.unit, notional.null) == ("USD", "it has no liquidation_px")
    assert notional.origin == "positions.size, positions.liquidation_px"
    assert column("positions_at_each", "notional").origin == notional.origin
    velocity = column("liquidation_flow", "velocity")
    assert (velocity.unit, velocity.origin) == ("USD per minute", "liquidation_rates.velocity")
