"""Made-up node fills: files as the archive has them, and strategies that make them."""

import json
from datetime import UTC, datetime, timedelta

import lz4.frame
from hypothesis import strategies as st

HOUR = timedelta(hours=1)
NOON = datetime(2025, 10, 10, 12, tzinfo=UTC)
USER, OTHER = "0x" + "a1" * 20, "0x" + "b2" * 20


def ms(when):
    return int(when.timestamp()) * 1000


def fill(when=NOON, **changes):
    """Return one fill; a field given as ``...`` is left out."""
    whole = {
        "coin": "BTC",
        "px": "110000.0",
        "sz": "0.5",
        "side": "B",
        "time": ms(when),
        "startPosition": "-0.5",
        "dir": "Close Short",
        "closedPnl": "12.5",
        "hash": "0x00",
        "oid": 11,
        "crossed": True,
        "fee": "0.02",
        "tid": 7,
        "feeToken": "USDC",
        "twapId": None,
    } | changes
    return {name: value for name, value in whole.items() if value is not ...}


def block(*fills, user=USER, **changes):
    """Return one line of fills of one account."""
    whole = {
        "local_time": "2025-10-10T12:00:00.1",
        "block_time": "2025-10-10T12:00:00.0",
        "block_number": 1,
        "events": [[user, each] for each in fills],
    } | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...})


def path_of(hour):
    return f"node_fills_by_block/hourly/{hour:%Y%m%d}/{hour.hour}.lz4"


def put(root, bodies):
    """Write the archive's file of each hour; lines or bytes that are LZ4 already."""
    for hour, lines in bodies.items():
        file = root / path_of(hour)
        file.parent.mkdir(parents=True, exist_ok=True)
        packed = lines if isinstance(lines, bytes) else lz4.frame.compress(body_of(lines))
        file.write_bytes(packed)
    return str(root)


def body_of(lines):
    return "".join(f"{line}\n" for line in lines).encode()


def tree(root):
    """Return every file below ``root`` with its bytes; not a ledger, which says when."""
    files = {
        str(file.relative_to(root)): file.read_bytes()
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }
    return {path: body for path, body in files.items() if not path.startswith("_ledger/")}


decimals = st.decimals(-(10**9), 10**9, places=6).map(str)
above_zero = st.decimals("0.000001", 10**9, places=6).map(str)
users = st.sampled_from([USER, OTHER, USER.upper().replace("0X", "0x")])
liquidations = st.fixed_dictionaries(
    {"method": st.sampled_from(["market", "backstop"])},
    optional={
        "liquidatedUser": users | st.none(),
        "markPx": above_zero | st.none(),
        "novel": st.integers(),
    },
)


def fills(first=NOON, hours=1):
    """Make fills of ``hours`` hours, few enough ids that some come twice."""
    return st.fixed_dictionaries(
        {
            "coin": st.sampled_from(["BTC", "xyz:TSLA", "@107", "ÉTH"]),
            "px": above_zero,
            "sz": above_zero,
            "side": st.sampled_from("AB"),
            "time": st.integers(0, hours * 4 - 1).map(lambda n: ms(first) + n * 900_000),
            "startPosition": decimals,
            "dir": st.sampled_from(["Open Long", "Auto-Deleveraging", "Liquidated Cross Long"]),
            "closedPnl": decimals,
            "oid": st.integers(0, 2**63 - 1),
            "crossed": st.booleans(),
            "fee": decimals,
            "feeToken": st.sampled_from(["USDC", "HYPE"]),
            "tid": st.sampled_from([1, 2, 2**50, 2**63 - 1]),
        },
        optional={
            "hash": st.text(max_size=3),
            "cloid": st.none() | st.text(max_size=3),
            "builder": st.text(max_size=3),
            "builderFee": decimals,
            "deployerFee": decimals,
            "twapId": st.none() | st.integers(),
            "liquidation": liquidations | st.none(),
            "mood": st.none() | st.integers(),
            "tags": st.lists(st.text(max_size=2), max_size=2),
        },
    )


def blocks(first=NOON, hours=1):
    """Make the lines of one file."""
    events = st.lists(st.tuples(users, fills(first, hours)).map(list), max_size=4)
    made = st.fixed_dictionaries(
        {"events": events}, optional={"block_number": st.integers(), "shard": st.integers()}
    )
    return st.lists(made.map(json.dumps), max_size=4)
