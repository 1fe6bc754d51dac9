"""Maps from sweeps, and what they cover: against the obvious version, on many small lakes."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.reference.sweeps import BANDS, Question
from tests.rows import T0, account, batch, hold, position, snapshot
from warehouse import open_lake
from warehouse.cli import coverage
from warehouse.contracts.tables import ACCOUNTS, ASSET_CONTEXTS, POSITIONS, SNAPSHOTS
from warehouse.store import land

HELD = (POSITIONS, ACCOUNTS, SNAPSHOTS, ASSET_CONTEXTS)
TABLES = {table.name: table for table in HELD}
HOURS = 40
LATE = timedelta(hours=7)
AGES = [timedelta(hours=hours) for hours in (0, 5, 26)]
# Of each account: None is not asked, "failed" asked in vain, a list what it said.
SAID = [
    None,
    "failed",
    [],
    [("ETH", 1.0, 80.0)],
    [("BTC", 2.0, 80.0)],
    [("BTC", 0.5, 97.0), ("ETH", -1.0, 130.0)],
    [("BTC", -1.0, 130.0)],
    [("BTC", -3.0, None)],
    [("BTC", 4.0, 104.0), ("xyz:TSLA", 1.0, 40.0)],
    [("xyz:TSLA", -2.0, 104.0)],
]
# Lists are long and accounts few, so that sweeps meet in the same accounts.
sweeps = st.lists(
    st.fixed_dictionaries(
        {
            "minute": st.integers(0, HOURS).map(lambda hour: 60 * hour),
            "said": st.tuples(*[st.sampled_from(SAID)] * 3),
            "kind": st.sampled_from(["sweep"] * 4 + ["complete", "part"]),
            "trusted": st.sampled_from([True] * 4 + [False]),
            "late": st.sampled_from([False, False, True]),
            "scope": st.sampled_from(["hyperliquid"] * 4 + ["xyz", "all"]),
            "minutes": st.sampled_from([0, 10, 90]),
        }
    ),
    min_size=4,
    max_size=7,
    unique_by=lambda sweep: sweep["minute"],
)
contexts = st.lists(
    st.tuples(
        st.integers(0, 60 * HOURS), st.sampled_from([None, 0.0, 4.0, 9.0]), st.booleans()
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda context: context[0],
)
questions = st.fixed_dictionaries(
    {
        "minute": st.tuples(st.integers(15, HOURS + 5), st.sampled_from([-1, 0, 30])).map(
            lambda moment: 60 * moment[0] + moment[1]
        ),
        "coin": st.sampled_from(["BTC", "BTC", "xyz:TSLA"]),
        "max_age": st.sampled_from(AGES),
        "knowable": st.booleans(),
        "untrusted": st.sampled_from([False, False, True]),
    }
)


def row_of(table, **said):
    return {column.name: None for column in table.columns} | {"source": "test"} | said


def lake_of(sweeps, contexts=()):
    """Return the rows that sweeps land, by table."""
    made = {table.name: [] for table in HELD}
    for number, one in enumerate(sweeps):
        end = T0 + timedelta(minutes=one["minute"])
        late = LATE if one["late"] else timedelta(0)
        common = {"scope": one["scope"]}
        failed = sum(said == "failed" for said in one["said"])
        asked = sum(said is not None for said in one["said"])
        positions = []
        for holder, said in enumerate(one["said"], start=1):
            if said is None or said == "failed":
                continue
            at = end
            if one["kind"] == "sweep":
                # Earlier answers earlier; a second apart, so that no two sweeps share one.
                at -= timedelta(minutes=one["minutes"] * holder / 3, seconds=number)
                made["accounts"].append(
                    row_of(
                        ACCOUNTS,
                        state_ts=at,
                        account=account(holder),
                        sweep_ts=end,
                        positions=len(said),
                        known_ts=at + late,
                        **common,
                    )
                )
            positions += [
                position(
                    coin,
                    holder,
                    size,
                    100.0 + number,
                    px,
                    snapshot_ts=at,
                    known_ts=at + late,
                    **common,
                )
                for coin, size, px in said
            ]
        made["positions"] += positions
        made["snapshots"].append(
            snapshot(
                end,
                positions,
                end + late,
                complete=one["kind"] == "complete",
                trusted=one["trusted"],
                accounts_asked=asked if one["kind"] == "sweep" else None,
                accounts_failed=failed if one["kind"] == "sweep" else None,
                **common,
            )
        )
    for minute, interest, late in contexts:
        at = T0 + timedelta(minutes=minute)
        made["asset_contexts"] += [
            row_of(
                ASSET_CONTEXTS,
                venue="hyperliquid",
                coin=coin,
                context_ts=at,
                mark_px=50.0 + minute,
                open_interest=interest,
                known_ts=at + (LATE if late else timedelta(0)),
            )
            for coin in ("BTC", "xyz:TSLA")
        ]
    return made


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        yield con


def ask(con, macro, minute, coin, columns="*", **options):
    named = ", ".join(f"{name} := ${name}" for name in options)
    query = f"select {columns} from {macro}($coin, $at, {named})"
    params = {"coin": coin, "at": T0 + timedelta(minutes=minute)} | options
    relation = con.sql(query, params=params)
    names = relation.columns
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def fill(con, lake):
    for table in HELD:
        hold(con, table, lake[table.name])


def question_of(lake, asked):
    at = T0 + timedelta(minutes=asked["minute"])
    others = {name: value for name, value in asked.items() if name != "minute"}
    return Question(lake, at=at, **others)


@given(sweeps=sweeps, contexts=contexts, asked=questions)
def test_positions_are_those_of_the_obvious_version(con, sweeps, contexts, asked):
    lake = lake_of(sweeps, contexts)
    fill(con, lake)
    want = question_of(lake, asked)
    held, answering = want.positions(), want.answering()
    got = ask(con, "positions_at", **asked)
    assert len(got) == len(held)
    for row in got:
        other = held[row["account"]]
        assert row["state_ts"] == other["snapshot_ts"]
        for name in ("size", "mark_px", "liquidation_px", "source"):
            assert row[name] == other[name]
        assert row["snapshot_ts"] == answering["snapshot_ts"]
        assert row["current_px"] == want.mark()


@given(sweeps=sweeps, contexts=contexts, asked=questions)
def test_coverage_is_that_of_the_obvious_version(con, sweeps, contexts, asked):
    lake = lake_of(sweeps, contexts)
    fill(con, lake)
    want = question_of(lake, asked)
    got = ask(con, "map_coverage", **asked)
    if want.answering() is None:
        assert got == []
        return
    sums, shares = want.coverage()
    assert len(got) == len(sums) == 2 * (len(BANDS) + 2)
    for row in got:
        key = row["band"] if row["low_pct"] is None else row["low_pct"]
        size, positions = sums[row["side"], key]
        assert (row["mapped_size"], row["positions"]) == (pytest.approx(size), positions)
        share = shares[row["side"]] if row["band"] == "all" else None
        assert row["coverage"] == (None if share is None else pytest.approx(share))
        if row["mark_px"] is not None:
            assert row["mapped_notional"] == pytest.approx(size * row["mark_px"])
    answering, base = want.answering(), want.base()
    (row,) = {
        tuple(row[name] for name in ("snapshot_ts", "base_ts", "complete")) for row in got
    }
    assert row == (
        answering["snapshot_ts"],
        base and base["snapshot_ts"],
        answering["complete"],
    )
    asked_for = None if answering["complete"] else len(want.states())
    assert {row["accounts_asked"] for row in got} == {asked_for}


@given(sweeps=sweeps, later=sweeps, contexts=contexts, asked=questions)
def test_what_comes_later_changes_nothing(con, sweeps, later, contexts, asked):
    """Later at the venue or, asked for what was knowable, later published."""
    asked |= {"knowable": True}
    fill(con, lake_of(sweeps, contexts))
    before = [ask(con, macro, **asked) for macro in ("positions_at", "map_coverage")]
    used = {one["minute"] for one in sweeps}
    late = int(LATE.total_seconds()) // 60
    later = [
        one | {"minute": minute, "late": minute <= asked["minute"]}
        for one in later
        for minute in [one["minute"] % (late + 60 * HOURS) + asked["minute"] - late + 100]
        if minute not in used and minute >= 0
    ]
    # An answer is up to 90 minutes older than its sweep's end; published 7 h after, it is late.
    fill(con, lake_of([*sweeps, *later], contexts))
    after = [ask(con, macro, **asked) for macro in ("positions_at", "map_coverage")]
    assert [sorted(rows, key=str) for rows in after] == [
        sorted(rows, key=str) for rows in before
    ]


def sweep_at(minute, *said, **others):
    one = {"minute": minute, "said": said, "kind": "sweep", "trusted": True, "late": False}
    return one | {"scope": "hyperliquid", "minutes": 0} | others


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
    # Which snapshot answers is looked for in all days so far; all else, within reach of it.
    assert sorted(read)[-1] == 10
    assert len(read) > 3
    assert max(sorted(read)[:-1]) <= 4


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


def test_every_answer_about_a_moment_is_held_to_it():
    from warehouse import catalog

    made = catalog.definitions("table macro")
    moments = {one.name for one in made if one.parameters.startswith('coin, "at"')}
    assert {macro for macro, _ in UNTRUSTED} == moments
