import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from tests.rows import T0, batch
from tests.warehouse.data_sweeps import (
    TABLES,
    ask,
    fill,
    lake_of,
    sweep_at,
)
from warehouse import open_lake
from warehouse.cli import coverage
from warehouse.store import land


def test_moments_of_a_lateral_join_are_answered_as_if_asked_alone(con):
    long, short = [("BTC", 2.0, 80.0)], [("BTC", -1.0, 130.0)]
    fill(
        con,
        lake_of(
            [
                sweep_at(0, long, short),
                sweep_at(100, [], long),
                sweep_at(200, long, None, short, kind="complete"),
                sweep_at(300, None, None, []),
            ],
            [(0, 4.0, False), (250, 9.0, False)],
        ),
    )
    minutes = [-10, 0, 50, 100, 150, 200, 299, 300, 10_000]
    for macro, column in (
        ("positions_at", "size"),
        ("map_coverage", "coverage"),
        ("states_at", "epoch(state_ts)"),
        ("liquidation_map", "notional"),
    ):
        alone = [ask(con, macro, minute, "BTC", f"sum({column}) as n") for minute in minutes]
        together = con.sql(
            f"select answer.n from (select unnest($moments) as at) as m, lateral "
            f"(select sum({column}) as n from {macro}('BTC', m.at)) as answer order by m.at",
            params={"moments": [T0 + timedelta(minutes=minute) for minute in minutes]},
        ).fetchall()
        assert [one for (one,) in together] == [one["n"] for (one,) in alone]
        assert len({str(one) for one in together}) > 2


UNTRUSTED = [
    ("snapshot_at", "count(*) as n"),
    ("states_at", "count(*) as n"),
    ("positions_at", "count(*) as n"),
    ("current_px", "count(*) as n"),
    ("liquidation_map", "count(*) as n"),
    ("liquidation_clusters", "count(*) as n"),
    ("cascade_scenarios", "count(*) as n"),
    ("leverage_regime", "count(*) as n"),
    ("map_coverage", "count(*) as n"),
]


@pytest.mark.parametrize(("macro", "columns"), UNTRUSTED)
@pytest.mark.parametrize("kind", ["sweep", "complete"])
def test_nothing_answers_from_what_is_not_trusted_unless_asked_to(con, macro, columns, kind):
    one = sweep_at(0, [("BTC", 2.0, 80.0)], trusted=False, kind=kind)
    fill(con, lake_of([one], [(0, 4.0, False)]))
    assert ask(con, macro, 5, "BTC", columns, knowable=True) == [{"n": 0}]
    (row,) = ask(con, macro, 5, "BTC", columns, knowable=True, untrusted=True)
    assert row["n"] > 0


def landed(lake, sweeps, contexts=()):
    for name, rows in lake_of(sweeps, contexts).items():
        if rows:
            land(lake, TABLES[name], batch(TABLES[name], rows), "test")


def test_a_landed_sweep_answers_and_other_days_are_not_read(tmp_path):
    day = 24 * 60
    landed(
        tmp_path,
        [sweep_at(days * day, [("BTC", 2.0 + days, 80.0)]) for days in range(12)],
        [(days * day, 4.0, False) for days in range(12)],
    )
    at = {"at": T0 + timedelta(days=9, hours=1)}
    with open_lake(tmp_path) as con:
        assert con.sql("select size from positions_at('BTC', $at)", params=at).fetchall() == [
            (11.0,)
        ]
        ((_, plan),) = con.sql(
            "explain analyze from positions_at('BTC', $at)", params=at
        ).fetchall()
    lines = plan.replace("│", "\n").splitlines()
    read = [int(line.rpartition(":")[2]) for line in lines if "Total Files Read" in line]
    # Which snapshot answers is looked for in memory; all else, within reach of it.
    assert len(read) >= 3
    assert max(read) <= 4


def coverage_said(lake, minute, *flags):
    at = (T0 + timedelta(minutes=minute)).isoformat()
    done = CliRunner().invoke(coverage, ["BTC", "--at", at, "--lake", str(lake), *flags])
    assert done.exception is None
    return done


def test_the_command_says_what_the_map_covers(tmp_path):
    one = sweep_at(60, [("BTC", 2.0, 80.0)], [("BTC", -1.0, None)], "failed")
    landed(tmp_path, [one], [(50, 4.0, False)])
    rows = json.loads(coverage_said(tmp_path, 90, "--json").stdout)
    shares = {row["side"]: row["coverage"] for row in rows if row["band"] == "all"}
    assert shares == {"long": 0.5, "short": 0.25}
    said = coverage_said(tmp_path, 90)
    assert "unpriced" in said.stdout
    assert "2 accounts asked, of 3 known of" in said.stderr
    assert "open interest is of 2026-01-02 00:50:00Z" in said.stderr
    late = coverage_said(tmp_path, 60 * 40)
    assert "open interest is not known" in late.stderr
    assert "before the first snapshot" in coverage_said(tmp_path, 0).stderr


def test_the_answers_that_are_held_to_it_exist():
    from warehouse import catalog

    made = catalog.definitions("table macro")
    moments = {one.name for one in made if one.parameters.startswith('coin, "at"')}
    assert {macro for macro, _ in UNTRUSTED} <= moments
