import io
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.archive import Archive
from pipelines.sources.artemis_balance_lines import AT_ONCE, to_balances
from pipelines.sources.artemis_balances import (
    CHUNK,
    LONGEST,
    artemis_balances,
    balance_files,
    day_of,
    end_of,
    lines,
    read,
)
from pipelines.sources.errors import SourceError
from pipelines.sources.info.states import to_state
from tests.pipelines.hostile_tables import MANY
from tests.rows import account
from warehouse.contracts.positions import POSITIONS

PATH = "raw/perp_and_spot_balances/2026/01/26/part-0.jsonl"
END = end_of(date(2026, 1, 26))
TAKEN = datetime(2026, 1, 27, 2, 18, 13, tzinfo=UTC)
MS = int(TAKEN.timestamp() * 1000)
POSITION = {
    "coin": "BTC",
    "szi": "-0.5",
    "entryPx": "90000.0",
    "positionValue": "45500.0",
    "liquidationPx": "101000.5",
    "marginUsed": "4550.0",
    "maxLeverage": 40,
    "leverage": {"type": "isolated", "value": 10, "rawUsd": "49550.0"},
    "cumFunding": {"allTime": "1.0", "sinceOpen": "0.5", "sinceChange": "0.0"},
    "returnOnEquity": "0.1",
    "unrealizedPnl": "-500.0",
}


def state(*changes, **others):
    held = [{"position": POSITION | change, "type": "oneWay"} for change in changes or [{}]]
    return {"assetPositions": held} | others


def line(holder=1, *changes, **others):
    return {"user": account(holder).replace("a", "A")} | state(*changes, **others)


def wrapped(holder=1, *changes, response=None, **others):
    summary = {"accountValue": "10000.0"}
    inner = {"perpetual": state(*changes, marginSummary=summary)}
    return {"address": account(holder), "response": response or inner} | others


def balances_of(*given):
    body = [each if isinstance(each, bytes) else orjson.dumps(each) for each in given]
    return to_balances(body, PATH, END)


def landable(positions):
    """Hold rows to the contract, as whoever lands them does."""
    rows = positions.append_column("source", pa.repeat("artemis", positions.num_rows))
    made = pa.nulls(positions.num_rows, pa.string())
    return POSITIONS.check(rows.append_column("liquidation_px_source", made))


def test_a_line_is_read():
    (row,) = balances_of(line(10)).positions.to_pylist()
    assert row == {
        "snapshot_ts": END,
        "scope": "hyperliquid",
        "coin": "BTC",
        "account": account(10),
        "size": -0.5,
        "entry_px": 90000.0,
        "mark_px": 91000.0,
        "liquidation_px": 101000.5,
        "leverage": 10.0,
        "leverage_type": "isolated",
        "max_leverage": 40.0,
        "margin_used": 4550.0,
        "account_value": None,
        "account_mode": None,
        "funding_pnl": -0.5,
        "known_ts": END + timedelta(days=1),
    }


def test_rows_keep_the_contract():
    assert (
        landable(balances_of(line(1, {}, {"coin": "ETH"}), wrapped(2)).positions).num_rows == 3
    )


def test_a_position_is_translated_as_the_info_endpoints_is():
    answer = state({}, {"coin": "ETH", "szi": "3.0", "liquidationPx": None})
    answer |= {"marginSummary": {"accountValue": "10000.0"}, "time": MS}
    asked = to_state(answer, account(1)).positions
    rows = balances_of({"user": account(1)} | answer).positions.to_pylist()
    assert [{name: row[name] for name in asked[0]} for row in rows] == asked


def test_both_shapes_of_a_line_are_read():
    one, other = balances_of(line(), wrapped()).positions.to_pylist()
    assert other == one | {"account_value": 10000.0}


@pytest.mark.parametrize(
    "given",
    [
        line(1, time=MS),
        line(1, timestamp=MS),
        line(1, timestamp="2026-01-27T02:18:13+00:00"),
        line(1, timestamp="2026-01-27T02:18:13Z"),
        line(1, timestamp="2026-01-27T02:18:13"),
        line(1, timestamp="2026-01-27T11:18:13+09:00"),
        line(1, time=MS, timestamp=MS + 999),
        wrapped(timestamp=MS),
    ],
)
def test_a_time_is_used_where_there_is_one_the_states_own_first(given):
    read = balances_of(given)
    (row,) = read.positions.to_pylist()
    assert row["snapshot_ts"] == TAKEN
    assert row["known_ts"] == TAKEN + timedelta(days=1)
    assert read.untimed == 0


