"""This module lists the tables of the lake and what each promises."""

import pyarrow as pa

from warehouse.contracts.rules import (
    ACCOUNT,
    NAMED,
    NOT_NEGATIVE,
    NOT_ZERO,
    POSITIVE,
    one_of,
)
from warehouse.contracts.table import TS, Column, Table

F64, I64, I32, STR, BOOL = pa.float64(), pa.int64(), pa.int32(), pa.string(), pa.bool_()

COIN = Column("coin", STR, "venue symbol: BTC, or xyz:TSLA on a builder's dex", rules=(NAMED,))
VENUE = Column("venue", STR, "exchange the row describes, lower case", rules=(NAMED,))
SOURCE = Column(
    "source", STR, "where the row came from: the adapter, or simulated", rules=(NAMED,)
)
KNOWN = Column(
    "known_ts", TS, "first instant at which a follower of this source could have had it"
)
SCOPE = Column(
    "scope", STR, "perp dexes the snapshot covers: one dex's name, or all", rules=(NAMED,)
)

POSITIONS = Table(
    name="positions",
    doc="One open perpetual position of one account at one snapshot.",
    grain=("snapshot_ts", "source", "scope", "coin", "account"),
    time="snapshot_ts",
    columns=(
        Column("snapshot_ts", TS, "instant the positions were true at the venue"),
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
        Column("notional", F64, "|size| x mark_px", "USD", rules=(NOT_NEGATIVE,)),
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
)

SNAPSHOTS = Table(
    name="snapshots",
    doc="One snapshot of positions: what it covers, and whether it may be trusted.",
    grain=("snapshot_ts", "source", "scope"),
    time="snapshot_ts",
    columns=(
        Column("snapshot_ts", TS, "instant the positions were true at the venue"),
        SOURCE,
        SCOPE,
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

FILLS = Table(
    name="fills",
    doc="One side of one trade; the two sides of a trade share trade_id.",
    grain=("coin", "time_ts", "trade_id", "account", "is_buy"),
    time="time_ts",
    columns=(
        Column("time_ts", TS, "block time of the trade"),
        COIN,
        Column("account", STR, "whose side this row is", rules=(ACCOUNT,)),
        Column("px", F64, "price of the trade", "USD", rules=(POSITIVE,)),
        Column("size", F64, "coins traded", "coin", rules=(NOT_NEGATIVE,)),
        Column("is_buy", BOOL, "true: the account bought"),
        Column("start_position", F64, "signed position before the fill", "coin"),
        Column(
            "direction", STR, "the venue's own word: Open Long, Close Short, …", rules=(NAMED,)
        ),
        Column("closed_pnl", F64, "profit realised by the fill, as reported", "USD"),
        Column("fee", F64, "fee with the builder's part; negative: a rebate", "fee_token"),
        Column("fee_token", STR, "token the fee is paid in", rules=(NAMED,)),
        Column("trade_id", I64, "the venue's tid; unique with time_ts and coin"),
        Column("order_id", I64, "the venue's oid"),
        Column("is_taker", BOOL, "true: the order crossed the book"),
        Column(
            "liquidation_method",
            STR,
            "null: no liquidation; market: forced order in the book; backstop: taken over by "
            "the liquidator vault; adl: closed against the other side",
            null=True,
            rules=(one_of("market", "backstop", "adl"),),
        ),
        Column(
            "liquidated_account",
            STR,
            "whose liquidation it is, on both sides' rows; null: none, or not given",
            null=True,
            rules=(ACCOUNT,),
        ),
        Column(
            "liquidation_mark_px",
            F64,
            "mark at the liquidation; null: none, or not given",
            "USD",
            null=True,
            rules=(POSITIVE,),
        ),
        SOURCE,
        KNOWN,
    ),
)

CANDLES = Table(
    name="candles",
    doc="One bar of trade prices.",
    grain=("venue", "coin", "interval", "start_ts", "source"),
    time="start_ts",
    columns=(
        VENUE,
        COIN,
        Column("interval", STR, "length of the bar: 1m, 1h, 1d", rules=(NAMED,)),
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
        Column("mark_px", F64, "null: not given", "USD", null=True, rules=(POSITIVE,)),
        Column("oracle_px", F64, "null: not given", "USD", null=True, rules=(POSITIVE,)),
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

RUN = Column("run_id", STR, "hash of rule, parameters, costs and the rows read", rules=(NAMED,))
BOUND = Column(
    "bound",
    STR,
    "how a bar that spans stop and target is read: pessimistic, the stop first; optimistic, "
    "the target first",
    rules=(one_of("pessimistic", "optimistic"),),
)

BACKTEST_RUNS = Table(
    name="backtest_runs",
    doc="One replay of one rule on one coin, under one reading of ambiguous bars.",
    grain=("run_id", "bound"),
    time="start_ts",
    columns=(
        RUN,
        BOUND,
        Column("strategy", STR, "name of the rule", rules=(NAMED,)),
        Column("variant", STR, "what the rule was allowed to use of the map", rules=(NAMED,)),
        COIN,
        VENUE,
        Column("interval", STR, "length of a bar", rules=(NAMED,)),
        Column("start_ts", TS, "start of the first bar"),
        Column("end_ts", TS, "end of the last bar"),
        Column("bars", I64, "bars replayed", "bars", rules=(NOT_NEGATIVE,)),
        Column("knowable", BOOL, "true: only maps already published at the decision"),
        Column("parameters", STR, "the rule's parameters, JSON", rules=(NAMED,)),
        Column("costs", STR, "fees and funding charged, JSON", rules=(NAMED,)),
        Column(
            "signals", I64, "entry signals of the base rule", "signals", rules=(NOT_NEGATIVE,)
        ),
        Column("refused", I64, "signals the map refused", "signals", rules=(NOT_NEGATIVE,)),
        Column(
            "unmapped",
            I64,
            "signals decided without a map: none was known",
            "signals",
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "unfilled",
            I64,
            "accepted signals that opened no trade",
            "signals",
            rules=(NOT_NEGATIVE,),
        ),
        Column("trades", I64, "trades closed", "trades", rules=(NOT_NEGATIVE,)),
        Column(
            "ambiguous",
            I64,
            "trades whose last bar spans stop and target",
            "trades",
            rules=(NOT_NEGATIVE,),
        ),
        Column("return_fraction", F64, "end equity over start equity, less 1", "fraction"),
        Column("max_drawdown", F64, "largest fall from a peak, positive", "fraction"),
        Column("mean_trade", F64, "null: no trades", "fraction of notional", null=True),
        Column("hit_rate", F64, "null: no trades", "fraction", null=True),
        Column("sharpe", F64, "annualised from bar returns; null: no variation", null=True),
        Column("fees", F64, "paid", "USD"),
        Column("funding", F64, "paid; negative: received", "USD"),
        SOURCE,
        KNOWN,
    ),
)

BACKTEST_TRADES = Table(
    name="backtest_trades",
    doc="One closed trade of one run.",
    grain=("run_id", "bound", "trade"),
    time="entry_ts",
    columns=(
        RUN,
        BOUND,
        Column("trade", I64, "number of the trade in its run, from 0"),
        COIN,
        Column("side", STR, "direction", rules=(one_of("long", "short"),)),
        Column("decided_ts", TS, "close of the bar that decided"),
        Column("entry_ts", TS, "start of the bar that filled"),
        Column("entry_px", F64, "fill", "USD", rules=(POSITIVE,)),
        Column("exit_ts", TS, "start of the bar that closed"),
        Column("exit_px", F64, "fill", "USD", rules=(POSITIVE,)),
        Column(
            "exit_reason",
            STR,
            "why it closed",
            rules=(one_of("stop", "target", "time", "end"),),
        ),
        Column("size", F64, "signed", "coin", rules=(NOT_ZERO,)),
        Column("stop_px", F64, "null: none set", "USD", null=True, rules=(POSITIVE,)),
        Column("target_px", F64, "null: none set", "USD", null=True, rules=(POSITIVE,)),
        Column(
            "target_source",
            STR,
            "what set the target",
            rules=(one_of("cluster", "fixed", "none"),),
        ),
        Column("snapshot_ts", TS, "map the decision used; null: it used none", null=True),
        Column("fees", F64, "paid", "USD"),
        Column("funding", F64, "paid; negative: received", "USD"),
        Column("pnl", F64, "after fees and funding", "USD"),
        Column("return_fraction", F64, "pnl over entry notional", "fraction"),
        Column("ambiguous", BOOL, "true: the closing bar spans stop and target"),
        SOURCE,
        KNOWN,
    ),
)

BACKTEST_EQUITY = Table(
    name="backtest_equity",
    doc="State of one run at the close of one bar.",
    grain=("run_id", "bound", "time_ts"),
    time="time_ts",
    columns=(
        RUN,
        BOUND,
        Column("time_ts", TS, "close of the bar"),
        COIN,
        Column("position", F64, "signed", "coin"),
        Column("close_px", F64, "close of the bar", "USD", rules=(POSITIVE,)),
        Column("equity", F64, "cash and position at the close", "USD"),
        SOURCE,
        KNOWN,
    ),
)

TABLES = (
    POSITIONS,
    SNAPSHOTS,
    FILLS,
    CANDLES,
    FUNDING,
    ASSET_CONTEXTS,
    INSTRUMENTS,
    BACKTEST_RUNS,
    BACKTEST_TRADES,
    BACKTEST_EQUITY,
)
