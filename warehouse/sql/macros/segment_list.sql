-- The segments of accounts with their bounds: the one place where they are written down.  The view
-- segments shows them; what they mean, and why these bounds, is in docs/definitions.md.
--
-- gives: none | the segments, a list; their bounds are USD | never
-- macro: segment_list()
[
    {'segment': 'shrimp', 'kind': 'size', 'nth': 1, 'at_least': null::double, 'below': 250::double},
    {'segment': 'fish', 'kind': 'size', 'nth': 2, 'at_least': 250, 'below': 10_000},
    {'segment': 'dolphin', 'kind': 'size', 'nth': 3, 'at_least': 10_000, 'below': 50_000},
    {'segment': 'apex_predator', 'kind': 'size', 'nth': 4, 'at_least': 50_000, 'below': 100_000},
    {'segment': 'small_whale', 'kind': 'size', 'nth': 5, 'at_least': 100_000, 'below': 500_000},
    {'segment': 'whale', 'kind': 'size', 'nth': 6, 'at_least': 500_000, 'below': 1_000_000},
    {'segment': 'tidal_whale', 'kind': 'size', 'nth': 7, 'at_least': 1_000_000, 'below': 5_000_000},
    {'segment': 'leviathan', 'kind': 'size', 'nth': 8, 'at_least': 5_000_000, 'below': null},
    {'segment': 'unknown_size', 'kind': 'size', 'nth': 9, 'at_least': null, 'below': null},
    {'segment': 'giga_rekt', 'kind': 'profit', 'nth': 1, 'at_least': null, 'below': -1_000_000},
    {'segment': 'full_rekt', 'kind': 'profit', 'nth': 2, 'at_least': -1_000_000, 'below': -100_000},
    {'segment': 'semi_rekt', 'kind': 'profit', 'nth': 3, 'at_least': -100_000, 'below': -10_000},
    {'segment': 'exit_liquidity', 'kind': 'profit', 'nth': 4, 'at_least': -10_000, 'below': 0},
    {'segment': 'humble_earner', 'kind': 'profit', 'nth': 5, 'at_least': 0, 'below': 10_000},
    {'segment': 'grinder', 'kind': 'profit', 'nth': 6, 'at_least': 10_000, 'below': 100_000},
    {'segment': 'smart_money', 'kind': 'profit', 'nth': 7, 'at_least': 100_000, 'below': 1_000_000},
    {'segment': 'money_printer', 'kind': 'profit', 'nth': 8, 'at_least': 1_000_000, 'below': null},
    {'segment': 'unknown_profit', 'kind': 'profit', 'nth': 9, 'at_least': null, 'below': null}
]
