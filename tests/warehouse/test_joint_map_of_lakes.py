"""The joint map of a lake: which rows it is solved from, and how it is asked for."""

from datetime import timedelta

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from tests.rows import T0, account, land_snapshot, land_tiers, position
from tests.warehouse.joint_books import BOOK, LADDERS, held_by
from undertow import cli
from warehouse import open_lake
from warehouse.joint_map import joint_map
from warehouse.margin import Tier


@pytest.fixture
def lake(tmp_path):
    """Two accounts a day apart, and margin tiers known from the beginning."""
    root = str(tmp_path / "lake")
    land_tiers(root, LADDERS)
    land_snapshot(root, landed(60_000.0), T0, known_after=timedelta(hours=2))
    return root


def landed(value):
    return [
        position(
            coin=row["coin"],
            holder=1,
            size=row["size"],
            mark_px=row["mark_px"],
            liquidation_px=row["liquidation_px"],
            leverage_type="cross",
        )
        for row in held_by(account(1), BOOK, value)
    ]


def asked(root, at, **others):
    with open_lake(root) as con:
        answer = joint_map(con, "BTC", at, **others)
        named = [
            con.sql(f"select count(*) from {name}").fetchall()[0][0] for name in answer._fields
        ]
        assert named == [table.num_rows for table in answer]
        return pl.from_arrow(answer.joint_map)


def test_sql_can_ask_what_was_solved(lake):
    with open_lake(lake) as con:
        joint_map(con, "BTC", T0, width_pct=5.0)
        rows = con.sql(
            "select coin, low_pct, high_pct, positions from joint_map order by coin"
        ).fetchall()
        assert rows == [("BTC", 20.0, 25.0, 1), ("ETH", 20.0, 25.0, 1)]
        joint_map(con, "BTC", T0, width_pct=1.0)
        assert con.sql("select low_pct from joint_map limit 1").fetchall() == [(23.0,)]


def test_an_untrusted_snapshot_answers_when_asked_to(lake):
    later = T0 + timedelta(hours=1)
    land_snapshot(lake, landed(90_000.0), later, trusted=False)
    assert asked(lake, later).equals(asked(lake, T0))
    answer = asked(lake, later, untrusted=True)
    assert answer["snapshot_ts"].unique().to_list() == [later]
    assert not answer.equals(asked(lake, T0, untrusted=True))


def test_later_rows_change_no_answer(lake):
    before = asked(lake, T0 + timedelta(hours=3))
    assert before.height == 2
    assert asked(lake, T0 + timedelta(hours=1), knowable=True).height == 0
    assert asked(lake, T0 - timedelta(hours=1)).height == 0
    later = T0 + timedelta(hours=4)
    land_snapshot(lake, landed(90_000.0), later)
    land_tiers(lake, {"BTC": [Tier(0, 3)]}, later, "later")
    assert asked(lake, T0 + timedelta(hours=3)).equals(before)
    assert asked(lake, T0 + timedelta(hours=3), knowable=True).equals(before)
    assert not asked(lake, T0 + timedelta(hours=5)).equals(before)


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ({"width_pct": 0.0}, "width_pct 0.0 is not allowed"),
        ({"width_pct": -1.0}, "use 0.0001 to 100"),
        ({"others": 11.0}, "beta 11.0 of other coins is not allowed; use -10 to 10"),
        ({"betas": {"ETH": float("nan")}}, "beta nan of ETH"),
        ({"betas": {"EHT": 1.0}}, "coin 'EHT' is not known by then; .* near it: ETH"),
        ({"at": T0.replace(tzinfo=None)}, "has no time zone"),
    ],
)
def test_bad_input_is_one_line(lake, others, says):
    at = others.pop("at", T0)
    with (
        open_lake(lake) as con,
        pytest.raises((ValueError, duckdb.InvalidInputException), match=says),
    ):
        joint_map(con, "BTC", at, **others)


def test_the_command_line_prints_it(lake):
    args = ["joint-map", "BTC", "--at", T0.isoformat(), "--lake", lake, "--beta", "ETH=0.5"]
    done = CliRunner().invoke(cli, [*args, "--json"])
    assert '"direction": "down"' in done.stdout
    assert "solved 1 (140,000 USD)" in done.stderr
    assert "allowed; write it as ETH=1.2" in str(
        CliRunner().invoke(cli, [*args, "--beta", "ETH"]).exception
    )
