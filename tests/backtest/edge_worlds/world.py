"""This module makes tapes of a made-up market, on which a study runs as on a lake's."""

from dataclasses import dataclass, replace

import numpy as np

from backtest.bars import Bars
from backtest.funding import Funding
from backtest.maps import Maps
from backtest.market import WIDTHS
from backtest.question import Question
from backtest.slippage import SIZES, Slippage
from backtest.strategies.strategy import Strategy
from backtest.study import Played, play_tapes
from backtest.tape import Tape
from backtest.terms import Costs, Terms
from backtest.view import MapReader, View
from tests.backtest.edge_worlds.crowd import Edge, Walked, walk
from tests.backtest.edge_worlds.crowd_lake import crowd_lake
from tests.backtest.edge_worlds.shocks import STEPS, Shocks, shocks
from tests.backtest.edge_worlds.told import HOUR, Told
from tests.backtest.made import MARGIN

START = np.datetime64("2025-01-01", "us")
WARMUP = 168  # hours before the period
HALF_SPREAD = 0.0001
VOLUME = 1e6  # coins a day
SLIPPAGE = 0.03 / np.sqrt(100 * VOLUME)  # a day's volatility, and the root of its USD
FUNDING = 1e-5  # an hour
DRAWS = 39  # the least p of a placebo is then 1 in 40
RICH = 1e6  # USD; nobody runs out of it
# Everything is charged, and costs nothing.
FREE = Terms(costs=Costs(0.0, 0.0), start_equity=RICH)
CHARGED = Terms(start_equity=RICH)
NO_EDGE = Edge()


@dataclass(frozen=True, kw_only=True)
class WorldTape(Tape):
    """A tape whose maps and flow are a made-up crowd's.

    Attributes
    ----------
    told
        What was known of the crowd.
    """

    told: Told

    def view(self, read_maps: MapReader | None = None) -> View:
        """Return what a strategy may look at."""
        return View(self.bars, self.decimals, read_maps or self.read_maps, self.told.flow)

    def read_maps(
        self, asked: np.ndarray, moments: np.ndarray, px: np.ndarray, reach_pct: float
    ) -> Maps:
        """Return what the crowd's maps said."""
        return self.told.maps(asked, moments, px, reach_pct)


@dataclass(frozen=True, kw_only=True)
class World:
    """A made-up market; worlds of one seed differ by their edge alone.

    Attributes
    ----------
    seed
        Of all draws.
    edge
        What is planted.
    days
        Length of the period, after a week of warm-up.
    coins
        How many, moving together in part.
    fine
        Whether a replay is given bars of five minutes too.
    terms
        What is charged.
    draws
        Of each placebo.
    """

    seed: int
    edge: Edge = NO_EDGE
    days: int = 365
    coins: int = 4
    fine: bool = False
    terms: Terms = CHARGED
    draws: int = DRAWS

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the coins are called."""
        return tuple(f"COIN{number}" for number in range(self.coins))

    def tapes(self) -> list[WorldTape]:
        """Return a tape a coin."""
        rng = np.random.default_rng(self.seed)
        drawn = shocks(rng, self.coins, WARMUP + 24 * self.days)
        return [self._tape(rng, *one) for one in zip(self.names, drawn, strict=True)]

    def asked(self) -> list[WorldTape]:
        """Return the tapes with a lake that answers in SQL, as placebos of the map ask."""
        tapes = self.tapes()
        lake = crowd_lake({tape.coin: tape.told for tape in tapes})
        return [replace(tape, lake=lake) for tape in tapes]

    def _tape(self, rng: np.random.Generator, coin: str, drawn: Shocks) -> WorldTape:
        walked = walk(rng, drawn, self.edge, 100.0)
        bars = _bars(coin, walked, "1h", STEPS)
        n = len(bars.period)
        rate = FUNDING * (1 + rng.standard_normal(n))
        free = self.terms.costs.taker_fee == 0.0
        return WorldTape(
            lake=None,
            bars=bars,
            fine=_bars(coin, walked, "5m", 1).period if self.fine else None,
            funding=Funding.none(n)
            if free
            else Funding(rate, "simulated", np.full(n, np.nan), ()),
            slippage=Slippage.none(n) if free else _slippage(n),
            decimals=2,
            margin=MARGIN,
            terms=self.terms,
            knowable=True,
            told=Told(START - WARMUP * HOUR, walked),
        )


def played(world: World, tapes: list[WorldTape], strategy: Strategy) -> Played:
    """Return what :func:`backtest.study.play` would of a lake with this world in it."""
    question = Question(
        strategy=strategy,
        coins=world.names,
        since=START.item(),
        until=(START + 24 * world.days * HOUR).item(),
        terms=world.terms,
        seed=world.seed,
        draws=world.draws,
    )
    return play_tapes(question, tapes)


def _bars(coin: str, walked: Walked, interval: str, steps: int) -> Bars:
    """Return bars of so many steps each, the week of warm-up first."""
    width = WIDTHS[interval]
    n = walked.open_px.size // steps
    return Bars(
        coin,
        "hyperliquid",
        "simulated",
        interval,
        width,
        START - WARMUP * HOUR + np.arange(n) * width,
        walked.open_px[::steps].copy(),
        walked.high_px.reshape(n, steps).max(axis=1),
        walked.low_px.reshape(n, steps).min(axis=1),
        walked.close_px[steps - 1 :: steps].copy(),
        np.full(n, VOLUME * (width / (24 * HOUR))),
        warmup=int(WARMUP * HOUR // width),
    )


def _slippage(n: int) -> Slippage:
    """Return half a spread, and what a size moves a market of 100 million USD a day."""
    sizes = np.array(SIZES)
    curve = HALF_SPREAD + SLIPPAGE * np.sqrt(sizes)
    rows = np.zeros(n, np.int64)
    return Slippage(sizes, np.stack([curve, curve])[None], rows, rows, "made up")
