"""Each fault does what it says and says what it did, and ingestion notices it."""

import json
import re

import lz4.frame
import orjson
import polars as pl
import pytest
from click.testing import CliRunner

from pipelines.landed import PartlyLanded
from pipelines.simulator.archive.fault_plan import KNOWN
from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.cli import archive
from pipelines.simulator.faults import parse_faults
from pipelines.simulator.world import WorldSpec
from pipelines.sources.reservoir import reservoir, snapshot_files
from pipelines.steps.fills import land_hourly_fills

SPEC = WorldSpec(seed=5, coins=2, accounts=110)
FILLS = "hl-mainnet-node-data/node_fills_by_block/hourly"
TOGETHER = ("missing-hours=4", "duplicate-rows", "late-rows=3", "new-field")


def write(folder, *faults, days=1):
    write_archive(
        SPEC,
        days,
        folder / "files",
        truth=folder / "truth",
        snapshot_every=12,
        books=False,
        faults=faults,
    )
    return folder


def files_of(folder):
    root = folder / "files"
    files = {file.relative_to(root).as_posix(): file for file in root.rglob("*.*")}
    bodies = {path: file.read_bytes() for path, file in files.items() if file.is_file()}
    del bodies["simulated.json"]
    return bodies


def done(folder, fault):
    return json.loads((folder / "truth/faults.json").read_text())[fault]["done"]


def differing(one, other):
    mine, theirs = files_of(one), files_of(other)
    assert mine.keys() == theirs.keys()
    return {path for path, body in mine.items() if body != theirs[path]}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def plain(whole, tmp_path_factory):
    return land_hourly_fills(str(whole / "files"), tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    return write(tmp_path_factory.mktemp("together"), *TOGETHER)


def test_without_faults_nothing_is_wrong(whole):
    assert json.loads((whole / "truth/faults.json").read_text()) == {}


def test_adding_a_fault_changes_no_other(together, tmp_path):
    for fault in TOGETHER:
        name = fault.partition("=")[0]
        alone = done(write(tmp_path / name, fault), name)
        assert alone == done(together, name)
        assert alone, name


def test_another_seed_spoils_other_places(tmp_path):
    one, other = (write(tmp_path / seed, f"missing-hours={seed}") for seed in "12")
    assert done(one, "missing-hours") != done(other, "missing-hours")


def test_a_missing_hour_is_a_gap(whole, tmp_path):
    folder = write(tmp_path / "world", "missing-hours")
    [gone] = done(folder, "missing-hours")
    assert files_of(whole).keys() - files_of(folder).keys() == {gone["path"]}
    landed = land_hourly_fills(str(folder / "files"), tmp_path / "lake")
    [gap] = landed.gaps
    day, hour = re.search(r"(\d{8})/(\d+)\.lz4", gone["path"]).groups()
    assert gap.endswith(f"no file for {day[:4]}-{day[4:6]}-{day[6:]} {int(hour):02}:00 UTC")


def test_a_missing_day_is_missing_everywhere(tmp_path):
    whole, folder = write(tmp_path / "whole", days=3), tmp_path / "world"
    write(folder, "missing-days", days=3)
    gone = files_of(whole).keys() - files_of(folder).keys()
    assert gone == {each["path"] for each in done(folder, "missing-days")}
    assert {each["day"] for each in done(folder, "missing-days")} == {"2026-01-06"}
    assert len([path for path in gone if path.startswith(FILLS)]) == 24
    kinds = ("asset_ctxs/20260106.csv.lz4", "snapshots/perp/date=2026-01-06")
    assert all(any(kind in path for path in gone) for kind in kinds)


def test_a_missing_snapshot_was_not_taken(whole, tmp_path):
    folder = write(tmp_path / "world", "missing-snapshots")
    counts = [len(list(snapshot_files(reservoir(str(at / "files"))))) for at in (whole, folder)]
    assert counts == [2, 1]
    gone = files_of(whole).keys() - files_of(folder).keys()
    assert gone == {each["path"] for each in done(folder, "missing-snapshots")}


def test_what_comes_twice_or_late_lands_once_and_is_counted(plain, tmp_path):
    folder = write(tmp_path / "world", "duplicate-rows", "late-rows=3")
    landed = land_hourly_fills(str(folder / "files"), tmp_path / "lake")
    assert landed.rows == plain.rows
    assert plain.duplicates == 0 < landed.duplicates
    assert done(folder, "duplicate-rows")
    late = done(folder, "late-rows")
    assert late
    assert all(2 <= (each["file_ms"] - each["due_ms"]) / 3_600_000 <= 5 for each in late)
    assert any("not next to their hour" in note for note in landed.notes)
    assert not any("disagreed" in note for note in landed.notes)


def test_a_new_field_is_tolerated_and_counted(whole, plain, tmp_path):
    folder = write(tmp_path / "world", "new-field")
    landed = land_hourly_fills(str(folder / "files"), tmp_path / "lake")
    assert 0 < landed.unknown_fields["feeTier"] < landed.rows == plain.rows
    [begins] = done(folder, "new-field")
    assert begins["path"] == min(differing(whole, folder), key=hour_of)


def hour_of(path):
    day, hour = re.search(r"(\d{8})/(\d+)\.lz4", path).groups()
    return day, int(hour)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("truncated-json", "line {line}: must be JSON"),
        ("wrong-types=3", "line {line}: fill field {field}: must be a"),
        ("null-numbers", "line {line}: fill field {field}: must be a decimal string, is null"),
        ("cut-files", "must be whole LZ4 frames, ends within one"),
    ],
)
def test_a_spoilt_file_is_refused_by_its_name_and_no_other(whole, plain, tmp_path, fault, said):
    folder = write(tmp_path / "world", fault)
    [spoilt] = done(folder, fault.partition("=")[0])
    assert differing(whole, folder) == {spoilt["path"]}
    path = spoilt["path"].removeprefix("hl-mainnet-node-data/")
    with pytest.raises(PartlyLanded, match=re.escape(f"{path}")) as error:
        land_hourly_fills(str(folder / "files"), tmp_path / "lake")
    assert said.format(**spoilt) in str(error.value)
    [landed] = error.value.landed
    assert [ask.outcome for ask in landed.asked].count("failed") == 1
    assert 0 < plain.rows - landed.rows < plain.rows / 4


