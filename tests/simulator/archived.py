"""The world whose archive the tests read, and ways to read its files of fills."""

import hashlib
from datetime import UTC, datetime

import lz4.frame
import orjson
import polars as pl

from pipelines.simulator.shocks import parse_shock
from pipelines.simulator.world import Delisting, WorldSpec

AT_FOUR = int(datetime(2026, 1, 5, 16, tzinfo=UTC).timestamp()) * 1000
SPEC = WorldSpec(
    seed=3,
    coins=5,
    accounts=120,
    shocks=(parse_shock("2026-01-05T09:00Z=-14%/20m"),),
    delistings=(Delisting("HYPE", AT_FOUR),),
)
FILLS = "hl-mainnet-node-data/node_fills_by_block/hourly"


def hour_of(file):
    return datetime.strptime(f"{file.parent.name} {file.stem} +0000", "%Y%m%d %H %z")


def blocks_of(file):
    return [orjson.loads(line) for line in lines_of(file)]


def lines_of(file):
    return lz4.frame.decompress(file.read_bytes()).splitlines()


def digest(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def contexts_of(written):
    [file] = (written / "files/hyperliquid-archive/asset_ctxs").iterdir()
    text = lz4.frame.decompress(file.read_bytes())
    assert file.name == "20260105.csv.lz4"
    return pl.read_csv(text, infer_schema_length=None)
