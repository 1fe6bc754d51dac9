from datetime import timedelta

import pytest

from pipelines.sources.imports.mapped_file import read_mapped, to_rows
from pipelines.sources.imports.mapping import TABLES, to_mapping
from tests.pipelines.data_mapping import AT, OTHERS, csv, line, mapping, rows
from tests.rows import account
from warehouse import open_lake
from warehouse.store import land


def test_a_file_of_positions_becomes_positions_and_their_snapshot():
    body = csv(line(), line(wallet=account(2).upper().replace("X", "x"), side="SELL", qty="3"))
    imported = to_rows({"mine.csv": body}, mapping())
    (positions, held), (snapshots, counted) = imported.tables
    assert (positions.name, snapshots.name) == ("positions", "snapshots")
    assert [(row["account"], row["size"]) for row in held.to_pylist()] == [
        (account(1), 2.0),
        (account(2), -3.0),
    ]
    first = held.to_pylist()[0]
    assert (first["source"], first["scope"], first["snapshot_ts"]) == (
        "my_export",
        "hyperliquid",
        AT,
    )
    assert (first["mark_px"], first["leverage"]) == (70_000.0, None)
    assert first["known_ts"] == AT + timedelta(hours=1)
    summary = counted.to_pylist()[0]
    assert (summary["positions"], summary["accounts"], summary["px_unknown"]) == (2, 2, 2)
    assert (summary["complete"], summary["trusted"], summary["accounts_asked"]) == (
        False,
        True,
        None,
    )


@pytest.mark.parametrize("table", OTHERS)
def test_every_table_can_be_imported(table):
    entries, text, says = OTHERS[table]
    how = to_mapping(f'table = "{table}"\nsource = "mine"\n[columns]\n{entries}\n')
    ((contract, held),) = to_rows({"f.csv": text.encode()}, how).tables
    assert contract is TABLES[table]
    row = held.to_pylist()[0]
    assert {name: row[name] for name in says} == says


def test_the_rows_land_as_they_are(tmp_path):
    for table, batch in to_rows({"f.csv": csv(line())}, mapping("complete = true")).tables:
        land(tmp_path, table, batch, "my_export")
    with open_lake(tmp_path) as con:
        asked = "select side, size from positions_at('BTC', timestamptz '2026-02-05 13:00+00')"
        assert con.sql(asked).fetchall() == [("long", 2.0)]


def test_several_files_are_one_batch_and_a_row_of_both_comes_once():
    bodies = {"a.csv": csv(line()), "b.csv": csv(line(), line(wallet=account(2)))}
    imported = to_rows(bodies, mapping())
    assert imported.tables[0][1].num_rows == 2
    assert imported.tables[1][1]["positions"].to_pylist() == [2]
    assert imported.duplicates == 1


def test_unknown_columns_are_tolerated_and_counted_and_ignored_ones_are_not():
    header = "time,wallet,asset,side,qty,usd,mood,note"
    body = csv(line() + ",1,2", line(wallet=account(2)) + ",3,4", header=header)
    imported = to_rows({"mine.csv": body}, mapping('ignore = ["note"]'))
    assert imported.unknown_fields == {"mood": 2}


def test_files_come_out_of_an_archive(tmp_path):
    from pipelines.sources.archive import Archive

    (tmp_path / "mine.csv").write_bytes(csv(line()))
    imported = read_mapped(Archive(str(tmp_path)), ["mine.csv"], mapping())
    assert imported.tables[0][1].num_rows == 1


def test_a_moment_may_be_the_callers():
    how = mapping(columns={"snapshot_ts": '{ given = "at" }'})
    assert rows(csv(line()), how, AT)[0]["snapshot_ts"] == AT
    with pytest.raises(ValueError, match=r"my\.toml: needs a moment, none is given"):
        rows(csv(line()), how)
    with pytest.raises(ValueError, match=r"my\.toml: takes no moment"):
        rows(csv(line()), mapping(), AT)
    with pytest.raises(ValueError, match="must have a zone"):
        rows(csv(line()), how, AT.replace(tzinfo=None))
