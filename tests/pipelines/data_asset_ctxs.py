from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from pipelines.sources.asset_ctxs import to_contexts
from tests.pipelines.data_damage import TOKENS
from warehouse.contracts.tables import ASSET_CONTEXTS

PATH = "asset_ctxs/20251113.csv.lz4"


HEADER = (
    "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,"
    "impact_bid_px,impact_ask_px"
)


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# The contract's column of each of the file's.
COLUMNS = {
    "coin": "coin",
    "funding": "funding_rate",
    "open_interest": "open_interest",
    "prev_day_px": "prev_day_px",
    "day_ntl_vlm": "day_notional_volume",
    "premium": "premium",
    "oracle_px": "oracle_px",
    "mark_px": "mark_px",
    "mid_px": "mid_px",
    "impact_bid_px": "impact_bid_px",
    "impact_ask_px": "impact_ask_px",
}


def line(**changes):
    whole = {
        "time": "2025-11-13T00:01:00Z",
        "coin": "POPCAT",
        "funding": "-0.0003",
        "open_interest": "44122738",
        "prev_day_px": "0.15002",
        "day_ntl_vlm": "133328618.73",
        "premium": "-0.0019",
        "oracle_px": "0.12585",
        "mark_px": "0.12543",
        "mid_px": "0.12545",
        "impact_bid_px": "0.125332",
        "impact_ask_px": "0.125601",
    }
    return ",".join((whole | changes).values())


def body_of(*lines, header=HEADER):
    return "".join(f"{each}\n" for each in (header, *lines)).encode()


def contexts(*lines):
    return to_contexts(body_of(*lines), PATH)[0]


def held(rows):
    """Return the rows as the contract holds them, each grain once."""
    once = rows.unique(["coin", "context_ts"], keep="first")
    return ASSET_CONTEXTS.check(once.with_columns(source=pl.lit("test")).to_arrow())


def obvious(body):
    """Translate a file one cell at a time."""
    lines = body.decode().replace("\r\n", "\n").removesuffix("\n").split("\n")
    names = lines[0].split(",")
    for text in lines[1:]:
        cells = dict(zip(names, text.split(","), strict=True))
        row = {
            column: cells[name] if name == "coin" else float(cells[name] or "nan")
            for name, column in COLUMNS.items()
        }
        row["prev_day_px"] = row["prev_day_px"] or None
        row = {name: None if value != value else value for name, value in row.items()}
        notional = row["open_interest"] * row["mark_px"]
        at = datetime.fromisoformat(cells["time"])
        yield row | {"context_ts": at, "open_interest_notional": notional}


def agrees(rows, body):
    """Return whether rows are those of the obvious version."""
    wanted = list(obvious(body))
    names = list(wanted[0]) if wanted else []
    return rows.select(names).to_dicts() == wanted


numbers = st.floats(1e-9, 1e9).map(repr)


lines = st.fixed_dictionaries(
    {
        "time": st.integers(1_684_540_800_000_000, 1_900_000_000_000_000).map(
            lambda us: (EPOCH + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")
        ),
        "coin": st.sampled_from(["BTC", "kPEPE", "xyz:TSLA", "@107"]),
        "funding": st.floats(-0.04, 0.04).map(repr),
        **dict.fromkeys(
            ("open_interest", "prev_day_px", "day_ntl_vlm"), numbers | st.just("0")
        ),
        "premium": st.floats(-1, 1).map(repr) | st.just(""),
        **dict.fromkeys(("oracle_px", "mark_px"), numbers),
        **dict.fromkeys(("mid_px", "impact_bid_px", "impact_ask_px"), numbers | st.just("")),
    }
)


cells = st.sampled_from([token.decode("latin-1") for token in TOKENS]) | st.text(max_size=5)