def test_a_spoilt_line_is_the_only_one_in_its_file(whole, tmp_path):
    folder = write(tmp_path / "world", "null-numbers=9")
    [spoilt] = done(folder, "null-numbers")
    before, after = (
        lz4.frame.decompress(files_of(at)[spoilt["path"]]).splitlines()
        for at in (whole, folder)
    )
    changed = [
        n for n, lines in enumerate(zip(before, after, strict=True)) if len(set(lines)) > 1
    ]
    assert changed == [spoilt["line"] - 1]
    fills = [fill for _, fill in orjson.loads(after[changed[0]])["events"]]
    assert [spoilt["field"]] == [
        k for fill in fills for k, v in fill.items() if v is None and k != "twapId"
    ]


def test_faults_are_read_as_they_are_written():
    known = {"cut": "one is cut", "slow": "one is slow"}
    assert parse_faults([], known) == {}
    assert parse_faults(["slow=0", "cut"], known) == {"slow": 0, "cut": 1}
    for text in ("cat", "slow=", "slow=x", "slow=-1", "slow=²", "=1", ""):
        with pytest.raises(ValueError, match=r"fault .*(unknown|whole number)"):
            parse_faults([text], known)
    with pytest.raises(ValueError, match="asked for twice"):
        parse_faults(["slow", "slow=2"], known)


def test_the_verb_writes_lists_and_refuses(tmp_path):
    def simulate(*args):
        return CliRunner().invoke(archive, [str(arg) for arg in args])

    small = ("--days=1", "--coins=2", "--accounts=20", "--no-books")
    made = simulate("--to", tmp_path / "files", "--truth", tmp_path / "truth", *small)
    assert made.exit_code == 0
    assert f"at {tmp_path / 'files'}: " in made.output
    assert (tmp_path / "truth/trades.parquet").exists()
    listed = simulate("--to", tmp_path / "other", "--faults", "list")
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == list(KNOWN)
    refused = simulate("--to", tmp_path / "files", "--seed=8", *small)
    assert isinstance(refused.exception, ValueError)
    assert str(refused.exception).startswith(f"target {tmp_path / 'files'}: holds the files of")
    assert not (tmp_path / "other").exists()


def test_a_delisted_coin_is_settled_and_gone(tmp_path):
    folder = write(tmp_path / "world", "delisting=2")
    [ended] = done(folder, "delisting")
    trades = pl.read_parquet(folder / "truth/trades.parquet").filter(coin=ended["coin"])
    settled = trades.filter(kind="settlement")
    assert settled.height > 0
    assert trades["ts"].max() == settled["ts"].max()
    assert settled["ts"].dt.epoch("ms").unique().to_list() == [ended["at_ms"]]
