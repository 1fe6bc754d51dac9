"""This module holds what a search asks: a question, and what else its rule might have been."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from backtest.intervals import width_of
from backtest.question import Question
from backtest.search.chunk import BARS_AT_ONCE, Chunk, Span, together
from backtest.search.legs import warmup_of
from backtest.search.levels import family
from backtest.search.parameters import Value, changed
from backtest.search.space import Axis, count_of, settings_of
from backtest.strategies.strategy import Strategy
from backtest.sweep import follows

# Trials that are worked, landed and counted at once: what is lost when a search is killed, and
# what one task of a cluster does.  Of rules whose settings share their decisions more, for
# there reading the bars costs most: 2.4 s for two months of minutes, and 3 s for 1,000 settings
# of them.
SHARED, ALONE = 1_000, 100
# A search of as many coins and periods falls into so many chunks at least, which are worked
# side by side, shown as they are done, and kept.
CHUNKS = 8
BY = ("whole", "month")


@dataclass(frozen=True, kw_only=True)
class Search:
    """One rule under many settings, on every coin and period of a question.

    Attributes
    ----------
    question
        Coins, period, terms and seed; its strategy is what the settings change.
    axes
        Parameters and their values.
    draws
        Random settings; null: every combination.
    by
        ``whole``: one period; ``month``: each UTC calendar month anew.
    chunk
        Trials worked at once; null: by what the rule costs.
    """

    question: Question
    axes: tuple[Axis, ...]
    draws: int | None = None
    by: str = "whole"
    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise ValueError(f"by {self.by!r} must be one of {', '.join(BY)}")
        if self.chunk is not None and self.chunk < 1:
            raise ValueError(f"chunk {self.chunk} must be 1 trial or more")
        if self.question.shared:
            raise ValueError(
                "account 'one' is for a study: a sweep tries every setting on each coin alone"
            )
        count_of(self.axes, self.draws)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the parameters that are changed, dotted."""
        return tuple(axis.name for axis in self.axes)

    @property
    def size(self) -> int:
        """Return how many trials are worked at once."""
        if self.chunk is not None:
            return self.chunk
        return SHARED if self._followed else ALONE

    @property
    def _followed(self) -> bool:
        """Return whether the sweep's kernel may follow the rule; if not, it is replayed."""
        question = self.question
        return family(question.strategy) is not None and follows(
            question.terms, width_of(question.interval)
        )

    @property
    def count(self) -> int:
        """Return how many settings are asked for; of draws some may be alike."""
        return count_of(self.axes, self.draws)

    @cached_property
    def settings(self) -> list[tuple[Value, ...]]:
        """Return the settings that the rule allows, one value an axis.

        Raises
        ------
        ValueError
            If the rule allows none, or none with some value; the message says why.
        """
        asked = settings_of(self.axes, self.draws, self.question.seed)
        allowed, why = [], {}
        for values in asked:
            try:
                self.strategy(values)
            except ValueError as error:
                why[values] = error
            else:
                allowed.append(values)
        for number, axis in enumerate(self.axes):
            there = {values[number] for values in allowed}
            for values, error in why.items():
                if values[number] not in there and not axis.is_range:
                    raise error
        if not allowed:
            raise next(iter(why.values()))
        return allowed

    def strategy(self, values: tuple[Value, ...]) -> Strategy:
        """Return the rule under a setting.

        Raises
        ------
        ValueError
            If it does not allow the setting.
        """
        return changed(self.question.strategy, dict(zip(self.names, values, strict=True)))

    @cached_property
    def longest(self) -> Strategy:
        """Return the rule under the setting that looks back furthest."""
        return max(map(self.strategy, self.settings), key=warmup_of)

    @property
    def periods(self) -> list[tuple[datetime, datetime]]:
        """Return the periods, half-open, UTC."""
        since, until = self.question.since, self.question.until
        if self.by == "whole":
            return [(since, until)]
        cuts = [since]
        while (after := _next_month(cuts[-1])) < until:
            cuts.append(after)
        return list(zip(cuts, [*cuts[1:], until], strict=True))

    def as_json(self) -> str:
        """Return all that is asked, as text with sorted keys."""
        said = {
            "question": json.loads(self.question.as_json()),
            "axes": [[axis.name, list(axis.values), axis.is_range] for axis in self.axes],
            "draws": self.draws,
            "by": self.by,
            "chunk": self.size,
        }
        return json.dumps(said, sort_keys=True)

    def name(self, *also: str) -> str:
        """Return the name of the search on certain data: the same for both alike, else another.

        Parameters
        ----------
        also
            What names the data and the code.
        """
        words = json.dumps([self.as_json(), *also])
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    @property
    def spans(self) -> list[Span]:
        """Return each coin in each period, coin by coin."""
        return [
            Span(coin, since, until)
            for coin in self.question.coins
            for since, until in self.periods
        ]

    def chunks(self, lake: str, sweep_id: str) -> Iterator[Chunk]:
        """Yield all there is to do, coin by coin and period by period.

        What the sweep's kernel may follow goes by as many of them as one launch is given; what
        is replayed, one by one.
        """
        settings, spans, warmup = self.settings, self.spans, warmup_of(self.longest)
        slices = [
            tuple(settings[first : first + self.size])
            for first in range(0, len(settings), self.size)
        ]
        width = width_of(self.question.interval).item()
        rules = len({family(self.strategy(values)) for values in settings})
        most = min(self.size // len(settings), len(spans) // CHUNKS)
        groups = together(
            spans,
            [rules * (warmup + (one.until - one.since) // width) for one in spans],
            most=most if self._followed else 1,
            bars_at_once=BARS_AT_ONCE,
        )
        parts = ((group, some) for group in groups for some in slices)
        for number, (group, some) in enumerate(parts):
            yield Chunk(lake, sweep_id, number, self.question, group, self.names, some, warmup)


def _next_month(moment: datetime) -> datetime:
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1)