def test_without_a_time_a_position_is_of_the_end_of_its_day():
    read = balances_of(line())
    assert read.positions["snapshot_ts"].to_pylist() == [END]
    assert END.isoformat() == "2026-01-26T23:59:59.999999+00:00"
    assert read.untimed == 1


def test_lines_are_counted_by_what_they_are():
    closed = line(4, {"szi": "0.0"})
    unanswered = [{"user": account(5)}, wrapped(6, response={"perpetual": None})]
    unanswered.append({"address": account(7), "response": None})
    read = balances_of({"_metadata": True, "version": 3}, line(), line(2), closed, *unanswered)
    assert read.positions["account"].to_pylist() == [account(1), account(2)]
    assert (read.headers, read.accounts, read.unanswered) == (1, 3, 3)


def test_unknown_fields_are_counted_and_documented_ones_are_not():
    odd = wrapped(1, {"mood": 1}, timestamp=MS, shard=4)
    odd["response"]["spot"] = {"balances": []}
    odd["response"]["perpetual"]["sky"] = 2
    assert balances_of(odd, line(2, {"mood": 1}, balances=[])).unknown == {
        "shard": 1,
        "response.spot": 1,
        "response.perpetual.sky": 1,
        "position.mood": 2,
        "balances": 1,
    }


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (b"{", ": must be JSON"),
        (b"", ": must be JSON"),
        (b"[]", ": must be an object, is \\[\\]"),
        (b'{"user": NaN}', ": must be JSON"),
        ({"assetPositions": []}, ": field address is missing"),
        (line() | {"user": "0xAB"}, ": field user must be 0x and 40 digits, is '0xAB'"),
        (line() | {"assetPositions": {}}, " assetPositions: must be a list"),
        (line(1, time=0), ": field time must be within two days of 2026-01-26, is 0"),
        (line(1, time=2**62), ": field time must be milliseconds of a time"),
        (line(1, timestamp="yesterday"), ": field timestamp must be a time, is"),
        (line(1, timestamp="0001-01-01T00:00:00+23:00"), ": field timestamp must be a time"),
        (line(1, {"szi": 0.5}), ": field szi must be a decimal in text, is 0.5"),
        (line(1, {"coin": ""}), "position: field coin must"),
        (line(1, {"positionValue": "0.0"}), "position: field positionValue must"),
        (line(1, {"maxLeverage": 0}), "position: field maxLeverage must"),
        (
            line(1, {"leverage": {"type": "cross", "value": 0}}),
            "position leverage: field value must",
        ),
        (
            line(1, {"leverage": {"type": "both", "value": 1}}),
            "position leverage: field type must",
        ),
        (line(1, marginSummary=[]), " marginSummary: must be an object"),
        (wrapped() | {"response": []}, " response: must be an object"),
        (
            b'{"user": ' + b"[" * 1020 + b"]" * 1020 + b"}",
            ": (must not be so deeply|field user)",
        ),
    ],
)
def test_what_is_not_as_documented_names_file_line_and_field(given, complaint):
    with pytest.raises(SourceError, match=rf"^{PATH} line 3.*{complaint}") as raised:
        balances_of(line(), line(2), given)
    assert "\n" not in str(raised.value)


def write(root, path, *given):
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in given))


def test_files_are_found_by_day(tmp_path):
    root = tmp_path / "artemis-hyperliquid-data"
    days = [PATH.replace("/26/", f"/{day}/") for day in (25, 26, 27)]
    second = PATH.replace("part-0", "part-1")
    for path in (*days, second, PATH.replace("/26/", "/99/"), PATH + ".tmp"):
        write(root, path, line())
    archive = artemis_balances(str(tmp_path))
    assert balance_files(archive, date(2026, 1, 26), date(2026, 1, 27)) == {
        date(2026, 1, 26): [PATH, second]
    }
    assert list(balance_files(archive)) == [date(2026, 1, day) for day in (25, 26, 27)]


