"""A macro's arguments may be columns of any table: a moment, a coin, of a lateral join."""

from datetime import timedelta

import pytest

from tests.rows import T0, land_snapshot, land_tiers, position
from warehouse import open_lake
from warehouse.margin import Tier

MACROS = (
    "snapshot_at",
    "states_at",
    "positions_at",
    "dex_positions_at",
    "current_px",
    "liquidation_map",
    "liquidation_clusters",
    "cascade_scenarios",
    "leverage_regime",
    "map_coverage",
    "map_dependence",
)
# Names that our own tables and macros use inside: none may be taken for ours.
ALIASES = ("a", "c", "h", "m", "n", "p", "q", "s", "t", "asked")
COLUMNS = ("snapshot_ts", "day", "known_ts", "context_ts")
ARGUMENTS = [(alias, COLUMNS[0], f"{alias}.{COLUMNS[0]}") for alias in ALIASES]
ARGUMENTS += [("asked", column, column) for column in COLUMNS[1:]]


@pytest.fixture(scope="module")
def three_days(tmp_path_factory):
    lake = tmp_path_factory.mktemp("three")
    for hour in (0, 24, 48):
        land_snapshot(lake, book(hour), T0 + timedelta(hours=hour))
    land_tiers(lake, {"ETH": [Tier(0.0, 25.0)]})  # known, and held by nobody
    with open_lake(lake) as con:
        yield con


def book(seed):
    return [
        position(
            holder=n, size=s, mark_px=100.0 + seed, liquidation_px=(100 + seed) * (1 - s / 50)
        )
        for n, s in enumerate([1.0, 2.5, -1.5, -4.0 - seed % 3], start=1)
    ]


@pytest.mark.parametrize("name", MACROS)
def test_each_moment_is_answered_as_if_it_were_asked_for_alone(three_days, name):
    moments = [T0 + timedelta(hours=hours) for hours in (1, 25, 49)]
    alone = [
        three_days.sql(
            f"select count(*), min(snapshot_ts) from {name}('BTC', $at)", params={"at": at}
        ).fetchall()[0]
        for at in moments
    ]
    assert len({ts for _, ts in alone}) == 3
    for alias, column, argument in ARGUMENTS:
        together = three_days.sql(
            f"select answer.* from (select unnest($moments) as {column}) as {alias}, lateral "
            f"(select count(*) as rows, min(snapshot_ts) as newest "
            f"from {name}('BTC', {argument})) as answer order by answer.newest",
            params={"moments": moments},
        ).fetchall()
        assert together == alone, argument


@pytest.mark.parametrize(
    "name", [name for name in MACROS if name not in ("snapshot_at", "dex_positions_at")]
)
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
