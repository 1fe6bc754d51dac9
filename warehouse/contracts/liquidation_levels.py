"""This module promises what the binned maps of snapshots hold."""

from warehouse.contracts.columns import COIN, F64, I64, KNOWN, SCOPE, SOURCE, STR
from warehouse.contracts.rules import NOT_NEGATIVE, POSITIVE, one_of
from warehouse.contracts.table import TS, Column, Derived, Table

# Per cent; that of `liquidation_map` if none is asked for.
WIDTH_PCT = 0.5
_STEP = f"(1e0 + {WIDTH_PCT}e0 / 100e0)"  # as bucket_low says it; views know no macros

LIQUIDATION_LEVELS = Table(
    name="liquidation_levels",
    doc="One bucket of 0.5 % of one coin's liquidation map, as the snapshot answers it.",
    grain=("coin", "snapshot_ts", "source", "scope", "side", "bucket"),
    time="snapshot_ts",
    columns=(
        Column("snapshot_ts", TS, "the answering snapshot; of a sweep: its last answer"),
        SOURCE,
        SCOPE,
        COIN,
        Column("side", STR, "of the positions", rules=(one_of("long", "short"),)),
        Column("bucket", I64, "number of the bucket; 0 starts at 1 USD"),
        Column("px", F64, "mean price, by notional", "USD", rules=(POSITIVE,)),
        Column("size", F64, "coins that close there", "coin", rules=(NOT_NEGATIVE,)),
        Column(
            "notional", F64, "USD at the price where they close", "USD", rules=(NOT_NEGATIVE,)
        ),
        Column(
            "positions",
            I64,
            "positions, each of another account",
            "positions",
            rules=(POSITIVE,),
        ),
        Column("top_account_share", F64, "largest holder's share of notional", "fraction"),
        Column("herfindahl", F64, "sum of squared shares of the holders", "fraction"),
        Column(
            "current_px",
            F64,
            "the coin's mark at the snapshot; null: not known",
            "USD",
            null=True,
            rules=(POSITIVE,),
        ),
        KNOWN,
    ),
    derived=(
        Derived("px_low", F64, "lower edge, in", f"pow({_STEP}, part.bucket)", "USD"),
        Derived("px_high", F64, "upper edge, out", f"pow({_STEP}, part.bucket + 1)", "USD"),
    ),
)
