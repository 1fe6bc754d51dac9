"""This module promises what a liquidation level holds that another party added up."""

from warehouse.contracts.columns import COIN, F64, KNOWN, SOURCE, STR
from warehouse.contracts.rules import NOT_NEGATIVE, POSITIVE, one_of
from warehouse.contracts.table import TS, Column, Table

IMPORTED_LEVELS = Table(
    name="imported_levels",
    doc="One price level of somebody else's liquidation map: a sum over positions not seen.",
    grain=("level_ts", "source", "coin", "px"),
    time="level_ts",
    columns=(
        Column("level_ts", TS, "instant its source gives for the map"),
        SOURCE,
        COIN,
        Column("px", F64, "price the source gives the level", "USD", rules=(POSITIVE,)),
        Column(
            "size",
            F64,
            "coins liquidated at the level; null: given in USD only",
            "coin",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "notional",
            F64,
            "value liquidated at the level; null: given in coins only",
            "USD",
            null=True,
            rules=(NOT_NEGATIVE,),
        ),
        Column(
            "side",
            STR,
            "side of the positions liquidated; null: not given, both may be in it",
            null=True,
            rules=(one_of("long", "short"),),
        ),
        Column(
            "bucket_width",
            F64,
            "height of the price bucket behind the level; null: not given",
            "USD",
            null=True,
            rules=(POSITIVE,),
        ),
        KNOWN,
    ),
)
