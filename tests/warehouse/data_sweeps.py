from datetime import timedelta

from hypothesis import strategies as st

from tests.rows import T0, account, hold, position, snapshot
from warehouse.contracts.tables import ACCOUNTS, ASSET_CONTEXTS, POSITIONS, SNAPSHOTS

HELD = (POSITIONS, ACCOUNTS, SNAPSHOTS, ASSET_CONTEXTS)
TABLES = {table.name: table for table in HELD}


HOURS = 40


LATE = timedelta(hours=7)


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
                # Earlier answers earlier; a second apart, so that no two sweeps share one, and
                # off the minute, where complete snapshots lie.
                off = 0.5 * (one["minutes"] > 0)
                at -= timedelta(minutes=one["minutes"] * holder / 3, seconds=number + off)
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


def sweep_at(minute, *said, **others):
    one = {"minute": minute, "said": said, "kind": "sweep", "trusted": True, "late": False}
    return one | {"scope": "hyperliquid", "minutes": 0} | others
