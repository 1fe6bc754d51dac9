"""This module says in plain words what one coin's numbers mean, and what they rest on."""

from warehouse.report import words
from warehouse.report.coin_facts import CoinFacts

# Below this many positions within reach a ratio is an anecdote.
FEW_POSITIONS = 10


def is_simulated(source: str | None) -> bool:
    """Return whether rows of this source were made up.

    >>> is_simulated("simulated"), is_simulated("reservoir"), is_simulated(None)
    (True, False, False)
    """
    return source is not None and source.startswith("simulated")


def tilt(facts: CoinFacts) -> str:
    """Return in a sentence how leverage within reach is spread over the two sides."""
    regime = facts.regime
    if facts.coverage is None:
        return "No snapshot answers for this moment."
    if regime is None:
        return f"The snapshot holds no position in {facts.coin}, and no price of it is known."
    reach = f"within ±{regime['within_pct']}{words.SPACE}% of the mark"
    if regime["regime"] is None:
        return f"Nothing on this map is liquidated {reach}."
    heavy = "shorts" if regime["short_notional"] > regime["long_notional"] else "longs"
    light = "longs" if heavy == "shorts" else "shorts"
    if regime["ratio"] is None:
        return f"Only {heavy} are liquidated {reach}, no {light}: {regime['regime']}."
    if regime["regime"] == "symmetric":
        return f"Longs and shorts {reach} are within a factor of two: symmetric."
    ratio = f"{regime['ratio']:.1f} times"
    return f"{heavy.capitalize()} {reach} are {ratio} the {light}: {regime['regime']}."


def support(facts: CoinFacts) -> str | None:
    """Return a caution where few positions carry the regime; None where there are many."""
    if facts.regime is None or facts.regime["regime"] is None:
        return None
    rows = [facts.scenario(direction, 15) for direction in ("down", "up")]
    positions = sum(row["positions"] for row in rows if row)
    if positions >= FEW_POSITIONS:
        return None
    return f"This rests on {words.count(positions, 'position')} only."


def ratio_words(facts: CoinFacts) -> str:
    """Return the regime with its ratio, short."""
    regime = facts.regime
    if regime is None:
        return words.UNKNOWN
    if regime["regime"] is None:
        return "nothing in reach"
    ratio = "one side only" if regime["ratio"] is None else f"{regime['ratio']:.1f}×"
    return f"{regime['regime']} · {ratio}"


def seen(facts: CoinFacts) -> str:
    """Return how much of the venue's open interest the snapshot has seen."""
    held = facts.coverage
    if held is None:
        return "nothing was seen"
    if held["open_interest"] is None:
        return f"share of the venue’s open interest seen: {words.UNKNOWN}"
    shares = [
        f"{words.share(held[f'{side}_seen'] or 0.0, held['open_interest'])} of {side}s"
        for side in ("long", "short")
    ]
    return f"saw {words.listed(shares)} on the venue"
