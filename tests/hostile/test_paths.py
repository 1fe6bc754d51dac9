"""Names from outside are values: none of them becomes a path beyond the lake's own."""

import re
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.steps.books import land_books
from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.imports import land_import, read_mapping
from pipelines.steps.positions import land_reservoir
from tests.pipelines import data_mapping as mapping_data
from tests.pipelines.data_books import DAY, book, put_books
from tests.pipelines.data_fills import NOON, block, fill, put
from tests.pipelines.data_lake import frame
from tests.pipelines.data_reservoir import record, write
from tests.pipelines.test_info_answers import POSITION
from tests.pipelines.test_sweep import Venue, state, swept
from tests.rows import account
from warehouse.store.parts import PART

NAMES = [
    *(
        "../../etc/x",
        "..",
        "a/b",
        "/tmp/undertow-hostile",
        "C:\\x",
        "\\\\host\\x",
        "\x00",
        "con",
    ),
    *(
        "a\nb",
        "%2e%2e%2fx",
        "~root",
        "$HOME",
        "BTC.parquet/..",
        "_ledger",
        "day=2026-01-01",
        "é",
    ),
    *("A" * 5000, "*", "x';drop table fills;--", "\u202e", "-rf", ".landing-x"),
]
# Of these a folder may be called.
FOLDERS = [name for name in NAMES if "/" not in name and name != ".."]
FILE = re.compile(
    rf"[a-z_]+/day=[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}/{PART.pattern}(~[0-9a-f-]+)?\.parquet|"
    r"_ledger/(coins/)?[a-z]+\.parquet|_ledger/(coins/)?[a-z.-]*lock"
)


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """A lake some folders below one that nothing else writes to, from within it."""
    lake = tmp_path / "ground" / "one" / "two" / "lake"
    lake.parent.mkdir(parents=True)
    monkeypatch.chdir(lake.parent)
    return lake


def hold_ground(lake):
    """Raise if there is a file beside the lake, or in it one not named by its rules."""
    ground = lake.parents[2]
    files = [path for path in ground.rglob("*") if not path.is_dir()]
    outside = [path for path in files if lake not in path.parents]
    assert not outside, outside
    for path in files:
        below = path.relative_to(lake).as_posix()
        assert FILE.fullmatch(below), below
    assert not Path("/tmp/undertow-hostile").exists()
    assert not Path("/etc/x").exists()


def landed(lake, table, column):
    """Return the values of a column; none where nothing was landed."""
    if not lake.exists():
        return set()
    return set(frame(lake, f"select {column} from {table}")[column])


def test_the_coin_of_a_fill_is_a_value(lake, tmp_path):
    fills = [fill(coin=name, tid=number) for number, name in enumerate(NAMES)]
    land_hourly_fills(put(tmp_path / "archive", {NOON: [block(*fills)]}), lake)
    hold_ground(lake)
    assert landed(lake, "fills", "coin") == set(NAMES)


def test_an_account_that_is_none_is_not_landed(lake, tmp_path):
    for number, name in enumerate(NAMES):
        root = put(tmp_path / f"archive {number}", {NOON: [block(fill(), user=name)]})
        with pytest.raises(ValueError, match="0x address"):
            land_hourly_fills(root, lake)
    hold_ground(lake)
    assert landed(lake, "fills", "coin") == set()


def test_the_coin_of_a_position_is_a_value(lake, tmp_path):
    root = tmp_path / "archive"
    write(root, *(record(market=name) for name in NAMES))
    land_reservoir(str(root), lake)
    hold_ground(lake)
    assert landed(lake, "positions", "coin") == set(NAMES)


def test_a_folder_that_names_a_dex_makes_no_path(lake, tmp_path):
    made = 0
    for number, name in enumerate(FOLDERS[:7]):
        root = tmp_path / f"archive {number}"
        with suppress(OSError, ValueError):  # what no folder can be called
            write(root, record(), dex=name)
            made += 1
            land_reservoir(str(root), lake)
        hold_ground(lake)
    assert made > 4


def test_a_label_makes_no_path(lake, tmp_path):
    root = put(tmp_path / "archive", {NOON: [block(fill())]})
    for name in NAMES:
        with suppress(ValueError):
            land_hourly_fills(root, lake, label=name)
        hold_ground(lake)


def test_a_file_that_names_a_coin_makes_no_path(lake, tmp_path):
    root = put_books(tmp_path / "archive", 0, "BTC", 0.0)
    for name in FOLDERS:
        with suppress(OSError, ValueError):
            put_books(tmp_path / "archive", 1, name, 0.0)
    land_books(root, lake)
    hold_ground(lake)
    assert landed(lake, "order_books", "coin") == {"BTC", "con"}


def test_a_book_of_another_coin_than_its_file_is_refused(lake, tmp_path):
    for number, name in enumerate(NAMES):
        at = DAY + timedelta(seconds=1)
        root = put_books(tmp_path / f"{number}", 0, "BTC", others=[book(at, name, 99.0)])
        with pytest.raises(ValueError, match="field coin must be BTC"):
            land_books(root, lake)
    hold_ground(lake)
    assert landed(lake, "order_books", "coin") == set()


def test_what_an_import_calls_a_coin_is_a_value_or_refused(lake, tmp_path):
    file, how = tmp_path / "mine.csv", mapping_data.mapping()
    good = [name for name in NAMES if name.isprintable() and len(name) < 128]
    for name in {*NAMES} - {*good}:
        file.write_bytes(mapping_data.csv(mapping_data.line(asset=f'"{name}"')))
        with pytest.raises(ValueError, match="field asset must be"):
            land_import([str(file)], lake, how)
    lines = [mapping_data.line(asset=f'"{name}"') for name in good]
    file.write_bytes(mapping_data.csv(*lines))
    land_import([str(file)], lake, how)
    hold_ground(lake)
    assert landed(lake, "positions", "coin") == set(good)


@pytest.mark.parametrize("what", ["hyperliquid", "my_export"])
def test_what_an_import_calls_its_scope_or_itself_makes_no_path(what, lake, tmp_path):
    file, how = tmp_path / "mine.csv", tmp_path / "my.toml"
    file.write_bytes(mapping_data.csv(mapping_data.line()))
    for name in NAMES:
        how.write_text(mapping_data.MAPPING_TEXT.replace(f'"{what}"', _toml(name)))
        with suppress(ValueError):
            land_import([str(file)], lake, read_mapping(str(how)))
        hold_ground(lake)


def _toml(text):
    marks = [char if char.isalnum() else f"\\u{ord(char):04x}" for char in text]
    return f'"{"".join(marks)}"'


def test_what_the_venue_calls_a_coin_is_a_value(lake):
    held = [POSITION | {"coin": name} for name in NAMES]
    swept(Venue({account(1): state(0, *held)}), lake, [account(1)])
    hold_ground(lake)
    assert landed(lake, "positions", "coin") == set(NAMES)


def test_a_dex_makes_no_path(lake):
    for name in NAMES[:6]:
        with suppress(ValueError):
            swept(Venue({account(1): state(0, POSITION)}), lake, [account(1)], dex=name)
        hold_ground(lake)


def test_what_would_leave_the_lake_is_seen(lake):
    lake.mkdir()
    hold_ground(lake)
    (lake / "x").write_text("")
    with pytest.raises(AssertionError, match="x"):
        hold_ground(lake)
    (lake / "x").unlink()
    (lake.parents[1] / "x").write_text("")
    with pytest.raises(AssertionError, match="x"):
        hold_ground(lake)
