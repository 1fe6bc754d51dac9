"""A question to each table macro, as the tests that hold for all of them ask it.

``$at`` is the moment asked for, or the end of the span; ``$since`` and ``$earlier`` lie before.
"""

# Of a moment: what happens at it counts.
AT = {
    "snapshot_at": "from snapshot_at('BTC', $at, knowable := $knowable)",
    "states_at": "from states_at('BTC', $at, knowable := $knowable)",
    "positions_at": "from positions_at('BTC', $at, knowable := $knowable)",
    "dex_positions_at": "from dex_positions_at('BTC', $at, knowable := $knowable)",
    "all_positions_at": "from all_positions_at($at, knowable := $knowable)",
    "current_px": "from current_px('BTC', $at, knowable := $knowable)",
    "liquidation_map": "from liquidation_map('BTC', $at, knowable := $knowable)",
    "levels_at": "from levels_at('BTC', $at, 0.5, null, knowable := $knowable)",
    "liquidation_clusters": "from liquidation_clusters('BTC', $at, knowable := $knowable)",
    "cascade_scenarios": "from cascade_scenarios('BTC', $at, knowable := $knowable)",
    "leverage_regime": "from leverage_regime('BTC', $at, knowable := $knowable)",
    "map_coverage": "from map_coverage('BTC', $at, knowable := $knowable)",
    "map_dependence": "from map_dependence('BTC', $at, knowable := $knowable)",
    "positions_at_each": "from positions_at_each('BTC', [$earlier, $at], "
    "knowable := $knowable)",
    "map_moves": "from map_moves('BTC', $earlier, $at, knowable := $knowable)",
    "map_changes": "from map_changes('BTC', $earlier, $at, knowable := $knowable)",
    "mass_decay": "from mass_decay('BTC', $earlier, $at, hours := [1, 11.5, 14], "
    "knowable := $knowable)",
    "account_profits": "from account_profits($at, knowable := $knowable)",
    "account_segments": "from account_segments($at, knowable := $knowable)",
    "segmented_positions": "from segmented_positions($at, knowable := $knowable)",
    "segment_map": "from segment_map('BTC', $at, kind := 'profit', knowable := $knowable)",
    "liquidation_risk": "from liquidation_risk('all', $at, knowable := $knowable)",
    "context_asof": "from context_asof('BTC', $at, knowable := $knowable)",
    "funding_asof": "from funding_asof('BTC', $at, knowable := $knowable)",
    "candle_asof": "from candle_asof('BTC', $at, max_age := interval 5 hours, "
    "knowable := $knowable)",
    "book_asof": "from book_asof('BTC', $at, max_age := interval 2 hours, "
    "knowable := $knowable)",
}
# Of a span that ends before the moment.
UNTIL = {
    "fill_hours": "from fill_hours('BTC', $since, $at, knowable := $knowable)",
    "liquidations_between": "from liquidations_between('BTC', $since, $at, "
    "knowable := $knowable)",
    "liquidation_rates": "from liquidation_rates('BTC', $since, $at, min_held := 0.05, "
    "knowable := $knowable)",
    "liquidation_flow": "from liquidation_flow('BTC', $since, $at, min_held := 0.05, "
    "knowable := $knowable)",
    "cascades": "from cascades('BTC', $since, $at, min_held := 0.05, min_velocity := 100, "
    "knowable := $knowable)",
    "position_spells": "from position_spells($since, $at, knowable := $knowable)",
    "liquidation_heatmap": "from liquidation_heatmap('BTC', $since, $at, "
    "every := interval 13 hours, segments := true, knowable := $knowable)",
    "cascade_scenarios_between": "from cascade_scenarios_between('BTC', $since, $at, "
    "interval 13 hours, knowable := $knowable)",
    "leverage_regime_between": "from leverage_regime_between('BTC', $since, $at, "
    "interval 13 hours, knowable := $knowable)",
    "incidents_at": "from incidents_at('fills', 'BTC', $since, $at)",
}
EVERY = AT | UNTIL
# Of a coin that nobody holds, and of one that only few sweeps see: a context prices it; and of
# coins that were new, of which a table told late (tests/warehouse/late_market.py).
BESIDE = {
    "current_px": ("DOGE", "HYPE"),
    "positions_at": ("HYPE", "ETH"),
    "dex_positions_at": ("HYPE",),
    "map_coverage": ("ETH",),
    "liquidation_rates": ("NEWC", "NEWF", "NEWI"),
    "positions_at_each": ("xyz:GOLD", "ETH"),
}
QUARTERS = "from candle_asof('BTC', $at, interval_ := '15m', knowable := $knowable)"


def questions(name):
    """Return all that is asked of a macro."""
    others = (EVERY[name].replace("'BTC'", f"'{coin}'") for coin in BESIDE.get(name, ()))
    return [EVERY[name], *others, *([QUARTERS] if name == "candle_asof" else [])]
