"""No argument becomes SQL: what is hostile is a value, and is not found or refused."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from tests.cli.inside import refused, run
from tests.effort import THOROUGH
from tests.rows import T0, land_snapshot, position
from warehouse import ask, cohorts, flow, open_lake
from warehouse.joint_map import joint_map
from warehouse.marts.refresh import refresh
from warehouse.sandbox import select
from warehouse.survival.ask import survival

HOUR = timedelta(hours=1)
LATER = T0 + 2 * HOUR
# Each would leave a file behind, or take a view away, if it were run.
HOSTILE = [
    "BTC'; copy (select 1) to '{canary}'; --",
    "BTC') ; copy (select 1) to '{canary}'; --",
    "BTC', now()) ; drop view positions; --",
    "' or 1=1 --",
    "' union all select * from positions --",
    '"; drop view positions; --',
    "$at",
    "{canary}",
    "BTC\\'; drop view positions; --",
    "BTC\x00'; drop view positions; --",
    "BTC/*",
    "%s%n{{}}",
    "'||(select 1)||'",
    "＇; drop view positions; --",
]


def made(lake, coin="BTC"):
    for hour in (0, 1):
        rows = [
            position(name, holder, size, 100.0, 100.0 - 10 * size, leverage=5.0)
            for name in {coin, "ETH"}
            for holder, size in ((1, 1.0), (2, -1.0))
        ]
        land_snapshot(lake, rows, T0 + hour * HOUR)
    return lake


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    return made(tmp_path_factory.mktemp("lake"))


@pytest.fixture(scope="module")
def con(lake):
    with open_lake(lake) as con:
        yield con


def held(lake):
    return {path: path.read_bytes() for path in Path(lake).rglob("*") if path.is_file()}


@pytest.fixture
def unharmed(lake, tmp_path):
    """Where a hostile word would write to; afterwards all is as it was."""
    before = held(lake)
    canary = tmp_path / "canary"
    yield canary
    assert not canary.exists()
    assert held(lake) == before


PYTHON = {
    "liquidation_map": lambda con, word: ask.liquidation_map(con, word, LATER),
    "liquidation_clusters": lambda con, word: ask.liquidation_clusters(con, word, LATER),
    "cascade_scenarios": lambda con, word: ask.cascade_scenarios(con, word, LATER),
    "leverage_regime": lambda con, word: ask.leverage_regime(con, word, LATER),
    "map_coverage": lambda con, word: ask.map_coverage(con, word, LATER),
    "map_changes": lambda con, word: cohorts.map_changes(con, word, T0, LATER),
    "mass_decay": lambda con, word: cohorts.mass_decay(con, word, T0, LATER),
    "liquidation_risk": lambda con, word: cohorts.liquidation_risk(con, word, LATER),
    "liquidation_flow": lambda con, word: flow.liquidation_flow(con, word, T0, LATER),
    "cascades": lambda con, word: flow.cascades(con, word, T0, LATER),
    "joint_map": lambda con, word: joint_map(con, word, LATER),
    "joint_map, betas": lambda con, word: joint_map(con, "BTC", LATER, betas={word: 1.0}),
    "survival": lambda con, word: survival(con, T0, LATER, word),
    "survival, by": lambda con, word: survival(con, T0, LATER, by=word),
    "survival, begun": lambda con, word: survival(con, T0, LATER, begun=[word]),
}


@pytest.mark.parametrize("name", PYTHON)
def test_python_takes_a_hostile_word_for_a_name(con, unharmed, name):
    for word in HOSTILE if THOROUGH else HOSTILE[::4]:
        with pytest.raises((LookupError, ValueError, duckdb.InvalidInputException)) as raised:
            PYTHON[name](con, word.format(canary=unharmed))
        assert "is not " in str(raised.value)
    assert con.sql("select count(*) from positions").fetchall() == [(8,)]


AT = ("--at", f"{LATER:%Y-%m-%dT%H:%MZ}")
OVER = ("--from", f"{T0:%Y-%m-%dT%H:%MZ}", "--to", f"{LATER:%Y-%m-%dT%H:%MZ}")
VERBS = [
    ("map", "?", *AT),
    ("map", "BTC", "--at", "?"),
    ("map", "BTC", *AT, "--width", "?"),
    ("coverage", "?", *AT),
    ("scenarios", "?", *AT),
    ("scenarios", "BTC", *AT, "--pct", "?"),
    ("changes", "?", *OVER),
    ("changes", "BTC", *OVER, "--width", "?"),
    ("risk", "?", *AT),
    ("risk", "all", "--at", "?"),
    ("joint-map", "?", *AT),
    ("joint-map", "BTC", *AT, "--beta", "?=1"),
    ("flow", "?", *OVER),
    ("flow", "BTC", *OVER, "--every", "?"),
    ("flow", "BTC", "--from", "?", *OVER[2:]),
    ("cascades", "?", *OVER),
    ("survival", "?", *OVER),
    ("survival", *OVER, "--by", "?"),
    ("report", "--coin", "?"),
    ("report", "--at", "?"),
    ("compact", "--table", "?"),
    ("marts", "--from", "?"),
    ("gaps", "--table", "?"),
    ("gaps", "--source", "?"),
    ("check", "--freshness", "--table", "?"),
]


@pytest.mark.parametrize("verb", VERBS, ids=[" ".join(verb[:2]) + verb[-1] for verb in VERBS])
def test_so_does_the_command_line(lake, unharmed, verb):
    for word in HOSTILE if THOROUGH else HOSTILE[:1]:
        given = word.format(canary=unharmed)
        done = run(*(part.replace("?", given) for part in verb), lake=lake)
        # A source that the lake does not know has no gaps.
        assert done.returncode in ((2, 0) if "--source" in verb else (2,))
        assert done.returncode == 0 or refused(done)


FOLDERS = ["it's", 'a "lake"', "a; drop view positions; --", "a') union all select (1", "$1 {}"]


@pytest.mark.parametrize(
    "name", [FOLDERS[0], *(pytest.param(name, marks=pytest.mark.slow) for name in FOLDERS[1:])]
)
def test_a_lake_may_be_called_anything(tmp_path, name):
    lake = made(tmp_path / name)
    assert refresh(lake).rows > 0
    done = run("sql", "select count(*) as n from positions", "--json", lake=lake)
    assert (done.returncode, "8" in done.stdout) == (0, True), done.stderr
    assert run("map", "BTC", *AT, lake=lake).returncode == 0
    assert run("compact", "--grace", "0s", lake=lake).returncode == 0
    assert run("check", "--files", lake=lake).returncode == 0
    file = tmp_path / f"{name}.duckdb"
    done = run("export-catalog", file, lake=lake)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(file), read_only=True) as con:
        assert con.sql("select count(*) from positions").fetchall() == [(8,)]
    page = tmp_path / f"{name}.html"
    assert run("report", "--coin", "BTC", "--to", page, lake=lake).returncode == 0
    assert page.exists()


COINS = ["x'; drop view positions; -- <b>&amp;", 'a"b', "$1"]


@pytest.mark.parametrize(
    "coin", [COINS[0], *(pytest.param(coin, marks=pytest.mark.slow) for coin in COINS[1:])]
)
def test_so_may_a_coin(tmp_path, coin):
    """Rows come from others: what they call a coin is a value everywhere."""
    lake = made(tmp_path / "lake", coin)
    with open_lake(lake) as con:
        wanted = ask.liquidation_map(con, coin, LATER).rows
        assert len(wanted) == 2
        assert joint_map(con, coin, LATER, betas={coin: 2.0}).joint_positions.num_rows == 4
        assert cohorts.map_changes(con, coin, T0, LATER).rows
        survival(con, T0, LATER, coin, by="coin")
    refresh(lake)
    with open_lake(lake) as con:
        assert ask.liquidation_map(con, coin, LATER).rows == wanted
    assert run("map", coin, *AT, lake=lake).returncode == 0
    page = tmp_path / "report.html"
    assert run("report", "--coin", coin, "--to", page, lake=lake).returncode == 0
    assert "<b>&amp;" not in page.read_text()


BEYOND = [
    "from read_text('{secret}')",
    "from read_csv('{secret}')",
    "from '{secret}'",
    "from read_text('{lake}/../secret.csv')",
    "from read_text('{lake}-secret/x.csv')",
    "from glob('{folder}/*')",
    "select * from read_parquet('{folder}/*/*.parquet')",
    "select getenv('HOME')",
    "from query('copy (select 1) to ''{canary}''')",
    "from sqlite_scan('{secret}', 't')",
    "select * from which_secret('s3://x', 's3')",
]
NO_SELECT = [
    "copy (select 1) to '{canary}'",
    "copy positions to '{canary}'",
    "attach '{canary}' as other",
    "create table x as select 1",
    "create or replace view positions as select 1",
    "drop view positions",
    "insert into promised.positions select * from positions",
    "delete from promised.positions",
    "set enable_external_access = true",
    "pragma database_list",
    "install httpfs",
    "load httpfs",
    "export database '{canary}'",
    "call pragma_version()",
    "checkpoint",
    "select 1; copy (select 1) to '{canary}'",
    "explain analyze copy (select 1) to '{canary}'",
    "prepare x as select 1",
    "with x as (select 1) insert into promised.positions select * from x",
]


@pytest.fixture
def places(lake, unharmed):
    folder = unharmed.parent
    beside = Path(f"{lake}-secret")
    beside.mkdir(exist_ok=True)
    (beside / "x.csv").write_text("secret\n")
    (Path(lake).parent / "secret.csv").write_text("secret\n")
    (folder / "secret.csv").write_text("secret\n")
    return {
        "lake": lake,
        "folder": folder,
        "secret": folder / "secret.csv",
        "canary": unharmed,
    }


@pytest.mark.parametrize("query", BEYOND)
def test_sql_reads_nothing_beyond_the_lake(lake, places, query):
    with pytest.raises(duckdb.Error):
        select(lake, query.format(**places)).fetchall()


@pytest.mark.parametrize("query", NO_SELECT)
def test_sql_does_nothing_but_read(lake, places, query):
    with pytest.raises((ValueError, duckdb.Error)):
        select(lake, query.format(**places)).fetchall()
