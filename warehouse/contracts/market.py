"""This module promises what is known of a market: bars, funding, contexts, margin rules."""

import pyarrow as pa

from warehouse.contracts.columns import COIN, F64, I32, KNOWN, SOURCE, STR, VENUE
from warehouse.contracts.rules import NAMED, NOT_NEGATIVE, POSITIVE
from warehouse.contracts.table import TS, Column, Table

CANDLES = Table(
    name="candles",
    doc="One bar of trade prices.",
    grain=("venue", "coin", "interval", "start_ts", "source"),
    time="start_ts",
    columns=(
        VENUE,
        COIN,
        Column("interval", STR, "length of the bar, such as 1m, 1h, 4h, 1d", rules=(NAMED,)),
        Column("start_ts", TS, "first instant of the bar; it ends before start_ts + interval"),
        Column("open_px", F64, "first trade", "USD", rules=(POSITIVE,)),
        Column("high_px", F64, "highest trade", "USD", rules=(POSITIVE,)),
        Column("low_px", F64, "lowest trade", "USD", rules=(POSITIVE,)),
        Column("close_px", F64, "last trade", "USD", rules=(POSITIVE,)),
        Column(
            "volume", F64, "traded; null: not given", "coin", null=True, rules=(NOT_NEGATIVE,)
        ),
        SOURCE,
        KNOWN,
    ),
)

FUNDING = Table(
    name="funding",
    doc="One funding payment's rate.",
    grain=("venue", "coin", "time_ts", "source"),
    time="time_ts",
    columns=(
        VENUE,
        COIN,
        Column("time_ts", TS, "instant of the payment"),
        Column(
            "rate", F64, "longs pay shorts this share of notional at oracle price", "fraction"
        ),
        Column(
            "period_hours",
            F64,
            "hours the rate is for; null: not given",
            "hours",
            null=True,
            rules=(POSITIVE,),
        ),
        SOURCE,
        KNOWN,
    ),
)

ASSET_CONTEXTS = Table(
    name="asset_contexts",
    doc="What the venue said of one coin at one moment; a field its source lacks is null.",
    grain=("venue", "coin", "context_ts", "source"),
    time="context_ts",
    columns=(
        VENUE,
        COIN,
        Column("context_ts", TS, "instant of the reading"),
        Column(
            "mark_px",
            F64,
            "the venue's mark; null: not given",
            "USD",
            null=True,
            rules=(POSITIVE,),
        ),
        Column(
            "oracle_px",
            F64,
            "the venue's oracle; null: not given",
            "USD",
            null=True,
            rules=(POSITIVE,),
        ),
        Column(
            "open_interest",
            F64,
            "one-sided; null: not given",
            "coin",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "open_interest_notional",
            F64,
            "one-sided, at mark; null: not given",
            "USD",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column("funding_rate", F64, "hourly; null: not given", "fraction per hour", null=True),
        Column(
            "premium",
            F64,
            "of the impact prices over the oracle's; null: not given, or a side of the book "
            "is too thin for one",
            "fraction",
            null=True,
            since=2,
        ),
        Column(
            "mid_px",
            F64,
            "between best bid and best ask; null: not given, or a side of the book is empty",
            "USD",
            null=True,
            since=2,
            rules=(POSITIVE,),
        ),
        Column(
            "impact_bid_px",
            F64,
            "average px of selling the venue's impact notional; null: not given, or the bids "
            "are too thin for it",
            "USD",
            null=True,
            since=2,
            rules=(POSITIVE,),
        ),
        Column(
            "impact_ask_px",
            F64,
            "average px of buying the venue's impact notional; null: not given, or the asks "
            "are too thin for it",
            "USD",
            null=True,
            since=2,
            rules=(POSITIVE,),
        ),
        Column(
            "prev_day_px",
            F64,
            "mark 24 h before; null: not given, or there was none yet",
            "USD",
            null=True,
            since=2,
            rules=(POSITIVE,),
        ),
        Column(
            "day_notional_volume",
            F64,
            "traded in the 24 h before; null: not given",
            "USD",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        SOURCE,
        KNOWN,
    ),
)

TIER = pa.struct(
    [
        pa.field("lower_bound", F64, nullable=False),
        pa.field("max_leverage", F64, nullable=False),
    ]
)

INSTRUMENTS = Table(
    name="instruments",
    doc="The margin rules and ticks of one coin from one moment on.",
    grain=("coin", "effective_ts", "source"),
    time="effective_ts",
    columns=(
        COIN,
        Column("effective_ts", TS, "earliest instant the rules are known to have held"),
        Column("max_leverage", F64, "of the lowest tier", "x", rules=(POSITIVE,)),
        Column(
            "size_decimals",
            I32,
            "decimals of an order's size, from which ticks follow; null: not given",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "margin_tiers",
            pa.list_(TIER),
            "from lower_bound USD of notional on, max_leverage holds; one tier where none "
            "other is documented",
        ),
        SOURCE,
        KNOWN,
    ),
)
