import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from backtest import card
from backtest.card import LOOKBACK, code_hash, data_hash, study_id
from backtest.question import Question
from backtest.strategies.breakout import Breakout
from tests.backtest.small_lake import (
    at,
    land_bars,
    land_book,
    land_context,
    land_funding,
    land_instrument,
    land_snapshot,
)
from warehouse.catalog import open_lake
from warehouse.contracts.tables import TABLES
from warehouse.store.compaction import compact

FLAT = (100.0, 101.0, 99.0, 100.0)
QUESTION = Question(strategy=Breakout(lookback=6), coins=("BTC",), since=at(264), until=at(288))


def few(root):
    land_bars(root, 24 * [FLAT], first=264)
    land_funding(root, 24 * [0.0], first=264)
    land_snapshot(root, 12, [("BTC", 1.0, 90.0)])
    return root


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return few(tmp_path_factory.mktemp("lake"))


@pytest.fixture
def root(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "lake")


def hashed(root, question=QUESTION):
    with open_lake(root) as con:
        return data_hash(con, question)


def test_the_same_parts_in_another_place_at_another_time_have_the_same_hash(whole, tmp_path):
    assert hashed(few(tmp_path)) == hashed(whole)


@pytest.mark.parametrize(
    "land",
    [
        lambda root: land_snapshot(root, -2000, [("BTC", 1.0, 90.0)]),
        lambda root: land_snapshot(root, 287, [("BTC", 1.0, 90.0)]),
        lambda root: land_bars(root, [FLAT], first=252 - 24),
        lambda root: land_context(root, 270, volume=1.0),
        lambda root: land_context(root, 60 + 12, volume=1.0),
        lambda root: land_book(root, 264, [(99.0, 1.0)], [(101.0, 1.0)]),
        lambda root: land_instrument(root, 5),
        lambda root: land_funding(root, [0.001], first=264),
    ],
)
def test_a_part_that_may_be_read_changes_the_hash(root, whole, land):
    land(root)
    assert hashed(root) != hashed(whole)


@pytest.mark.parametrize(
    "land",
    [
        lambda root: land_snapshot(root, 288, [("BTC", 1.0, 90.0)]),
        lambda root: land_bars(root, [FLAT], first=288, coin="ETH"),
        lambda root: land_bars(root, [FLAT], first=200, coin="ETH"),
        lambda root: land_context(root, 20, volume=1.0),
    ],
)
def test_a_part_of_other_days_does_not(root, whole, land):
    land(root)
    assert hashed(root) == hashed(whole)


def test_a_longer_warm_up_reads_more_days(root, whole):
    longer = replace(QUESTION, strategy=Breakout(lookback=60))
    land_bars(root, [FLAT], first=200, coin="ETH")
    assert hashed(root) == hashed(whole)
    assert hashed(root, longer) != hashed(whole, longer)


def test_compacting_changes_no_hash(root):
    land_bars(root, 24 * [FLAT], first=264, coin="ETH")
    before = hashed(root)
    compact(root, at(2000), grace=timedelta(0), wait=lambda _: None)
    with open_lake(root) as con:
        assert con.sql("select 1 from parts where path like '%compacted~%'").fetchall()
    assert hashed(root) == before


def test_every_table_is_read_or_left_out_with_a_reason():
    left_out = {table.name for table in TABLES} - set(LOOKBACK)
    made = {"liquidation_levels", "margin_errors"}
    # Maps of elsewhere, and names of fields: no macro of a backtest looks at them.
    assert {name for name in left_out - made if not name.startswith("backtest_")} == {
        "imported_levels",
        "unknown_fields",
    }


def test_an_edited_source_changes_the_code_hash(tmp_path, monkeypatch):
    for package in card.PACKAGES:
        (tmp_path / package / "sql").mkdir(parents=True)
        (tmp_path / package / "a.py").write_text("one")
        (tmp_path / package / "sql" / "b.sql").write_text("two")
        (tmp_path / package / "a.pyc").write_text("compiled")
    monkeypatch.setattr(card, "files", lambda package: tmp_path / package)
    seen = {code_hash()}
    (tmp_path / "backtest" / "a.pyc").write_text("compiled again")
    assert code_hash() in seen
    for file in ("backtest/a.py", "warehouse/sql/b.sql"):
        (tmp_path / file).write_text("three")
        seen.add(code_hash())
    (tmp_path / "backtest" / "a.py").rename(tmp_path / "backtest" / "c.py")
    seen.add(code_hash())
    assert len(seen) == 4


def test_the_code_that_is_installed_is_hashed():
    names = {name for name, _ in card._sources(card.files("warehouse"), "warehouse")}
    assert {"warehouse/catalog.py", "warehouse/sql/macros/positions_at.sql"} <= names
    assert code_hash() == code_hash()


def test_a_study_is_named_by_question_rows_and_code():
    names = {
        study_id(QUESTION, "rows", "code"),
        study_id(replace(QUESTION, seed=1), "rows", "code"),
        study_id(replace(QUESTION, until=QUESTION.until + timedelta(hours=1)), "rows", "code"),
        study_id(QUESTION, "other rows", "code"),
        study_id(QUESTION, "rows", "other code"),
    }
    assert len(names) == 5
    assert study_id(QUESTION, "rows", "code") in names
