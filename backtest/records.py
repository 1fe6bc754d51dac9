"""This module holds the records that the replay's kernels take and give.

Records keep what belongs to one bar, decision, position or trade side by side in memory, and
give every number one name in the kernels, in Python and in the slow twin.
"""

import numpy as np

_F, _I, _SMALL = np.float64, np.int64, np.int8


def _record(fields: list[tuple[str, type]]) -> np.dtype:
    """Return the type of records whose fields are attributes, interpreted as compiled."""
    return np.dtype((np.record, fields))


# One bar of one coin.  A NaN open: nothing traded, and every price is NaN.  ``volume`` is in
# coins, NaN: not known.  ``funding_rate`` is the fraction of notional that longs pay, summed
# over the stamps since the close of the coin's bar before, this open's included; ``oracle_px``
# is what it is taken on, NaN: the open.  What falls due after the open and before the close is
# in ``paid_by_longs`` and ``paid_by_shorts``, USD a coin: the sum of the payments that longs
# make, and of those that shorts do.
BAR = _record(
    [
        ("open_px", _F),
        ("high_px", _F),
        ("low_px", _F),
        ("close_px", _F),
        ("volume", _F),
        ("funding_rate", _F),
        ("oracle_px", _F),
        ("paid_by_longs", _F),
        ("paid_by_shorts", _F),
        ("curve", _I),  # row of the slippage curves that hold for the bar,
        ("forced", _I),  # and row for the exits that the market forces in it
        ("first", _I),  # its finer bars are first to last - 1 of those of its coin;
        ("last", _I),  # none where both are alike
    ]
)

# What an entry order is.
MARKET, LIMIT, STOP_ENTRY = 0, 1, 2

# What is decided for one coin at the close of one bar.
DECISION = _record(
    [
        ("side", _SMALL),  # +1, -1; 0: no entry
        ("kind", _SMALL),  # MARKET, LIMIT or STOP_ENTRY
        ("leave", np.bool_),  # close what is open, at the market
        ("only_side", _SMALL),  # side of the position that leave and moves are for; 0: either
        ("good_for", _I),  # bars an order rests
        ("max_bars", _I),  # bars the trade may be held; 0: any number
        ("px", _F),  # of a resting entry, USD
        ("stop_fraction", _F),  # distance from the entry as a fraction of it; NaN: none
        ("stop_px", _F),  # USD, in place of the fraction; NaN: the fraction says
        ("target_fraction", _F),
        ("target_px", _F),
        ("trail_fraction", _F),  # distance of a trailing stop from the best price; NaN: none
        ("notional", _F),  # USD
        ("share", _F),  # of equity at the fill, added to notional
        ("move_stop_px", _F),  # of what is open: new stop, USD; NaN: as it is
        ("move_target_px", _F),
    ]
)

# A coin's position and its resting entry while they last.
HELD = _record(
    [
        ("side", _I),  # 0: nothing is held
        ("coins", _F),  # left, signed
        ("filled", _F),  # coins entered, signed
        ("spent", _F),  # coins entered times their prices, unsigned
        ("earned", _F),  # coins left times their prices, unsigned
        ("stop_px", _F),
        ("target_px", _F),
        ("trail_fraction", _F),
        ("begun_px", _F),  # of its first fill, before slippage
        ("best_px", _F),  # seen since, its own fills among them
        ("worst_px", _F),
        ("fees", _F),
        ("funding", _F),
        ("slippage", _F),
        ("forfeit", _F),
        ("entered", _I),
        ("decided", _I),
        ("until", _I),  # bar at whose open its time is over; -1: none
        ("ambiguous", np.bool_),
        ("bounded", np.bool_),  # a bound of what falls due now is in its funding
        ("order", _I),  # decision whose entry rests; -1: none
        ("order_last", _I),  # last bar it rests
        ("order_left", _F),  # coins not yet filled; NaN: not yet sized
        ("order_new", np.bool_),  # has not met a price yet
        ("next_row", _I),  # first decision that has not reached the venue
    ]
)

TRADE = _record(
    [
        ("coin", _I),
        ("decided", _I),  # bars
        ("entered", _I),
        ("left", _I),
        ("reason", _SMALL),
        ("kind", _SMALL),
        ("ambiguous", np.bool_),
        ("size", _F),
        ("entry_px", _F),
        ("exit_px", _F),
        ("stop_px", _F),
        ("target_px", _F),
        ("worst_px", _F),
        ("best_px", _F),
        ("fees", _F),
        ("funding", _F),
        ("slippage", _F),
        ("forfeit", _F),
        ("pnl", _F),
    ]
)

# How a bar is read where its four prices leave open what came first.
PESSIMISTIC, OPTIMISTIC, DRILLED = 0, 1, 2

# When a resting limit is filled: the price touches it; trades ``ticks`` beyond it; or touches
# it, for no more than ``volume_share`` of what the bar traded.
TOUCH, THROUGH, SHARE = 0, 1, 2

RULES = _record(
    [
        ("reading", _I),
        ("limit", _I),
        ("ticks", _F),
        ("volume_share", _F),
        ("taker_fee", _F),
        ("maker_fee", _F),
        ("start_equity", _F),
    ]
)

# One setting of a sweep: bars ``first`` to ``last - 1`` of the flat bars, of which its coin's
# begin at ``origin``; the same bars' sides begin at ``sides`` of the flat sides, their target
# prices at ``targets`` (-1: there are none); ``ends`` to ``ends + days - 1`` are the last bars
# of its days, of which the first is column ``day`` of the answer.
SETTING = _record(
    [
        ("origin", _I),
        ("first", _I),
        ("last", _I),
        ("sides", _I),
        ("targets", _I),
        ("ends", _I),
        ("day", _I),
        ("days", _I),
        ("max_bars", _I),
        ("stop_fraction", _F),
        ("target_fraction", _F),
        ("notional", _F),
        ("start_equity", _F),
        ("leverage", _F),
        ("optimistic", np.bool_),
    ]
)

# What came of one setting.
RESULT = _record(
    [
        ("trades", _I),
        ("refused", _I),
        ("ambiguous", _I),
        ("won", _I),
        ("pnl", _F),
        ("sum_return", _F),
        ("fees", _F),
        ("funding", _F),
        ("closest", _F),  # least of equity over notional at the worst price of any trade
    ]
)

# How a trade ended.
STILL_OPEN, STOP, TARGET, TIME, END, TRAIL, LEFT, LIQUIDATION = 0, 1, 2, 3, 4, 5, 6, 7

# What became of a decision.
NOT_TAKEN, OPENED, UNFILLED, REFUSED, WAITING = 0, 1, 2, 3, 4


def empty(shape: int | tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Return records that say nothing: NaN for every price, 0 for every count.

    >>> bool(np.isnan(empty(1, BAR)["open_px"][0])), int(empty(1, DECISION)["side"][0])
    (True, 0)
    """
    out = np.zeros(shape, dtype)
    for name in dtype.names or ():
        if dtype[name].kind == "f":
            out[name] = np.nan
    return out
