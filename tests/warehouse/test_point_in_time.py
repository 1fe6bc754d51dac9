"""The future cannot change the past: what comes later never changes an answer."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import T0, hold, land_snapshot, position, snapshot
from warehouse import open_lake
from warehouse.contracts.tables import SNAPSHOTS

MACROS = {
    "snapshot_at": "from snapshot_at('BTC', $at, knowable := $knowable)",
    "states_at": "from states_at('BTC', $at, knowable := $knowable) order by account",
    "positions_at": "from positions_at('BTC', $at, knowable := $knowable) order by account",
    "current_px": "from current_px('BTC', $at, knowable := $knowable)",
    "liquidation_map": "from liquidation_map('BTC', $at, knowable := $knowable)",
    "liquidation_clusters": "from liquidation_clusters('BTC', $at, knowable := $knowable)",
    "cascade_scenarios": "from cascade_scenarios('BTC', $at, knowable := $knowable)",
    "leverage_regime": "from leverage_regime('BTC', $at, knowable := $knowable)",
    "map_coverage": "from map_coverage('BTC', $at, knowable := $knowable)",
}
LAG = timedelta(hours=30)
AT = T0 + timedelta(days=4, hours=5)


@pytest.fixture(scope="module")
def empty_lake(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        yield con


@pytest.fixture(scope="module")
def three_days(tmp_path_factory):
    lake = tmp_path_factory.mktemp("three")
    land_days(lake, (0, 24, 48))
    with open_lake(lake) as con:
        yield con


def answers(lake, knowable):
    asked = {"at": AT, "knowable": knowable}
    with open_lake(lake) as con:
        return {name: con.sql(query, params=asked).fetchall() for name, query in MACROS.items()}


def book(seed):
    return [
        position(
            holder=n, size=s, mark_px=100.0 + seed, liquidation_px=(100 + seed) * (1 - s / 50)
        )
        for n, s in enumerate([1.0, 2.5, -1.5, -4.0 - seed % 3], start=1)
    ]


def land_days(lake, hours):
    for hour in hours:
        land_snapshot(lake, book(hour), T0 + timedelta(hours=hour), known_after=LAG)


def test_every_macro_is_held_to_it():
    from warehouse import catalog

    # What is wrong with a window is found when somebody looks, mostly after it.
    others = {"incidents_at"}
    made = {made.name for made in catalog.definitions("table macro")}
    assert set(MACROS) | others == made


@pytest.mark.parametrize("knowable", [False, True])
def test_later_snapshots_change_no_answer(tmp_path, knowable):
    horizon = AT - LAG if knowable else AT
    hours = range(0, 24 * 8, 12)
    past = [hour for hour in hours if T0 + timedelta(hours=hour) <= horizon]
    land_days(tmp_path, past)
    before = answers(tmp_path, knowable)
    assert all(before.values())
    land_days(tmp_path, [hour for hour in hours if hour not in past])
    assert answers(tmp_path, knowable) == before


@pytest.mark.parametrize("knowable", [False, True])
def test_a_leak_would_be_seen(tmp_path, knowable, monkeypatch):
    """Plant the leak: a catalog whose snapshots are all as old as the first."""
    from warehouse import catalog

    real = list(catalog.definitions())
    leaky = [
        made._replace(body=made.body.replace("s.snapshot_ts <= q.at_asked", "true"))
        if made.name == "snapshot_at"
        else made
        for made in real
    ]
    leaky = [
        made._replace(body=made.body.replace("s.day <= ", "true or s.day <= "))
        for made in leaky
    ]
    leaky = [
        made._replace(
            body=made.body.replace("not q.knowable_asked or s.known", "true or s.known")
        )
        for made in leaky
    ]
    assert leaky != real
    monkeypatch.setattr(catalog, "definitions", lambda kind=None: iter(leaky))
    with pytest.raises(AssertionError):
        test_later_snapshots_change_no_answer(tmp_path, knowable)


# Names that our own tables and macros use inside: none may be taken for ours.
ALIASES = ("a", "c", "h", "m", "n", "p", "q", "s", "t", "asked")
COLUMNS = ("snapshot_ts", "day", "known_ts", "context_ts")


@pytest.mark.parametrize("name", MACROS)
@pytest.mark.parametrize("alias", ALIASES)
def test_arguments_may_be_columns_of_any_table(three_days, name, alias):
    """Each moment of a lateral join is answered as if it were asked for alone."""
    for number, column in enumerate(COLUMNS):
        argument = column if number else f"{alias}.{column}"
        macro = f"{name}('BTC', {argument})"
        moments = [T0 + timedelta(hours=hours) for hours in (1, 25, 49)]
        together = three_days.sql(
            f"select answer.* from (select unnest($moments) as {column}) as {alias}, lateral "
            f"(select count(*) as rows, min(snapshot_ts) as newest from {macro}) as answer "
            f"order by answer.newest",
            params={"moments": moments},
        ).fetchall()
        alone = [
            three_days.sql(
                f"select count(*), min(snapshot_ts) from {name}('BTC', $at)", params={"at": at}
            ).fetchall()[0]
            for at in moments
        ]
        assert together == alone
        assert len({ts for _, ts in alone}) == 3


@pytest.mark.parametrize("name", [name for name in MACROS if name != "snapshot_at"])
def test_a_coin_may_be_a_column_too(three_days, name):
    at = {"at": T0 + timedelta(hours=49)}
    together = three_days.sql(
        f"select p.coin, answer.n from (select unnest(['BTC', 'ETH']) as coin) as p, lateral "
        f"(select count(*) as n from {name}(p.coin, $at)) as answer order by p.coin",
        params=at,
    ).fetchall()
    alone = [
        three_days.sql(f"select count(*) from {name}('{coin}', $at)", params=at).fetchall()[0]
        for coin in ("BTC", "ETH")
    ]
    assert [(n,) for _, n in together] == alone
    assert alone[0] != (0,)


@given(
    hours=st.lists(st.integers(0, 200), min_size=1, max_size=6, unique=True),
    asked=st.integers(0, 220),
    knowable=st.booleans(),
)
def test_the_newest_of_what_could_be_known_answers(empty_lake, hours, asked, knowable):
    taken = [T0 + timedelta(hours=hour) for hour in hours]
    hold(empty_lake, SNAPSHOTS, [snapshot(at, known_ts=at + LAG) for at in taken])
    got = empty_lake.sql(
        "select snapshot_ts from snapshot_at('BTC', $at, knowable := $knowable)",
        params={"at": T0 + timedelta(hours=asked), "knowable": knowable},
    ).fetchall()
    lag = LAG if knowable else timedelta(0)
    known = [at for at in taken if at + lag <= T0 + timedelta(hours=asked)]
    assert got == ([(max(known),)] if known else [])


@pytest.mark.parametrize("knowable", [False, True])
def test_later_fills_and_contexts_change_no_answer(tmp_path, knowable):
    from tests.rows import batch
    from warehouse.contracts.tables import ASSET_CONTEXTS, FILLS
    from warehouse.store import land

    land_days(tmp_path, [0])
    before = answers(tmp_path, knowable)
    row = {column.name: None for column in ASSET_CONTEXTS.columns} | {
        "venue": "hyperliquid",
        "coin": "BTC",
        "context_ts": AT + timedelta(microseconds=1),
        "mark_px": 1.0,
        "source": "test",
        "known_ts": AT + timedelta(microseconds=1),
    }
    land(tmp_path, ASSET_CONTEXTS, batch(ASSET_CONTEXTS, [row]), "later")
    fill = {
        "time_ts": AT + timedelta(seconds=1),
        "coin": "BTC",
        "account": "0x" + "1" * 40,
        "px": 1.0,
        "size": 1.0,
        "is_buy": True,
        "start_position": 0.0,
        "direction": "Open Long",
        "closed_pnl": 0.0,
        "fee": 0.0,
        "fee_token": "USDC",
        "trade_id": 1,
        "order_id": 1,
        "is_taker": True,
        "liquidation_method": None,
        "liquidated_account": None,
        "liquidation_mark_px": None,
        "source": "test",
        "known_ts": AT + timedelta(seconds=1),
    }
    land(tmp_path, FILLS, batch(FILLS, [fill]), "later")
    assert answers(tmp_path, knowable) == before
