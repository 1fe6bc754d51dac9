from datetime import UTC, datetime

import lz4.frame

from pipelines.steps.fills import land_hourly_fills
from tests.pipelines.data_fills import (
    HOUR,
    tree,
)
from tests.pipelines.data_landed_fills import DAY, NEXT, in_grain_order, rows_of
from tests.reference import node_fills as plain


def test_real_rows_are_landed_as_the_obvious_version_says(real, tmp_path):
    folder = real / "hl-mainnet-node-data/node_fills_by_block/hourly"
    bodies = {}
    for file in folder.glob("*/*.lz4"):
        hour = datetime.strptime(file.parent.name, "%Y%m%d").replace(tzinfo=UTC)
        body = plain_body(file)
        bodies[hour + int(file.stem) * HOUR] = body
    landed = land_hourly_fills(str(real), tmp_path)
    wanted, duplicates, _ = plain.landed(bodies, "node_fills_by_block")
    rows = rows_of(tmp_path)
    assert in_grain_order(rows) == in_grain_order(wanted)
    assert (landed.rows, landed.duplicates, landed.gaps) == (36_802, duplicates, [])
    assert len(landed.files) == 72
    assert all(file.exists() for file in landed.files)
    liquidations = [row for row in rows if row["liquidation_method"]]
    assert len(liquidations) == 3_075
    assert sum(row["liquidation_method"] == "adl" for row in liquidations) == 265


def plain_body(file):
    with lz4.frame.open(file) as stream:
        return stream.read()


def test_real_files_are_cut_by_arrival_and_land_by_their_fills_own_time(real, tmp_path):
    landed = land_hourly_fills(str(real / "raw-blocks"), tmp_path)
    assert [(file.parent.name, file.stem) for file in landed.files] == [
        ("day=2025-10-27", "node_fills_by_block-16"),
        ("day=2025-10-27", "node_fills_by_block-17"),
    ]
    assert landed.rows == 3_590


def test_a_real_day_has_the_bytes_it_has_in_the_whole(real, tmp_path):
    land_hourly_fills(str(real), tmp_path / "whole")
    land_hourly_fills(str(real), tmp_path / "day", DAY, NEXT)
    whole = tree(tmp_path / "whole")
    assert tree(tmp_path / "day") == {p: b for p, b in whole.items() if "day=2025-10-10" in p}