def test_a_file_is_read_under_its_own_day(tmp_path):
    write(tmp_path, PATH, {"_metadata": True}, *(line(n) for n in range(1, AT_ONCE + 10)))
    read_back = read(Archive(str(tmp_path)), PATH)
    assert read_back.positions.num_rows == read_back.accounts == AT_ONCE + 9
    assert read_back.positions["snapshot_ts"].unique().to_pylist() == [END]


def test_a_file_that_ends_within_a_line_is_refused(tmp_path):
    write(tmp_path, PATH, line(), line(2))
    file = tmp_path / PATH
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(SourceError, match=rf"^{PATH} line 2: must be JSON"):
        read(Archive(str(tmp_path)), PATH)


def test_a_path_that_names_no_day_is_refused(tmp_path):
    assert day_of("raw/perp_and_spot_balances/2026/02/30/a.jsonl") is None
    with pytest.raises(SourceError, match="must be raw/perp_and_spot_balances/YYYY/MM/DD/"):
        read(Archive(str(tmp_path)), "a.jsonl")


@given(body=st.binary(max_size=50), size=st.integers(1, 7))
def test_lines_are_the_same_however_the_file_comes(body, size):
    class Slow(io.BytesIO):
        def read(self, wanted=-1):
            return super().read(size)

    split = body.split(b"\n")
    assert list(lines(Slow(body), "f")) == (split if split[-1] else split[:-1])


def test_a_line_that_does_not_end_is_refused_before_it_fills_the_memory():
    class Endless(io.BytesIO):
        given = 0

        def read(self, size=-1):
            Endless.given += size
            return b"x" * size

    with pytest.raises(SourceError, match=r"^f line 1: must be shorter than"):
        list(lines(Endless(), "f"))
    assert Endless.given <= LONGEST + 2 * CHUNK


MEMORY = """
import resource, sys
from datetime import date
import orjson
from pipelines.sources.artemis_balance_lines import to_balances
from pipelines.sources.artemis_balances import end_of

one = orjson.loads(sys.argv[1])

def made():
    for holder in range(100_000):
        yield orjson.dumps(one | {"user": f"0x{holder:040x}"})

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = to_balances(made(), "f", end_of(date(2026, 1, 26))).positions
assert rows.num_rows == 300_000, rows.num_rows
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.slow
def test_a_snapshot_of_300_000_positions_needs_less_than_half_a_gigabyte():
    many = line(1, {}, {"coin": "ETH"}, {"coin": "SOL"})
    command = [sys.executable, "-c", MEMORY, orjson.dumps(many).decode()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 512


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
# What each name may hold in a mutated line: junk, or what is nearly right.
near = st.sampled_from(
    ["0", "-0", "1e99", "-1e-99", "9" * 24, "NaN", "1_0", "٣", "", "\x00", 0, -1, 2**63, 1e300]
)


@given(
    junk=json_values | near,
    name=st.sampled_from([*POSITION, "user", "assetPositions", "marginSummary", "time"]),
    shape=st.sampled_from([line, wrapped]),
    drop=st.booleans(),
)
@MANY
def test_a_mutated_line_is_refused_or_keeps_the_contract(junk, name, shape, drop):
    given = shape(1, {name: junk}) if name in POSITION else shape() | {name: junk}
    if drop:
        held = given["assetPositions"] if "response" not in given else []
        for each in held if isinstance(held, list) else []:
            if isinstance(each, dict) and isinstance(each.get("position"), dict):
                each["position"].pop(name, None)
        given.pop(name, None)
    with suppress(SourceError, orjson.JSONEncodeError):
        landable(balances_of(given).positions)


@given(
    place=st.integers(0, 400),
    junk=st.binary(min_size=1, max_size=3)
    | st.sampled_from(
        [b"[" * 1500, b"\\ud800", b"NaN", b"Infinity", b"-", b'"', b"\xff", b"9" * 400]
    ),
    cut=st.integers(0, 3),
)
@MANY
def test_broken_bytes_are_refused_or_keep_the_contract(place, junk, cut):
    body = orjson.dumps(line(1, marginSummary={"accountValue": "1.0"}, time=MS))
    with suppress(SourceError):
        landable(balances_of(body[:place] + junk + body[place + cut :]).positions)
