"""Lakes for cohorts: sweeps of a few accounts, with entries, values, modes and fills."""

from datetime import timedelta
from zlib import crc32

from hypothesis import strategies as st

from tests.rows import T0, account, batch, hold
from tests.warehouse.data_sweeps import contexts, lake_of, sweeps
from warehouse.contracts.ledger import PARTS
from warehouse.contracts.tables import ACCOUNTS, ASSET_CONTEXTS, FILLS, POSITIONS, SNAPSHOTS

HELD = (POSITIONS, ACCOUNTS, SNAPSHOTS, ASSET_CONTEXTS, FILLS)
NOTHING: dict[str, list] = {"accounts": [], "asset_contexts": [], "fills": []}
VALUES = (None, -50.0, 249.99, 250.0, 9e3, 6e4, 7.5e5, 5e6)
# A mode is its account's own: what a sweep does not ask, it does not say.
MODES = (None, "standard", "unified", "dex_abstraction")
ENTRIES = (None, 70.0, 90.0, 100.0, 120.0, 140.0)

fills = st.lists(
    st.fixed_dictionaries(
        {
            "minute": st.integers(0, 60 * 45),
            "holder": st.integers(1, 3),
            "coin": st.sampled_from(["BTC", "BTC", "BTC", "ETH", "@107", "PURR/USDC"]),
            "size": st.sampled_from([0.25, 1.0, 4.0]),
            "is_buy": st.booleans(),
            "closed_pnl": st.sampled_from([None, 0.0, -2e4, 5e3, 2e6, -3e6, 99_999.0]),
            "forced": st.booleans(),
            "late": st.booleans(),
        }
    ),
    max_size=6,
)
extras = st.lists(
    st.tuples(
        st.sampled_from(ENTRIES), st.sampled_from(VALUES), st.sampled_from([None, 900.0, 2e6])
    ),
    min_size=5,
    max_size=9,
)
lakes = st.builds(
    lambda *parts: cohort_lake(*parts),
    sweeps,
    contexts,
    fills,
    extras,
    st.tuples(*[st.sampled_from(MODES)] * 3),
)


def fill_row(number, one):
    at = T0 + timedelta(minutes=one["minute"])
    row = {column.name: None for column in FILLS.columns}
    return row | {
        "time_ts": at,
        "coin": one["coin"],
        "account": account(one["holder"]),
        "px": 100.0,
        "size": one["size"],
        "is_buy": one["is_buy"],
        "start_position": 0.0,
        "closed_pnl": one["closed_pnl"],
        "trade_id": number,
        "order_id": number,
        "is_taker": True,
        "liquidation_method": "market" if one["forced"] else None,
        "liquidated_account": account(one["holder"]) if one["forced"] else None,
        "source": "test",
        "known_ts": at + timedelta(hours=5 if one["late"] else 0),
    }


def cohort_lake(swept, told, fills, extras, modes):
    """Return rows by table: those of sweeps, with what cohorts are told apart by."""
    lake = lake_of(swept, told)
    mode_of = {account(number): mode for number, mode in enumerate(modes, start=1)}
    for number, row in enumerate(lake["positions"]):
        row["entry_px"] = extras[number % len(extras)][0]
        row["account_mode"] = mode_of[row["account"]]
        # One answer of one account on one dex says one value.
        said = (
            f"{row['account']} {row['snapshot_ts']} {row['scope']} {row['coin'][:4] == 'xyz:'}"
        )
        key = crc32(said.encode())
        row["account_value"] = extras[key % len(extras)][1]
    for number, row in enumerate(lake["accounts"]):
        row["account_mode"] = mode_of[row["account"]] if number % 2 else None
        row["spot_usdc"] = extras[number % len(extras)][2]
    lake["fills"] = [fill_row(number, one) for number, one in enumerate(fills)]
    return lake


def show(con, lake, hours=()):
    """Make a lake's rows all that an open lake holds; of ``hours`` it has every fill."""
    for table in HELD:
        hold(con, table, lake[table.name])
    con.execute("delete from promised.parts")
    rows = [
        {
            "table_name": "fills",
            "day": (T0 + timedelta(hours=hour)).date(),
            "part": f"test-{(T0 + timedelta(hours=hour)):%H}",
            "revision": 1,
            "path": "none",
            "source": "test",
            "origins": [],
            "bytes": 1,
            "hash": "none",
            "rows": 1,
            "min_ts": T0 + timedelta(hours=hour),
            "max_ts": T0 + timedelta(hours=hour, minutes=59, seconds=59),
            "known_ts": T0 + timedelta(hours=hour, minutes=59, seconds=59),
            "contract": 1,
            "code": "test",
            "received_ts": T0,
            "since_ts": None,
            "superseded_ts": None,
        }
        for hour in hours
    ]
    held = batch(PARTS, rows)  # noqa: F841  read by name in SQL
    con.execute("insert into promised.parts by name from held")


def rows_of(con, query, **asked):
    relation = con.sql(query, params=asked)
    names = relation.columns
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]
