"""Maps of a real moment beside the obvious version, to 1e-9: all that Reservoir told of it.

The venue's open interest is real too, and so are the fills that tell what one of the accounts
earned in October.
"""

from datetime import date, timedelta

import pytest

from pipelines.steps.fills import land_hourly_fills
from pipelines.steps.market import land_market
from pipelines.steps.positions import land_reservoir
from tests.reference import cohorts, maps
from tests.reference.maps import bucket
from tests.reference.sweeps import Question
from tests.warehouse.data_cohorts import rows_of
from warehouse import open_lake

AGE = timedelta(hours=26)
COINS = ("BTC", "ETH", "SOL", "HYPE")
DAY = {"since": date(2026, 2, 5), "until": date(2026, 2, 6)}


def near(value):
    return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def lake(real, tmp_path_factory):
    """The open lake, its rows of the last snapshot's day, and its moment."""
    folder = tmp_path_factory.mktemp("real")
    land_reservoir(str(real), folder, **DAY)
    land_market(str(real), folder, **DAY)
    land_hourly_fills(str(real), folder)
    with open_lake(folder) as con:
        ((at,),) = con.sql("select max(snapshot_ts) from snapshots").fetchall()
        rows = {
            name: rows_of(con, f"from {name}") for name in ("snapshots", "asset_contexts")
        } | {
            "accounts": [],
            "positions": rows_of(con, "from positions where snapshot_ts = $at", at=at),
            "fills": rows_of(
                con, "from fills where account in (select account from positions)"
            ),
        }
        yield con, rows, at


@pytest.fixture(scope="module")
def held(lake):
    """Every position with its coin's mark, and what its account is worth and earned."""
    _, rows, at = lake
    return cohorts.book(rows, at, AGE)


def of_coin(lake, coin):
    """Return a coin's positions, and its mark."""
    _, rows, at = lake
    asked = Question(rows, coin, at, AGE)
    return list(asked.positions().values()), asked.mark()


@pytest.mark.parametrize("coin", COINS)
def test_the_map_agrees(lake, coin):
    con, _, at = lake
    book, mark = of_coin(lake, coin)
    found = rows_of(con, "from liquidation_map($coin, $at)", coin=coin, at=at)
    want = maps.liquidation_map(book, 0.5)
    assert len(found) == len(want) > 20
    for row in found:
        usd, size, count, largest = want[row["side"], bucket(row["px_low"] * (1 + 1e-9), 0.5)]
        assert (row["notional"], row["size"]) == (near(usd), near(size))
        assert (row["positions"], row["top_account_share"]) == (count, near(largest / usd))
        assert row["current_px"] == near(mark)


@pytest.mark.parametrize("coin", COINS)
@pytest.mark.parametrize("width_pct", [0.5, 3.0])
def test_clusters_agree(lake, coin, width_pct):
    con, _, at = lake
    book, mark = of_coin(lake, coin)
    query = "from liquidation_clusters($coin, $at, width_pct := $width_pct)"
    found = rows_of(con, query, coin=coin, at=at, width_pct=width_pct)
    want = maps.clusters(book, width_pct)
    names = ("side", "px_low", "px_high", "notional")
    assert [tuple(row[name] for name in names) for row in found] == [
        tuple(map(near, one)) for one in want
    ]
    assert len(found) > 10
    whole = sum(usd for *_, usd in want)
    for row in found:
        assert row["share"] == near(row["notional"] / whole)
        assert row["distance_pct"] == near((row["px"] / mark - 1) * 100)


@pytest.mark.parametrize("coin", COINS)
def test_scenarios_agree(lake, coin):
    con, _, at = lake
    book, mark = of_coin(lake, coin)
    pcts = [1, 2, 5, 10, 20, 50]
    query = "from cascade_scenarios($coin, $at, pcts := $pcts)"
    found = rows_of(con, query, coin=coin, at=at, pcts=pcts)
    assert len(found) == 2 * len(pcts)
    assert found[-1]["notional"] > 0
    for row in found:
        usd, count = maps.triggered(book, mark, row["pct"], row["direction"])
        assert (row["notional"], row["positions"]) == (near(usd), count)


@pytest.mark.parametrize("segment", ["all", "whale", "leviathan", "unknown_profit"])
def test_risk_agrees(lake, held, segment):
    con, _, at = lake
    found = rows_of(con, "from liquidation_risk($s, $at)", s=segment, at=at)
    want = cohorts.risk(held, segment)
    assert [row["coin"] for row in found] == sorted(want)
    assert found
    for row in found:
        for name, value in want[row["coin"]].items():
            assert row[name] == near(value), (row["coin"], name)


def test_segments_agree(lake, held):
    con, _, at = lake
    found = rows_of(con, "from account_segments($at)", at=at)
    own = {}
    for row in held:
        own.setdefault(row["account"], []).append(row)
    assert [row["account"] for row in found] == sorted(own)
    for row in found:
        mine = own[row["account"]]
        worth, profit = mine[0]["worth"], mine[0]["profit"]
        assert (row["account_value"], row["profit"]) == (near(worth), near(profit))
        assert row["size_segment"] == cohorts.segment("size", worth)
        assert row["profit_segment"] == cohorts.segment("profit", profit)
        assert row["positions"] == len(mine)
        usd = sum(abs(one["size"]) * one["mark_px"] for one in mine)
        assert row["notional"] == near(usd)
    assert any(row["profit"] is not None for row in found)


@pytest.mark.parametrize("coin", COINS)
@pytest.mark.parametrize("kind", ["size", "profit"])
def test_the_map_by_segment_agrees(lake, held, coin, kind):
    con, _, at = lake
    query = "from segment_map($coin, $at, kind := $kind)"
    found = rows_of(con, query, coin=coin, at=at, kind=kind)
    want = cohorts.segment_map(held, coin, 0.5, kind)
    assert len(found) == sum(len(cell) for cell in want.values()) > 20
    for row in found:
        cell = want[row["side"], bucket(row["px_low"] * (1 + 1e-9), 0.5)]
        assert row["notional"] == near(cell[row["segment"]])
        assert row["share"] == near(row["notional"] / sum(cell.values()))


@pytest.mark.parametrize("coin", COINS)
def test_coverage_agrees(lake, coin):
    """The venue's open interest is told in USD."""
    con, rows, at = lake
    asked = Question(rows, coin, at, AGE)
    context = asked.context("open_interest_notional", at, (at - AGE).timestamp())
    sums, _ = asked.coverage()
    found = rows_of(con, "from map_coverage($coin, $at)", coin=coin, at=at)
    assert len(found) == len(sums)
    for row in found:
        size, count = sums[
            row["side"], row["band"] if row["low_pct"] is None else row["low_pct"]
        ]
        assert (row["mapped_size"], row["positions"]) == (near(size), count)
        mark = context["mark_px"] or asked.mark()
        usd = size * mark
        assert row["mapped_notional"] == near(usd)
        assert row["coverage"] == near(usd / context["open_interest_notional"])
    assert sum(row["positions"] for row in found) > 0


def test_a_hundred_millionth_would_be_seen(lake):
    con, rows, at = lake
    more = [row | {"size": row["size"] * (1 + 1e-8)} for row in rows["positions"]]
    other = con, rows | {"positions": more}, at
    for agrees in (test_the_map_agrees, test_coverage_agrees, test_scenarios_agree):
        with pytest.raises(AssertionError):
            agrees(other, "BTC")
