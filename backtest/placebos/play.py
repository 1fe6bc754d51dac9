"""This module plays the placebos of a study, account by account, and pools them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backtest.again import together
from backtest.one_account import in_accounts
from backtest.placebos.coin_placebos import (
    DRAWN,
    NAMES,
    SHUFFLED,
    TIMES,
    CoinPlacebos,
    Lots,
    Rng,
    Widened,
    allowed,
)
from backtest.placebos.days_alike import days_alike
from backtest.placebos.looked import look
from backtest.placebos.placebo import Draw, Placebo
from backtest.placebos.random_times import entered
from backtest.placebos.shuffled import days_of_flow, turns
from backtest.pooled import attempts_of, pooled
from backtest.replay import Replay
from backtest.study import Played, Progress


def lots_of(coins: Sequence[CoinPlacebos], rng: Callable[[str, int], Rng], draws: int) -> Lots:
    """Return what is drawn for all coins, up to so many draws of each placebo."""
    closes = [one.own.bars.end[allowed(one.tape)] for one in coins]
    alike = days_alike([one.tape.bars for one in coins], closes)
    days = [one.own.bars.end[entered(one.own.replay)].astype("datetime64[D]") for one in coins]
    snapshots = [one.atlas.snapshots for one in coins if one.atlas is not None]
    flows = [days_of_flow(one.tape.bars) for one in coins if one.looked.flow is not None]
    shuffles = [
        turns(parts, draws, rng(SHUFFLED, number)) if parts else None
        for number, parts in enumerate((snapshots, flows))
    ]
    held = [len(one.on) for one in shuffles if one is not None]
    times = min(draws, alike.ways(np.concatenate(days)) - 1)
    return Lots(alike, *shuffles, {TIMES: times, SHUFFLED: min(held, default=0)})


def play_placebos(played: Played, progress: Progress | None = None) -> list[Placebo]:
    """Play every placebo that means something for a rule.

    Parameters
    ----------
    played
        The study; its question says how many draws and from which seed.
    progress
        Told the placebo, how many coins are done, of how many.

    Returns
    -------
    list
        Random times of any rule that was played; of a rule that asks for maps or flow also the
        others.  What is drawn has no more draws than there are ways to draw it; where there is
        none (a single snapshot or day) there is no such placebo.  Coins of one account are
        decided on first, and then replayed in it.
    """
    question = played.question
    found: dict[str, list[list[Draw]]] = {name: [] for name in NAMES}
    own = played.of("pessimistic")

    def rng(name: str, draw: int) -> Rng:
        return np.random.default_rng([question.seed, NAMES.index(name), draw])

    done, kept = 0, []
    every = [
        CoinPlacebos(tape, run, look(tape, run.strategy), rng)
        for tape, run in zip(played.tapes, own, strict=True)
    ]
    lots = lots_of(every, rng, question.draws)
    for coins in in_accounts(every, question.account):
        for name in NAMES:
            if progress is not None:
                said = ", ".join(one.tape.coin for one in coins)
                progress(f"{name} {said}", done, len(own))
            found[name].append(_drawn(coins, name, lots))
        kept.append(_draw(coins, [one.own.replay for one in coins]))
        done += len(coins)
    if progress is not None:
        progress("placebos", len(own), len(own))
    return [
        Placebo(name, name in DRAWN, name != TIMES, _pooled(drawn, kept))
        for name, drawn in found.items()
        if any(drawn)
    ]


def _drawn(coins: Sequence[CoinPlacebos], name: str, lots: Lots) -> list[Draw]:
    """Return the draws of a placebo on an account; none where it means nothing there."""
    while True:
        try:
            return list(_each_draw(coins, name, lots))
        except Widened:
            continue


def _each_draw(coins: Sequence[CoinPlacebos], name: str, lots: Lots) -> Iterator[Draw]:
    for draw in range(lots.draws.get(name, 1)):
        made = [one.decide(name, draw, lots) for one in coins]
        if all(one is None for one in made):
            return
        decisions = [
            one.own.decisions if other is None else other
            for one, other in zip(coins, made, strict=True)
        ]
        yield _draw(coins, together([one.tape for one in coins], decisions))


def _draw(coins: Sequence[CoinPlacebos], replays: Sequence[Replay]) -> Draw:
    """Return what came of a draw on an account, of its coins' shares."""
    pairs = [(one.tape.period, share) for one, share in zip(coins, replays, strict=True)]
    pnl = sum(share.trades["pnl"].sum() for share in replays)
    return Draw(attempts_of(pairs), float(pnl))


def _pooled(drawn: list[list[Draw]], kept: list[Draw]) -> tuple[Draw, ...]:
    """Return each draw of all accounts; of one without draws, what was ``kept``."""
    many = max(map(len, drawn))
    filled = [draws or [own] * many for draws, own in zip(drawn, kept, strict=True)]
    return tuple(
        Draw(pooled([draw.attempts for draw in draws]), float(sum(draw.pnl for draw in draws)))
        for draws in zip(*filled, strict=True)
    )
