"""Which coins a lake knows, and since when: of every row that counts, before it counts."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Barrier, Thread

import pyarrow as pa
import pytest

from tests.rows import T0, batch, position
from tests.warehouse.market_rows import row_of
from warehouse import open_lake
from warehouse.contracts.coins import COINS, TOLD_BY
from warehouse.contracts.tables import CANDLES, INSTRUMENTS, POSITIONS, TABLES
from warehouse.store import Lake, Origin, coins, land, landing, parts_of
from warehouse.store.compaction import compact
from warehouse.store.files import UNHEARD, bad_files
from warehouse.store.local import LocalLake
from warehouse.store.whole import Unreadable

HOUR = timedelta(hours=1)
# What the lake or a backtest makes of what sources tell.
MADE = {
    "liquidation_levels",
    "margin_errors",
    "backtest_runs",
    "backtest_trades",
    "backtest_equity",
    "backtest_studies",
    "backtest_placebos",
    "backtest_trials",
}


def row(coin="BTC", at=T0, late=0 * HOUR):
    return position(coin, snapshot_ts=at, known_ts=at + late)


def put(lake, *rows, part="a", origins=(), received=T0):
    land(lake, POSITIONS, batch(POSITIONS, list(rows)), part, origins, lambda: received)


def known(lake):
    """Return ``{coin: (first_ts, first_known_ts)}`` in hours since T0."""
    return {
        one["coin"]: ((one["first_ts"] - T0) / HOUR, (one["first_known_ts"] - T0) / HOUR)
        for one in coins.coins_of(Lake.at(lake)).to_pylist()
    }


def test_every_table_of_a_coin_is_told_by_a_source_or_made():
    of_coins = {table.name for table in TABLES if "coin" in table.schema.names}
    assert of_coins - MADE == {table.name for table in TOLD_BY}
    assert all("known_ts" in table.schema.names for table in TOLD_BY)


def test_a_landing_tells_of_its_coins(lake):
    put(lake, row("BTC", late=3 * HOUR), row("ETH", T0 + HOUR))
    assert known(lake) == {"BTC": (0, 3), "ETH": (1, 1)}
    with open_lake(lake) as con:
        assert con.sql("from coins order by coin").to_arrow_table() == coins.coins_of(
            Lake.at(lake)
        ).replace_schema_metadata().cast(con.sql("from coins").to_arrow_table().schema)


def test_known_coins_are_not_written_again(lake, monkeypatch):
    put(lake, row("BTC"))
    monkeypatch.setattr(coins, "hear", None)  # would be called
    put(lake, row("BTC", T0 + HOUR), part="b")
    put(lake, row("BTC"))
    land(lake, INSTRUMENTS, batch(INSTRUMENTS, []), "none")
    monkeypatch.undo()
    assert known(lake) == {"BTC": (0, 0)}


def test_of_an_earlier_day_a_coin_is_known_from_then_on(lake):
    put(lake, row(at=T0 + 30 * HOUR))
    put(lake, row(at=T0 - 30 * HOUR, late=90 * HOUR), part="b")
    assert known(lake) == {"BTC": (-30, 30)}
    put(lake, row(at=T0 - 2 * HOUR, late=HOUR), part="c")
    assert known(lake) == {"BTC": (-30, -1)}


def test_a_row_known_before_it_happened_is_known_when_it_happened(lake):
    values = {"coin": "BTC", "effective_ts": T0 + 5 * HOUR, "known_ts": T0}
    rules = {"max_leverage": 5.0, "margin_tiers": [{"lower_bound": 0.0, "max_leverage": 5.0}]}
    land(lake, INSTRUMENTS, batch(INSTRUMENTS, [row_of(INSTRUMENTS, **values, **rules)]), "a")
    assert known(lake) == {"BTC": (5, 5)}


@pytest.mark.parametrize(("word", "end"), [("1h", 1), ("15m", 0.25), ("1d", 24), ("1w", 2)])
def test_a_bar_has_happened_at_its_end(tmp_path, word, end):
    """Of a length that is no such word it is told when it was known."""
    px = dict.fromkeys(("open_px", "high_px", "low_px", "close_px"), 1.0)
    about = {"venue": "v", "coin": "BTC", "interval": word, "start_ts": T0}
    bar = row_of(CANDLES, **about, **px, known_ts=T0 + 2 * HOUR)
    land(tmp_path, CANDLES, batch(CANDLES, [bar]), "a")
    assert known(tmp_path) == {"BTC": (end, max(end, 2))}


def test_a_correction_makes_a_coin_knowable_when_it_was_received(lake):
    put(lake, row("BTC"), origins=[Origin("u", 1, "old")])
    corrected = {"origins": [Origin("u", 1, "new")], "received": T0 + 9 * HOUR}
    put(lake, row("ETH"), **corrected)
    assert known(lake) == {"BTC": (0, 0), "ETH": (0, 9)}
    put(lake, row("ETH"), **corrected)
    assert known(lake) == {"BTC": (0, 0), "ETH": (0, 9)}


def test_what_a_check_refused_is_not_heard_of(tmp_path):
    with landing(tmp_path) as batches:
        for coin in ("BTC", "NOPE"):
            batches.land(POSITIONS, batch(POSITIONS, [row(coin)]), coin.lower())
        batches.drop([draft.key for draft in batches.drafts if draft.part == "nope"])
    assert known(tmp_path).keys() == {"BTC"}


class Killed(Exception):
    """In place of a kill."""


@pytest.mark.parametrize("nth", range(3))
def test_killed_at_any_write_every_coin_that_counts_is_known(tmp_path, monkeypatch, nth):
    """Writes are: the coins, the parts' files, the ledger; a superset may be left."""
    calls, whole = count(), {name: getattr(LocalLake, name) for name in ("swap", "publish")}

    def mortal(name):
        def call(self, *given):
            if name == "swap" and given[0] != coins.PATH:
                inner = given[1]

                def late(body):
                    out = inner(body)
                    die()
                    return out

                return whole[name](self, given[0], late)
            out = whole[name](self, *given)
            die()
            return out

        return call

    def die():
        if next(calls) == nth:
            raise Killed

    for name in whole:
        monkeypatch.setattr(LocalLake, name, mortal(name))
    with pytest.raises(Killed):
        put(tmp_path, row("BTC"))
    monkeypatch.undo()
    assert known(tmp_path) == {"BTC": (0, 0)}
    assert parts_of(Lake.at(tmp_path)).num_rows == 0
    put(tmp_path, row("BTC"))
    assert parts_of(Lake.at(tmp_path)).num_rows == 1


