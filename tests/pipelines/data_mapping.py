import io
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.sources.imports.mapped_file import to_rows
from pipelines.sources.imports.mapping import to_mapping
from tests.rows import account

AT = datetime(2026, 2, 5, 12, tzinfo=UTC)


MS = int(AT.timestamp() * 1000)


HEAD = 'table = "positions"\nsource = "my_export"\n'


COLUMNS = {
    "coin": '"asset"',
    "account": '{ column = "wallet" }',
    "size": '{ column = "qty", negative_where = { column = "side", is = ["short", "SELL"], '
    'otherwise = ["long", "BUY"] } }',
    "snapshot_ts": '{ column = "time", unit = "ms" }',
    "scope": '{ value = "hyperliquid" }',
    "notional": '{ column = "usd", scale = 1.0 }',
    "known_ts": '{ delay = "1h", after = "snapshot_ts" }',
}


MAPPING_TEXT = HEAD + "[columns]\n" + "\n".join(f"{k} = {v}" for k, v in COLUMNS.items())
# Table -> entries, a file of one row, and what that row must say.
OTHERS = {
    "fills": (
        'time_ts = { column = "t", unit = "us" }\ncoin = "c"\naccount = "who"\npx = "px"\n'
        'size = "sz"\nis_buy = { column = "side", words = { B = true, A = false } }\n'
        'start_position = "before"\ndirection = "dir"\nclosed_pnl = "pnl"\nfee = "fee"\n'
        'fee_token = { value = "USDC" }\ntrade_id = "tid"\norder_id = "oid"\n'
        'is_taker = "taker"\nknown_ts = { delay = "0s", after = "time_ts" }',
        f"t,c,who,px,sz,side,before,dir,pnl,fee,tid,oid,taker\n{MS}000,ETH,{account(1)},"
        "2000.5,1,A,1.5,Close Long,-3,0.1,745210434703679,7,True\n",
        {"is_buy": False, "px": 2000.5, "trade_id": 745210434703679, "is_taker": True},
    ),
    "candles": (
        'venue = { value = "okx" }\ncoin = "c"\ninterval = { value = "1h" }\n'
        'start_ts = { column = "t", unit = "iso" }\nopen_px = "o"\nhigh_px = "h"\n'
        'low_px = "l"\nclose_px = "x"\nvolume = { column = "v", optional = true }\n'
        'known_ts = { delay = "1h", after = "start_ts" }',
        "t,c,o,h,l,x\n2026-02-05T12:00:00Z,BTC,70,72,69,71\n",
        {"start_ts": AT, "volume": None, "known_ts": AT + timedelta(hours=1)},
    ),
    "funding": (
        'venue = "venue"\ncoin = "c"\ntime_ts = { column = "t", unit = "iso", zone = "UTC" }\n'
        'rate = { column = "pct", scale = 0.01 }\n'
        'known_ts = { delay = "0s", after = "time_ts" }',
        "t,venue,c,pct\n2026-02-05 12:00,Hyperliquid,BTC,0.00125\n",
        {"time_ts": AT, "venue": "hyperliquid", "rate": 1.25e-5, "period_hours": None},
    ),
    "asset_contexts": (
        'venue = { value = "hyperliquid" }\ncoin = "c"\nmark_px = "mark"\n'
        'context_ts = { column = "t", unit = "s" }\n'
        'known_ts = { column = "seen", unit = "ns" }',
        f"t,c,mark,seen\n{MS // 1000},BTC,70000,{MS}000000\n",
        {"context_ts": AT, "mark_px": 70_000.0, "open_interest": None, "known_ts": AT},
    ),
    "imported_levels": (
        'coin = { value = "BTC" }\nlevel_ts = { value = 2026-02-05T12:00:00Z }\npx = "px"\n'
        'notional = "usd"\nside = { column = "s", words = { L = "long", S = "short" } }\n'
        'known_ts = { delay = "15m", after = "level_ts" }',
        "px,usd,s\n65000,1e6,L\n",
        {"level_ts": AT, "px": 65_000.0, "notional": 1e6, "size": None, "side": "long"},
    ),
}


def mapping(head="", columns=None, drop=(), name="my.toml"):
    entries = {k: v for k, v in (COLUMNS | (columns or {})).items() if k not in drop}
    lines = "\n".join(f"{key} = {entry}" for key, entry in entries.items())
    return to_mapping(f"{HEAD}{head}\n[columns]\n{lines}\n", name)


def csv(*rows, header="time,wallet,asset,side,qty,usd"):
    return "\n".join((header, *rows, "")).encode()


HOLDER = account(1)


def line(time=MS, wallet=HOLDER, asset="BTC", side="long", qty="2", usd="140000"):
    return f"{time},{wallet},{asset},{side},{qty},{usd}"


def parquet(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def rows(body, how=None, at=None):
    imported = to_rows({"mine": body}, how or mapping(), at)
    return imported.tables[0][1].to_pylist()
