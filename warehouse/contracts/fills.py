"""This module promises what a fill holds."""

from warehouse.contracts.columns import BOOL, COIN, F64, I64, KNOWN, SOURCE, STR
from warehouse.contracts.rules import ACCOUNT, NAMED, NOT_NEGATIVE, POSITIVE, one_of
from warehouse.contracts.table import TS, Column, Table

FILLS = Table(
    name="fills",
    doc="One side of one trade; the two sides of a trade share trade_id.",
    grain=("coin", "time_ts", "trade_id", "account", "is_buy", "source"),
    time="time_ts",
    told_once=("time_ts", "coin", "account", "is_buy", "order_id", "px", "size"),
    columns=(
        Column("time_ts", TS, "block time of the trade"),
        COIN,
        Column("account", STR, "whose side this row is", rules=(ACCOUNT,)),
        Column(
            "px",
            F64,
            "price of the trade; 0 where the venue settled so",
            "USD",
            rules=(NOT_NEGATIVE,),
        ),
        Column("size", F64, "coins traded", "coin", rules=(NOT_NEGATIVE,)),
        Column("is_buy", BOOL, "true: the account bought"),
        Column("start_position", F64, "signed position before the fill", "coin"),
        Column(
            "direction",
            STR,
            "the venue's own word: Open Long, Close Short, …; null: not given, and not told by "
            "the position before",
            null=True,
            rules=(NAMED,),
        ),
        Column(
            "closed_pnl",
            F64,
            "profit realised by the fill, as reported; null: not given",
            "USD",
            null=True,
        ),
        Column(
            "fee",
            F64,
            "fee with the builder's part; negative: a rebate; null: not given",
            "fee_token",
            null=True,
        ),
        Column(
            "fee_token",
            STR,
            "token the fee is paid in; null: not given",
            null=True,
            rules=(NAMED,),
        ),
        Column(
            "trade_id",
            I64,
            "the venue's tid; unique with time_ts, coin and source; negative: the source gives "
            "none, made from both orders' ids, so it matches no other source's",
        ),
        Column(
            "order_id",
            I64,
            "the venue's oid of this side's order, the same in every source; a trade's two "
            "sides have one each",
        ),
        Column("is_taker", BOOL, "true: the order crossed the book"),
        Column(
            "liquidation_method",
            STR,
            "market: forced order in the book; backstop: taken over by the liquidator vault; "
            "adl: closed against the other side; null: no liquidation, or, from node_trades, "
            "one other than market",
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
