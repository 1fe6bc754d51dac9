"""This module promises what is known of accounts: each answer of one account at one moment."""

from warehouse.contracts.columns import F64, I64, KNOWN, SCOPE, SOURCE, STR
from warehouse.contracts.rules import ACCOUNT, NAMED, NOT_NEGATIVE
from warehouse.contracts.table import TS, Column, Table

ACCOUNTS = Table(
    name="accounts",
    doc="One account at the moment it was asked for, also where it held nothing.",
    grain=("account", "source", "scope", "state_ts"),
    time="state_ts",
    columns=(
        Column(
            "state_ts", TS, "instant the answer was true; its positions have it as snapshot_ts"
        ),
        SOURCE,
        SCOPE,
        Column("account", STR, "holder's address", rules=(ACCOUNT,)),
        Column("sweep_ts", TS, "snapshot_ts of the sweep in snapshots; null: none", null=True),
        Column(
            "account_value",
            F64,
            "collateral as reported, isolated margin included; null: not given",
            "USD",
            null=True,
        ),
        Column(
            "positions",
            I64,
            "open positions; null: was not asked for them",
            "positions",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "notional",
            F64,
            "sum of |size| x mark; null: was not asked for positions",
            "USD",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "nearest_pct",
            F64,
            "least distance from a mark to its liquidation price, per cent of the mark; null: "
            "no position has a price",
            "per cent",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "account_mode",
            STR,
            "standard, dex_abstraction, unified or portfolio_margin; null: not asked this "
            "time, or a word that is not known",
            null=True,
            rules=(NAMED,),
        ),
        Column(
            "spot_usdc",
            F64,
            "USDC in spot, what orders hold included, as of seconds before state_ts; asked of "
            "accounts whose collateral lies there (unified, portfolio_margin); null: not asked",
            "USD",
            null=True,
            since=2,
        ),
        KNOWN,
    ),
)
