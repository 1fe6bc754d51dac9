"""Moves the marks of a small world one at a time, and watches who is liquidated, and how.

Complaints are sentences; what is expected comes from :mod:`tests.reference`.
"""

from fractions import Fraction

import numpy as np

from pipelines.simulator import records as r
from pipelines.simulator import world as worlds
from pipelines.simulator.kernels.book import quote
from pipelines.simulator.kernels.liquidation import liquidate
from pipelines.simulator.kernels.prices import elsewhere, move, set_prices
from pipelines.simulator.statement import positions_of
from tests.reference import venue_rules as rules
from tests.reference.venue import open_positions, standings, tables_of


def set_marks(sim, returns):
    """Move each coin elsewhere by a return, and let book and mark follow."""
    w = sim.world
    w.coins["ret"], w.coins["jump"] = returns, 0.0
    for c in range(w.coins.size):
        move(w, c, 1.0, 1)
        quote(w, c, elsewhere(w, c), 1)
        set_prices(w, c, 1)


def liquidated_at(sim, ms, partial_since=worlds.PARTIAL_SINCE):
    """Liquidate, and return what was told of it."""
    tape = worlds._tape(sim.world, 1, False)
    liquidate(sim.world, tape, ms, sim.vault, partial_since, False)
    return worlds._told(tape)


def prices(sim):
    """Return each position's liquidation price, worked out independently; units, or None."""
    marks, tables = sim.world.coins["mark"].tolist(), tables_of(sim)
    stand, out = standings(sim, marks), {}
    for a, coin, slot in open_positions(sim.moment()):
        size, tiers = slot["size"], tables[slot["table"]]
        if slot["isolated"]:
            raw = Fraction(slot["margin"])
        else:
            value, whole = size * marks[coin], stand[a, None]
            raw = whole.equity - value - (whole.held - rules.maintenance(abs(value), tiers))
        out[a, coin] = rules.liquidation_px(size, raw, tiers), size
    return out


def misstated(sim, within=1e-9):
    """Compare the reported liquidation prices with the independent ones."""
    out, expected = [], prices(sim)
    decimals = 6 - sim.world.coins["size_decimals"]
    rows = positions_of(sim, sim.moment())
    for a, coin, px in rows.select("account", "coin", "liquidation_px").iter_rows():
        want, _ = expected.pop((a, coin))
        want = None if want is None else float(want / 10 ** int(decimals[coin]))
        if (px is None) != (want is None) or (px and abs(px / want - 1) > within):
            out.append(f"account {a}, coin {coin}: reported {px}, worked out {want}")
    return out + [f"{key}: not reported" for key in expected]


def crossed(sim, expected, marks):
    """Return who, of those with one price, a mark has crossed it, and who it has not."""
    cross, yes, no = {}, set(), set()
    for a, coin, slot in open_positions(sim.moment()):
        key = (a, coin) if slot["isolated"] else (a, None)
        px, size = expected[a, coin]
        cross.setdefault(key, []).append((px, size, int(marks[coin])))
    for key, held in cross.items():
        if len(held) == 1:  # of several, others' marks move the price
            px, size, mark = held[0]
            over = px is not None and (mark < px if size > 0 else mark > px)
            (yes if over else no).add(key)
    return yes, no


def key_of(row):
    """Return what a liquidation row is about, as standings are keyed."""
    return int(row["account"]), int(row["coin"]) if row["isolated"] else None


def judge(sim, before, partials, marks, ms, told, partial_since=worlds.PARTIAL_SINCE):
    """Hold what was liquidated against how everyone stood before."""
    out = []
    under = {key for key, stand in before.items() if stand.under and key[0] != sim.vault}
    first = {}
    for row in told.liquidations:
        first.setdefault(key_of(row), row)
    # Deleveraging may touch others before their turn, and an isolated loss its own account.
    deleveraged = told.trades[told.trades["kind"] == r.BY_ADL]
    met = set()
    for name in ("buyer", "seller"):
        met |= set(deleveraged[name][deleveraged[name] != deleveraged["liquidated"]].tolist())
    lost = {key[0] for key in first if key[1] is not None}

    def touched(key):
        return key[0] in met or (key[1] is None and key[0] in lost)

    for key in under ^ first.keys():
        if not touched(key):
            out.append(
                f"{key}: {'not ' if key in under else ''}liquidated, under: {key in under}"
            )
    for key, row in first.items():
        stand = before.get(key)
        if stand is None or touched(key):
            continue
        if row["equity"] != stand.equity:
            out.append(f"{key}: equity {row['equity']}, worked out {stand.equity}")
        if abs(row["maintenance"] - float(stand.held)) > 1e-9 * float(stand.held):
            out.append(f"{key}: maintenance {row['maintenance']} of {float(stand.held)}")
        how = {int(r.BY_MARKET): "market", int(r.BY_BACKSTOP): "backstop", int(r.BY_ADL): "adl"}
        if how[int(row["kind"])] != rules.method(stand.equity, stand.held):
            out.append(f"{key}: by {how[int(row['kind'])]}")
    for row in told.liquidations:
        size, mark = int(row["size"]), int(row["mark"])
        if mark != marks[row["coin"]]:
            out.append(f"{key_of(row)}: at mark {mark}")
        asked = abs(size)
        if row["kind"] == r.BY_MARKET:
            last = partials[row["account"]]
            asked = rules.sent(size, mark, ms, int(last), partial_since)
        if row["sent"] != asked:
            out.append(f"{key_of(row)}: sent {row['sent']} of {size}, must {asked}")
    return out + left_under(sim, marks, told)


def left_under(sim, marks, told):
    """Complain of who is still under maintenance without a reason."""
    rows = told.liquidations
    partly = (rows["kind"] == r.BY_MARKET) & (rows["sent"] < np.abs(rows["size"]))
    excused = set(rows["account"][partly | (rows["filled"] < rows["sent"])].tolist())
    off_book = told.trades[told.trades["kind"] == r.BY_ADL]
    excused |= set(off_book["buyer"].tolist()) | set(off_book["seller"].tolist())
    return [
        f"{key}: left under maintenance"
        for key, stand in standings(sim, marks).items()
        if stand.under and key[0] not in excused | {sim.vault}
    ]