def test_writers_at_once_lose_no_coin(lake):
    barrier, names = Barrier(4), [f"C{number}" for number in range(12)]

    def write(some):
        barrier.wait()
        for coin in some:
            put(lake, row(coin), part=coin.lower())

    threads = [Thread(target=write, args=(names[nth::4],)) for nth in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert known(lake).keys() == set(names)
    assert parts_of(Lake.at(lake)).num_rows == 12


def test_a_reader_that_opens_while_a_coin_is_landed_knows_it(tmp_path, monkeypatch):
    """The ledger is read first: what it lists was heard of before."""
    put(tmp_path, row("ETH"))
    read, landed = LocalLake.read, []

    def meanwhile(self, path):
        body = read(self, path)
        if path.endswith("parts.parquet") and not landed:
            landed.append(path)
            put(tmp_path, row("BTC"), part="b")
        return body

    monkeypatch.setattr(LocalLake, "read", meanwhile)
    with open_lake(tmp_path) as con:
        held = {coin for (coin,) in con.sql("select coin from positions").fetchall()}
        heard = {coin for (coin,) in con.sql("select coin from coins").fetchall()}
    assert landed
    assert held <= heard


def rewritten(lake, change):
    """Let the file of coins say something else, as no landing does."""
    held = coins.coins_of(Lake.at(lake))
    Path(lake, coins.PATH).unlink()
    if (after := change(held)).num_rows:
        coins.hear(Lake.at(lake), [after])


@pytest.mark.parametrize("compacted", [False, True])
def test_a_coin_that_is_held_and_not_known_is_found_and_mended(tmp_path, compacted):
    put(tmp_path, row("BTC"), row("ETH"))
    put(tmp_path, row("ETH", T0 + HOUR), part="b")
    if compacted:
        compact(tmp_path, T0 + 24 * 9 * HOUR, wait=lambda seconds: None)
    sound = known(tmp_path)
    assert bad_files(Lake.at(tmp_path))[0] == []
    faults = (
        lambda held: held.slice(0, 0),
        lambda held: held.slice(0, 1),
        lambda held: held.set_column(
            1, "first_ts", pa.array([T0 + HOUR] * 2, COINS.schema.field("first_ts").type)
        ),
    )
    for fault in faults:
        rewritten(tmp_path, fault)
        found, _ = bad_files(Lake.at(tmp_path))
        assert {one.state for one in found} == {UNHEARD}
        put(tmp_path, row("BTC"), row("ETH"))
        put(tmp_path, row("ETH", T0 + HOUR), part="b")
        assert bad_files(Lake.at(tmp_path))[0] == []
        assert known(tmp_path) == sound


def test_a_file_of_the_ledger_that_is_damaged_is_named(tmp_path):
    put(tmp_path, row("BTC"))
    for path in (coins.PATH, "_ledger/parts.parquet"):
        place = Path(tmp_path, path)
        sound = place.read_bytes()
        torn = [sound[:-40], b"", sound[:8] + bytes(60) + sound[68:]]
        for body in torn:
            place.write_bytes(body)
            with pytest.raises(
                Unreadable, match=f"{path} is no whole Parquet file: "
            ) as raised:
                open_lake(tmp_path)
            assert "\n" not in str(raised.value)
            with pytest.raises(Unreadable, match=path):
                put(tmp_path, row("ETH"), part="b")
            assert place.read_bytes() == body
        place.write_bytes(sound)
    put(tmp_path, row("ETH"), part="b")
    assert known(tmp_path).keys() == {"BTC", "ETH"}
