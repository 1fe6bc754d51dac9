"""This module promises what a backtest leaves in the lake."""

import pyarrow as pa

from warehouse.contracts.columns import BOOL, COIN, F64, I64, KNOWN, SOURCE, STR, VENUE
from warehouse.contracts.rules import NAMED, NOT_NEGATIVE, NOT_ZERO, POSITIVE, one_of
from warehouse.contracts.table import TS, Column, Table

RUN = Column("run_id", STR, "hash of rule, parameters, costs and the rows read", rules=(NAMED,))
BOUND = Column(
    "bound",
    STR,
    "how a bar that spans stop and target is read: pessimistic, the stop first; optimistic, "
    "the target first; drilled, as finer bars or trades within it say",
    rules=(one_of("pessimistic", "optimistic", "drilled"),),
)

BACKTEST_RUNS = Table(
    name="backtest_runs",
    doc="One replay of one rule on one coin, under one reading of ambiguous bars.",
    grain=("run_id", "bound"),
    time="start_ts",
    columns=(
        RUN,
        BOUND,
        Column("strategy", STR, "name of the rule that enters", rules=(NAMED,)),
        Column(
            "variant",
            STR,
            "strategies by which the rule uses map or flow; without map: it knows neither",
            rules=(NAMED,),
        ),
        COIN,
        VENUE,
        Column("interval", STR, "length of a bar", rules=(NAMED,)),
        Column("start_ts", TS, "start of the first bar"),
        Column("end_ts", TS, "end of the last bar"),
        Column("bars", I64, "bars replayed", "bars", rules=(NOT_NEGATIVE,)),
        Column("knowable", BOOL, "true: only maps already published at the decision"),
        Column(
            "account_coins",
            STR,
            "coins of the account that it is in, with a comma between: of several, return, "
            "drawdown and Sharpe are the account's; null: run before it was kept, in an "
            "account of its own",
            null=True,
            since=4,
            rules=(NAMED,),
        ),
        Column("parameters", STR, "the rule's parameters, JSON", rules=(NAMED,)),
        Column(
            "costs", STR, "what was charged, and what slippage rests on, JSON", rules=(NAMED,)
        ),
        Column(
            "signals",
            I64,
            "entries wanted, before the map refused any, at closes where no position was open",
            "signals",
            rules=(NOT_NEGATIVE,),
        ),
        Column("refused", I64, "signals the map refused", "signals", rules=(NOT_NEGATIVE,)),
        Column(
            "unmapped",
            I64,
            "signals that asked for map or flow where none was known",
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
            "trades with a bar that leaves open what came first, or which funding fell due, so "
            "that another reading may give another result",
            "trades",
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "return_fraction",
            F64,
            "end equity of the account over start equity, less 1",
            "fraction",
        ),
        Column("max_drawdown", F64, "largest fall of equity from a peak, positive", "fraction"),
        Column(
            "mean_trade",
            F64,
            "mean return of a trade; null: no trades",
            "fraction of notional",
            null=True,
        ),
        Column(
            "mean_attempt",
            F64,
            "the same with 0 for orders that were not filled; null: no attempts, or run before "
            "they were counted",
            "fraction of notional",
            null=True,
            since=3,
        ),
        Column("hit_rate", F64, "trades that won; null: no trades", "fraction", null=True),
        Column("sharpe", F64, "annualised from bar returns; null: no variation", null=True),
        Column("fees", F64, "paid", "USD"),
        Column("funding", F64, "paid; negative: received", "USD"),
        Column(
            "slippage",
            F64,
            "given up by market orders, in the prices of fills; null: run before it was "
            "charged",
            "USD",
            null=True,
            since=2,
        ),
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
            rules=(one_of("stop", "target", "trail", "time", "left", "liquidation", "end"),),
        ),
        Column("size", F64, "signed", "coin", rules=(NOT_ZERO,)),
        Column("stop_px", F64, "stop; null: none set", "USD", null=True, rules=(POSITIVE,)),
        Column("target_px", F64, "target; null: none set", "USD", null=True, rules=(POSITIVE,)),
        Column(
            "target_source",
            STR,
            "what set the target",
            rules=(one_of("cluster", "fixed", "none"),),
        ),
        Column(
            "cluster_px",
            F64,
            "edge of the cluster that set the target; null: none did, or it was not kept yet",
            "USD",
            null=True,
            since=3,
            rules=(POSITIVE,),
        ),
        Column("snapshot_ts", TS, "map the decision used; null: it used none", null=True),
        Column(
            "best_px",
            F64,
            "best price while it was open, of the market and of its own fills; null: run "
            "before it was kept",
            "USD",
            null=True,
            rules=(POSITIVE,),
            since=3,
        ),
        Column(
            "worst_px",
            F64,
            "worst price while it was open, of the market and of its own fills; null: run "
            "before it was kept",
            "USD",
            null=True,
            rules=(POSITIVE,),
            since=3,
        ),
        Column("fees", F64, "paid", "USD"),
        Column("funding", F64, "paid; negative: received", "USD"),
        Column(
            "slippage",
            F64,
            "given up by market orders, in entry_px and exit_px; null: run before it was "
            "charged",
            "USD",
            null=True,
            since=2,
        ),
        Column("pnl", F64, "after slippage, fees and funding", "USD"),
        Column("return_fraction", F64, "pnl over entry notional", "fraction"),
        Column(
            "ambiguous",
            BOOL,
            "true: a bar of it leaves open what came first, or which funding fell due, so that "
            "another reading may give another result",
        ),
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
        Column(
            "equity",
            F64,
            "cash and positions of the account at the close, all its coins",
            "USD",
        ),
        SOURCE,
        KNOWN,
    ),
)

