"""The data dictionary holds everything, says what the catalog says, and is current."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from warehouse import catalog
from warehouse.calls import call
from warehouse.catalog import Definition
from warehouse.dictionary import dictionary
from warehouse.dictionary_cli import dictionary_
from warehouse.dictionary_page import page

PAGE = Path(__file__).parents[2] / "docs" / "dictionary.md"


@pytest.fixture(scope="module")
def entries():
    return {entry.name: entry for entry in dictionary()}


def test_the_page_is_current(entries):
    assert PAGE.read_text() == page(list(entries.values())), "make dictionary writes it anew"


def test_all_that_a_lake_shows_is_in_it(con, entries):
    shown = con.sql(
        "select view_name from duckdb_views() where not internal and schema_name = 'main' "
        "union select function_name from duckdb_functions() "
        "where not internal and function_type like '%macro'"
    ).fetchall()
    names = {name for (name,) in shown if not name.endswith("_versions")}
    # Python hands out gaps when they are asked for: to DuckDB it is a view of its own session.
    assert names | {"gaps"} == set(entries)


def test_columns_are_those_that_duckdb_gives(con, entries):
    for entry in entries.values():
        if entry.kind in {"table", "view"}:
            relation = con.sql(f"from {entry.name}")
            types = dict(zip(relation.columns, map(str, relation.types), strict=True))
            assert {one.name: one.type for one in entry.columns} == types, entry.name


def test_every_relation_says_what_it_is_for_and_what_a_row_is(entries):
    for entry in entries.values():
        assert entry.purpose, entry.name
        assert entry.grain or entry.kind == "macro", entry.name


def test_links_lead_to_a_heading():
    text = PAGE.read_text()
    headings = set(re.findall(r"^### (\w+)$", text, re.MULTILINE))
    links = set(re.findall(r"\]\(#(\w+)\)", text))
    assert links == headings


def test_a_table_of_the_page_has_as_many_cells_in_each_row():
    widths = []
    for line in PAGE.read_text().splitlines():
        if not line.startswith("|"):
            widths = []
            continue
        widths.append(len(re.findall(r"(?<!\\)\|", line)))
        assert widths[-1] == widths[0], line


def test_a_parameter_of_which_nothing_is_known_is_named():
    made = Definition("m", "table macro", "coin, moon, at_most := 3", "", "")
    with pytest.raises(LookupError, match="macro m: parameter moon has no example"):
        call(made)
    assert call(made, {"moon": "1", "at_most": "2"}) == "from m('BTC', 1, at_most := 2)"


def test_every_parameter_is_explained(entries):
    for made in catalog.definitions():
        for one in entries[made.name].parameters:
            assert one.says, f"{made.name}({one.name}): say it in warehouse/calls.py"


def test_the_command_line_prints_all_or_one(entries, monkeypatch):
    monkeypatch.setattr("warehouse.dictionary_cli.dictionary", lambda: list(entries.values()))
    all_ = CliRunner().invoke(dictionary_, [], catch_exceptions=False)
    assert "liquidation_map" in all_.stdout
    told = json.loads(CliRunner().invoke(dictionary_, ["fills", "--json"]).stdout)
    assert [one["name"] for one in told] == ["fills"]
    fee = next(one for one in told[0]["columns"] if one["name"] == "fee")
    assert fee == {
        "name": "fee",
        "type": "DOUBLE",
        "unit": "fee_token",
        "null": "not given",
        "says": "fee with the builder's part; negative: a rebate",
        "origin": "landed",
    }
    shown = CliRunner().invoke(dictionary_, ["liquidation_map"], catch_exceptions=False).stdout
    assert "0.5" in shown
    assert "must be given" in shown
    lost = CliRunner().invoke(dictionary_, ["liquidation_mp"])
    assert lost.exit_code != 0
    assert "near it: liquidation_map" in lost.output
