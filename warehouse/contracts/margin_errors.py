"""This module promises what is known of how far our liquidation prices are from the venue's."""

from warehouse.contracts.columns import COIN, F64, I64, KNOWN, SCOPE, SOURCE, STR
from warehouse.contracts.rules import NOT_NEGATIVE, one_of
from warehouse.contracts.table import TS, Column, Table


def _count(name: str, doc: str) -> Column:
    return Column(name, I64, doc, "positions", rules=(NOT_NEGATIVE,))


MARGIN_ERRORS = Table(
    name="margin_errors",
    doc="One coin and margin mode of one day: our liquidation prices against the venue's.",
    grain=("start_ts", "source", "scope", "coin", "leverage_type"),
    time="start_ts",
    columns=(
        Column("start_ts", TS, "midnight that the day begins with"),
        SOURCE,
        SCOPE,
        COIN,
        Column(
            "leverage_type",
            STR,
            "margin mode; unrecorded: the source does not say",
            rules=(one_of("cross", "isolated", "unrecorded"),),
        ),
        _count("positions", "positions of the day, each snapshot's counted"),
        _count("venue", "of them, with the venue's own price"),
        _count("compared", "of venue, with a price of ours that did not look at it"),
        Column(
            "median_error",
            F64,
            "median of |ours / venue - 1| over compared; null: none, or not finite",
            "fraction",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "p99_error",
            F64,
            "99th percentile of the same; null: none, or not finite, as where no_price is many",
            "fraction",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        _count(
            "no_price", "of compared, where we find no price at all: their error is infinite"
        ),
        _count("within_1e6", "of compared, with an error of at most 1e-6"),
        _count("within_1e4", "of compared, with an error of at most 1e-4"),
        _count("near_zero", "beyond 1e-6, but no further than 1e-6 of the mark"),
        _count(
            "own_leverage",
            "beyond 1e-6 or not compared, for its margin table is not its coin's",
        ),
        _count("unexplained", "of compared, beyond 1e-6 for no reason known"),
        _count("no_tiers", "not compared: the coin's margin tiers are not known"),
        _count("no_margin", "not compared: isolated, and its margin is not given"),
        _count("margin_mode_unknown", "not compared: no mode given, and its price shows none"),
        _count(
            "shared_collateral", "not compared: its only price, its value not that of one dex"
        ),
        _count(
            "no_other_price", "not compared: its only price, and no account value to believe"
        ),
        _count("sibling", "cross prices of accounts that have several"),
        _count("agrees", "of sibling, in the account's largest set that implies one margin"),
        _count("silent", "without the venue's price, where the margin is known"),
        _count("confirmed", "of silent, where we find no price either"),
        KNOWN,
    ),
)
