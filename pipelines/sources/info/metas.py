"""This module translates ``meta`` and ``metaAndAssetCtxs``.

Hyperliquid docs, "Perpetuals" (read 2026-08-22): a margin table's id below 50 means one tier,
of that maximum leverage; other tables stand in ``marginTables``.
"""

from datetime import datetime
from typing import Any, NamedTuple

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import Fields, objects, shown

ONE_TIER_BELOW = 50  # ids of margin tables


class Meta(NamedTuple):
    """The coins of one dex.

    Attributes
    ----------
    coins
        Names, in the venue's order, by which contexts are aligned; delisted ones among them.
    instruments
        Rows of ``instruments``, of coins that are listed, but for source and known_ts.
    """

    coins: list[str]
    instruments: list[dict[str, Any]]


def to_meta(answer: Any, asked_ts: datetime) -> Meta:
    """Translate ``meta``.  Pure.

    Parameters
    ----------
    answer
        What the venue said.
    asked_ts
        When: the rules are known to hold from then on.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or a margin table is not there.

    Examples
    --------
    >>> meta = to_meta(
    ...     {
    ...         "universe": [
    ...             {"name": "BTC", "szDecimals": 5, "maxLeverage": 40, "marginTableId": 56},
    ...             {"name": "OLD", "szDecimals": 0, "maxLeverage": 3, "marginTableId": 3,
    ...              "isDelisted": True},
    ...         ],
    ...         "marginTables": [[56, {"description": "tiered 40x", "marginTiers": [
    ...             {"lowerBound": "0.0", "maxLeverage": 40},
    ...             {"lowerBound": "150000000.0", "maxLeverage": 20},
    ...         ]}]],
    ...     },
    ...     datetime(2026, 1, 1),
    ... )
    >>> meta.coins, [row["coin"] for row in meta.instruments]
    (['BTC', 'OLD'], ['BTC'])
    >>> meta.instruments[0]["margin_tiers"][1]
    {'lower_bound': 150000000.0, 'max_leverage': 20.0}
    """
    fields = Fields(answer, "meta")
    tables = dict(_table(pair) for pair in _list(fields, "marginTables"))
    names, rows = [], []
    for each in fields.objects("universe"):
        name = each.named("name")
        if name in names:
            raise each.wrong("name", "there once", name)
        names.append(name)
        if each.truth("isDelisted"):
            continue
        number, most = each.maybe_integer("marginTableId"), each.count("maxLeverage")
        if number is None or 0 <= number < ONE_TIER_BELOW:
            tiers = [{"lower_bound": 0.0, "max_leverage": float(number or most)}]
        elif number in tables:
            tiers = tables[number]
        else:
            raise SourceError(f"{each.where}: marginTableId {number} is in no marginTables")
        decimals = each.integer("szDecimals")
        if not 0 <= decimals < 2**31:
            raise each.wrong("szDecimals", "a number of decimals", decimals)
        rows.append(
            {
                "coin": name,
                "effective_ts": asked_ts,
                "max_leverage": float(most),
                "size_decimals": decimals,
                "margin_tiers": tiers,
            }
        )
    return Meta(names, rows)


def to_contexts(answer: Any, asked_ts: datetime) -> tuple[Meta, list[dict[str, Any]]]:
    """Translate ``metaAndAssetCtxs`` to rows of ``asset_contexts``.  Pure.

    A coin that is delisted has no row.

    Raises
    ------
    SourceError
        If a field is missing or mistyped, or coins and contexts are not as many.
    """
    if not isinstance(answer, list) or len(answer) != 2:
        raise SourceError(f"metaAndAssetCtxs: must be a pair, is {shown(answer)}")
    meta = to_meta(answer[0], asked_ts)
    contexts = objects(answer[1], "metaAndAssetCtxs")
    if len(contexts) != len(meta.coins):
        raise SourceError(
            f"metaAndAssetCtxs: {len(meta.coins)} coins and {len(contexts)} contexts"
        )
    listed = {row["coin"] for row in meta.instruments}
    rows = []
    for coin, each in zip(meta.coins, contexts, strict=True):
        if coin not in listed:
            continue
        mark, held = each.maybe_above_zero("markPx"), each.maybe_zero_or_more("openInterest")
        rows.append(
            {
                "venue": "hyperliquid",
                "coin": coin,
                "context_ts": asked_ts,
                "mark_px": mark,
                "oracle_px": each.maybe_above_zero("oraclePx"),
                "open_interest": held,
                "open_interest_notional": None if mark is None or held is None else mark * held,
                "funding_rate": each.maybe_decimal("funding"),
                "premium": each.maybe_decimal("premium"),
                "mid_px": each.maybe_above_zero("midPx"),
                **_impact(each),
                # The venue writes 0 where a coin had no price a day ago.
                "prev_day_px": each.maybe_zero_or_more("prevDayPx") or None,
                "day_notional_volume": each.maybe_zero_or_more("dayNtlVlm"),
            }
        )
    return meta, rows


def _impact(context: Fields) -> dict[str, float | None]:
    """Return a context's impact prices; null where the book is too thin for them."""
    names = ("impact_bid_px", "impact_ask_px")
    given = context.value.get("impactPxs")
    if given is None:
        return dict.fromkeys(names)
    if not isinstance(given, list) or len(given) != len(names):
        raise context.wrong("impactPxs", "a pair of bid and ask", given)
    pair = Fields(dict(zip(names, given, strict=True)), f"{context.where} impactPxs")
    return {name: pair.above_zero(name) for name in names}


def _list(fields: Fields, name: str) -> list[Any]:
    value = fields.value.get(name)
    if not isinstance(value, list):
        raise SourceError(f"{fields.where}: field {name} must be a list, is {shown(value)}")
    return value


def _table(pair: Any) -> tuple[int, list[dict[str, float]]]:
    """Translate one of ``marginTables``."""
    if not isinstance(pair, list) or len(pair) != 2 or type(pair[0]) is not int:
        raise SourceError(f"meta marginTables: must be pairs of id and table, is {shown(pair)}")
    table = Fields(pair[1], f"meta marginTables {pair[0]}")
    return pair[0], [
        {
            "lower_bound": tier.zero_or_more("lowerBound"),
            "max_leverage": float(tier.count("maxLeverage")),
        }
        for tier in table.objects("marginTiers")
    ]