STUDY = Column("study_id", STR, "hash of question, data and code", rules=(NAMED,))

BACKTEST_STUDIES = Table(
    name="backtest_studies",
    doc="One question asked of the lake: a rule, its coins and period, and what was found.",
    grain=("study_id",),
    time="start_ts",
    columns=(
        STUDY,
        Column("strategy", STR, "name of the rule that enters", rules=(NAMED,)),
        Column("variant", STR, "as in backtest_runs", rules=(NAMED,)),
        Column("coins", STR, "coins, with a comma between", rules=(NAMED,)),
        Column("start_ts", TS, "start of the period"),
        Column("end_ts", TS, "end of the period"),
        Column("question", STR, "all that was asked, JSON: runs again from it", rules=(NAMED,)),
        Column("runs", STR, "its runs in backtest_runs, JSON: of the rule, without the map"),
        Column("data_hash", STR, "hash of the parts of the lake it read", rules=(NAMED,)),
        Column("code_hash", STR, "hash of the code that ran", rules=(NAMED,)),
        Column("seed", I64, "of all draws", rules=(NOT_NEGATIVE,)),
        Column("verdict", STR, "what the study shows, in words", rules=(NAMED,)),
        Column("findings", STR, "statistics, JSON", rules=(NAMED,)),
        Column(
            "trials",
            STR,
            "what it was judged among, JSON: how many trials, and the variance of their daily "
            "Sharpe ratios; null: run before it was kept",
            null=True,
            since=2,
            rules=(NAMED,),
        ),
        Column(
            "notes",
            STR,
            "holes in its rows and what was chosen, one sentence a line; null: run before it "
            "was kept",
            null=True,
            since=2,
        ),
        Column(
            "assumptions",
            STR,
            "what its replays took for granted, one sentence a line; null: run before it was "
            "kept",
            null=True,
            since=2,
            rules=(NAMED,),
        ),
        SOURCE,
        KNOWN,
    ),
)

BACKTEST_PLACEBOS = Table(
    name="backtest_placebos",
    doc="One draw of a placebo: the same rule, read pessimistically, on what means nothing.",
    grain=("study_id", "placebo", "draw"),
    time="start_ts",
    columns=(
        STUDY,
        Column("placebo", STR, "what was put in the map's place", rules=(NAMED,)),
        Column("draw", I64, "number of the draw, from 0", rules=(NOT_NEGATIVE,)),
        Column("start_ts", TS, "start of the study's period"),
        Column("trades", I64, "trades closed", "trades", rules=(NOT_NEGATIVE,)),
        Column("attempts", I64, "trades and orders not filled", rules=(NOT_NEGATIVE,)),
        Column(
            "mean_attempt",
            F64,
            "mean return of an attempt; null: none",
            "fraction of notional",
            null=True,
        ),
        Column("pnl", F64, "profit of all trades", "USD"),
        SOURCE,
        KNOWN,
    ),
)

BACKTEST_TRIALS = Table(
    name="backtest_trials",
    doc="One setting tried on coins and a period, kept or not: what the best is held to.",
    grain=("trial_id",),
    time="start_ts",
    columns=(
        Column("trial_id", STR, "hash of rule, coins, period and costs", rules=(NAMED,)),
        Column("sweep_id", STR, "sweep it was tried in; null: a study of its own", null=True),
        Column("strategy", STR, "name of the rule that enters", rules=(NAMED,)),
        Column("variant", STR, "as in backtest_runs", rules=(NAMED,)),
        Column("parameters", STR, "JSON", rules=(NAMED,)),
        Column(
            "terms",
            STR,
            "what was charged, allowed and known when, JSON: under other terms it is another "
            "trial; null: run before it was kept",
            null=True,
            since=2,
            rules=(NAMED,),
        ),
        Column("coins", STR, "coins, with a comma between", rules=(NAMED,)),
        Column("interval", STR, "length of a bar", rules=(NAMED,)),
        Column("start_ts", TS, "start of the period"),
        Column("end_ts", TS, "end of the period"),
        Column(
            "daily",
            pa.list_(F64),
            "profit of each UTC day over the equity at the start, pessimistic reading",
            "fraction",
        ),
        Column("trades", I64, "trades closed", "trades", rules=(NOT_NEGATIVE,)),
        Column(
            "sharpe",
            F64,
            "of the daily returns, not annualised; null: they do not vary",
            null=True,
        ),
        SOURCE,
        KNOWN,
    ),
)
