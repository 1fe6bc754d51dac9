"""The market outside and the book here, said plainly: floats, loops, no arrays of state.

Each function takes a coin as a dict of its fields and returns a new one.
"""

from itertools import pairwise
from math import exp, sqrt

from tests.reference import venue_rules as rules

BOUNDS = [
    0,
    0.5,
    1,
    2,
    3,
    5,
    8,
    12,
    18,
    26,
    38,
    55,
    80,
    115,
    165,
    240,
    350,
    500,
    720,
    1000,
    1400,
]


def coin_of(w, c):
    """Return a coin's fields."""
    return dict(zip(w.coins.dtype.names, w.coins[c].tolist(), strict=True))


def decimals_of(coin):
    """Return the decimals of its prices."""
    return 6 - coin["size_decimals"]


def elsewhere(coin):
    """Return the middle of other venues' perpetuals: spot, what followed, and their basis."""
    return coin["spot"] * (1 + coin["carried"]) * (1 + coin["basis"])


def quoted(coin, periods, before):
    """Return the coin, and levels ``(px, size)`` of both sides; ``before``: sizes there."""
    coin, unit = dict(coin), 10 ** decimals_of(coin)
    if coin["fair"] > 0:
        middle = (coin["bid"] + coin["ask"]) / 2 / unit
        coin["pushed"] += 0.35 * (middle / coin["fair"] - 1)
    coin["fair"] = fair = elsewhere(coin) * (1 + coin["pushed"])
    half = coin["half_spread"] * (1 + 0.1 * coin["stress"])
    missing = 0.75 ** min(periods, 40)
    sides = []
    for side, sign in enumerate((-1, 1)):
        levels = []
        for k, (low, high) in enumerate(pairwise(BOUNDS)):
            px = rules.on_tick(fair * (1 + sign * (half + low / 1e4)) * unit, decimals_of(coin))
            if k == 0 and side == 1:
                px = max(px, above(sides[0][0][0], decimals_of(coin)))
            elif k > 0 and (px - levels[-1][0]) * sign <= 0:
                px = above(levels[-1][0], decimals_of(coin), sign)
            usd = (
                coin["depth"]
                / (1 + coin["stress"])
                * ((high / 100) ** 1.161 - (low / 100) ** 1.161)
            )
            wanted = int(usd / (fair / 10 ** coin["size_decimals"])) + 1
            there = before[side][k]
            levels.append((px, min(wanted, wanted - int((wanted - there) * missing))))
        sides.append(levels)
    coin["bid"], coin["ask"] = sides[0][0][0], sides[1][0][0]
    return coin, sides


def above(units, decimals, sign=1):
    """Return the next price on a tick above, or below."""
    step = 1
    while step < 10**decimals and units >= 100_000 * step:
        step *= 10
    return units + sign * step


def moved(coin, share, periods):
    """Return a coin after its jump, a share of its minute, and ``periods`` of 3 s."""
    coin = dict(coin)
    step = share * coin["ret"] + coin["jump"]
    coin["jump"] = 0.0
    coin["spot"] *= 1 + step
    for _ in range(periods):
        coin["stress"] *= 0.985
        coin["carried"] += 0.06 * coin["pushed"]
        coin["pushed"] *= 1 - 0.06 - 0.05
    coin["stress"] += 0.45 * max(0.0, abs(step) / coin["calm"] - periods / 5)
    coin["stress"] += 6.0 * coin["forced"] / coin["depth"]
    coin["forced"] = 0.0
    return coin


def priced(coin, sides, periods):
    """Return a coin with its oracle, mark, impact prices and premium set.

    Mark: the median of oracle plus the 150 s average of mid less oracle; of the median of best
    bid, best ask and last trade; and of the middle elsewhere.
    """
    coin, decimals = dict(coin), decimals_of(coin)
    unit, seconds = 10**decimals, 3.0 * periods
    coin["oracle"] = rules.on_tick(coin["spot"] * (1 + coin["carried"]) * unit, decimals)
    gap, fades = (coin["bid"] + coin["ask"]) / 2 - coin["oracle"], exp(-seconds / 150)
    coin["ema_num"] = coin["ema_num"] * fades + gap * seconds
    coin["ema_den"] = coin["ema_den"] * fades + seconds
    candidates = [
        coin["oracle"] + coin["ema_num"] / coin["ema_den"],
        sorted([coin["bid"], coin["ask"], coin["last"]])[1],
        elsewhere(coin) * unit,
    ]
    coin["mark_before"] = coin["mark"]
    coin["mark"] = rules.on_tick(sorted(candidates)[1], decimals)
    for name, levels in zip(("impact_bid", "impact_ask"), sides, strict=True):
        average = rules.impact_px(levels, int(coin["impact"] * 10**6))
        coin[name] = rules.on_tick(float(average), decimals)
    coin["premium"] = float(
        rules.premium(coin["impact_bid"], coin["impact_ask"], coin["oracle"])
    )
    coin["premium_sum"] += coin["premium"] * seconds
    coin["premium_count"] += seconds
    return coin


def drawn(coins, variance, vol, extra, numbers):
    """Return the market's variance and the coins with a minute's returns.

    ``numbers`` yields draws: ``normal()`` and ``uniform()``.
    """
    z = numbers.normal()
    move = vol * sqrt(variance) * z + extra
    jump = 0.004 * numbers.normal() if numbers.uniform() < 0.0008 else 0.0
    shock = 0.8 * numbers.normal() - 0.6 * z
    after = max(0.05, variance + 0.02 * (1 - variance) + 0.16 * sqrt(variance) * shock)
    out = []
    for coin in map(dict, coins):
        own = coin["own_variance"]
        ret = coin["beta"] * move + coin["own_vol"] * sqrt(own) * numbers.normal()
        coin["ret"] = max(-0.5, min(0.5, ret))
        coin["jump"] = coin["beta"] * jump
        if numbers.uniform() < 0.0001:
            coin["jump"] += 0.025 * numbers.normal()
        coin["own_variance"] = max(
            0.05, own + 0.02 * (1 - own) + 0.16 * sqrt(own) * numbers.normal()
        )
        whole = ret + coin["jump"]
        coin["basis"] += -0.003 * coin["basis"] + 0.01 * whole + 0.00005 * numbers.normal()
        coin["trend"] += whole - coin["trend"] / 360
        coin["carried"] *= 1 - 0.011
        out.append(coin)
    return after, out
