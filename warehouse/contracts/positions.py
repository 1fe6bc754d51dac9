"""This module promises what a snapshot of positions holds."""

from warehouse.contracts.columns import BOOL, COIN, F64, I64, KNOWN, SCOPE, SOURCE, STR
from warehouse.contracts.rules import ACCOUNT, NAMED, NOT_NEGATIVE, NOT_ZERO, POSITIVE, one_of
from warehouse.contracts.table import TS, Column, Derived, Table

POSITIONS = Table(
    name="positions",
    doc="One open perpetual position of one account at one snapshot.",
    # What an account holds changes little from one hour to the next: side by side, a day's 24
    # states take half the bytes that they take snapshot by snapshot (27.9 instead of 53.1).
    grain=("coin", "account", "source", "scope", "snapshot_ts"),
    time="snapshot_ts",
    columns=(
        Column(
            "snapshot_ts",
            TS,
            "instant the position was true at the venue; of a sweep: its account's own",
        ),
        SOURCE,
        SCOPE,
        COIN,
        Column("account", STR, "holder's address", rules=(ACCOUNT,)),
        Column("size", F64, "long positive, short negative", "coin", rules=(NOT_ZERO,)),
        Column(
            "entry_px",
            F64,
            "average entry; null: not given",
            "USD",
            null=True,
            rules=(POSITIVE,),
        ),
        Column(
            "mark_px", F64, "mark the venue valued the position at", "USD", rules=(POSITIVE,)
        ),
        Column(
            "liquidation_px",
            F64,
            "mark at which the position is liquidated, other prices fixed; "
            "null: cannot be liquidated, or not known (snapshots count both)",
            "USD",
            null=True,
            rules=(POSITIVE,),
        ),
        Column(
            "liquidation_px_source",
            STR,
            "venue: as the venue gave it; computed: our margin kernel, where the venue's is "
            "missing; null: there is no price",
            null=True,
            rules=(one_of("venue", "computed"),),
        ),
        Column(
            "leverage",
            F64,
            "chosen leverage; null: not given",
            "x",
            null=True,
            rules=(POSITIVE,),
        ),
        Column(
            "leverage_type",
            STR,
            "margin mode; null: not recorded by the source",
            null=True,
            rules=(one_of("cross", "isolated"),),
        ),
        Column(
            "max_leverage",
            F64,
            "the position's own maximum, which may differ from the coin's; null: not given",
            "x",
            null=True,
            rules=(POSITIVE,),
        ),
        Column(
            "margin_used", F64, "margin behind the position; null: not given", "USD", null=True
        ),
        Column(
            "account_value",
            F64,
            "collateral of the whole account as the source reports it; null: not given",
            "USD",
            null=True,
        ),
        Column(
            "account_mode",
            STR,
            "standard, dex_abstraction, unified or portfolio_margin; null: not given",
            null=True,
            rules=(NAMED,),
        ),
        Column("funding_pnl", F64, "funding since opening; null: not given", "USD", null=True),
        KNOWN,
    ),
    # 5.4 bytes a row if it were kept, as much as nothing else but prices.
    derived=(
        Derived("notional", F64, "|size| x mark_px", "abs(part.size) * part.mark_px", "USD"),
    ),
)

SNAPSHOTS = Table(
    name="snapshots",
    doc="One snapshot of positions: what it covers, and whether it may be trusted.",
    grain=("snapshot_ts", "source", "scope"),
    time="snapshot_ts",
    columns=(
        Column(
            "snapshot_ts",
            TS,
            "instant the positions were true; of a sweep's slice: its last answer, moved by "
            "microseconds where that instant is taken",
        ),
        SOURCE,
        SCOPE,
        Column(
            "started_ts",
            TS,
            "instant its first answer was true; null: all are of snapshot_ts",
            null=True,
        ),
        Column(
            "complete", BOOL, "true: by its source's word it holds every position of its scope"
        ),
        Column("trusted", BOOL, "false: landed, but no view answers from it unless asked to"),
        Column(
            "accounts_asked",
            I64,
            "accounts the sweep asked for; null: an archive asks for none",
            "accounts",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "accounts_failed",
            I64,
            "accounts that did not answer; null: an archive asks for none",
            "accounts",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "accounts_skipped",
            I64,
            "accounts known of that this snapshot did not ask: for want of time, of another "
            "slice, or answered with what the lake holds; null: an archive",
            "accounts",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column("accounts", I64, "accounts seen holding", "accounts", rules=(NOT_NEGATIVE,)),
        Column("positions", I64, "positions landed", "positions", rules=(NOT_NEGATIVE,)),
        Column(
            "px_venue",
            I64,
            "positions with the venue's price",
            "positions",
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "px_computed",
            I64,
            "positions priced by our kernel",
            "positions",
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "px_never",
            I64,
            "positions without a price that our kernel confirms cannot be liquidated",
            "positions",
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "px_unknown",
            I64,
            "positions without a price for which nothing could be computed; a source that "
            "gives every price that exists means: cannot be liquidated",
            "positions",
            rules=(NOT_NEGATIVE,),
        ),
        KNOWN,
    ),
)
