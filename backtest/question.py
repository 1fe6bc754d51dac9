"""This module holds what a study asks, as an object and as text."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from backtest.rule_code import rule_code
from backtest.strategies.strategy import Strategy
from backtest.terms import Costs, Terms

# Fields that JSON holds as they are.
PLAIN = ("account", "interval", "venue", "knowable", "live_flow", "seed", "draws")

# Whether each coin has an account of its own, or all are in one.
ACCOUNTS = ("each", "one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One rule on one or several coins in one period.

    Attributes
    ----------
    strategy
        The rule.
    coins
        Venue symbols.
    since, until
        Period of the bars, half-open; a time without a zone is UTC.
    account
        ``"each"``: every coin has an account of its own; ``"one"``: all are in one, so that
        sizes follow its equity, margin is shared, and one liquidation takes all.  A single
        coin is in one of its own either way, and is told as ``"each"``.
    interval
        Length of a bar.
    venue
        Whose candles; null: see :func:`backtest.market.load_bars`.
    knowable
        True: maps and flow are used from their publication on; False: as if each had been
        there at its own moment.
    live_flow
        True: fills and contexts are known as they happen, as to who listens to the venue,
        whatever ``knowable`` says of maps.
    terms
        What an account is charged and allowed.
    seed
        Of all draws.
    draws
        Random placebos of each kind.
    """

    strategy: Strategy
    coins: tuple[str, ...]
    since: datetime
    until: datetime
    account: str = "each"
    interval: str = "1h"
    venue: str | None = None
    knowable: bool = True
    live_flow: bool = False
    terms: Terms = field(default_factory=Terms)
    seed: int = 0
    draws: int = 200

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            moment = getattr(self, name)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            object.__setattr__(self, name, aware.astimezone(UTC))
        if not self.coins:
            raise ValueError("coins must name at least one coin")
        if len(set(self.coins)) != len(self.coins):
            raise ValueError(f"coins {', '.join(self.coins)} must each be named once")
        if self.account not in ACCOUNTS:
            raise ValueError(f"account {self.account!r} must be one of {', '.join(ACCOUNTS)}")
        if len(self.coins) == 1:
            # Asked either way it is one question, with one name.
            object.__setattr__(self, "account", "each")
        if not self.since < self.until:
            raise ValueError(
                f"the period must end after it starts: {self.since:%Y-%m-%d %H:%M} to "
                f"{self.until:%Y-%m-%d %H:%M}"
            )
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed {self.seed} must be 0 or more, and below 2**63")
        if self.draws < 0:
            raise ValueError(f"draws {self.draws} must be 0 or more")

    @property
    def shared(self) -> bool:
        """Return whether several coins are in one account."""
        return self.account == "one"

    @property
    def period(self) -> tuple[np.datetime64, np.datetime64]:
        """Return the period as UTC microseconds."""
        return tuple(
            np.datetime64(moment.replace(tzinfo=None), "us")
            for moment in (self.since, self.until)
        )

    def as_json(self) -> str:
        """Return the question as text with sorted keys, from which :func:`asked` makes it.

        The code of a rule from outside is part of what is asked: edited, it is another rule.
        """
        terms = asdict(self.terms)
        terms["latency"] = int(self.terms.latency / np.timedelta64(1, "us"))
        said = {
            "strategy": self.strategy.parameters(),
            "class": f"{type(self.strategy).__module__}:{type(self.strategy).__qualname__}",
            "code": rule_code(self.strategy),
            "coins": list(self.coins),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "account": self.account,
            "interval": self.interval,
            "venue": self.venue,
            "knowable": self.knowable,
            "live_flow": self.live_flow,
            "terms": terms,
            "seed": self.seed,
            "draws": self.draws,
        }
        return json.dumps(said, sort_keys=True)


def asked(text: str, strategy_of: Callable[[dict[str, object]], Strategy]) -> Question:
    """Return the question of :meth:`Question.as_json`.

    Parameters
    ----------
    text
        JSON.
    strategy_of
        Makes a strategy from its parameters.
    """
    said = json.loads(text)
    return Question(
        strategy=strategy_of(said["strategy"]),
        coins=tuple(said["coins"]),
        since=datetime.fromisoformat(said["since"]),
        until=datetime.fromisoformat(said["until"]),
        terms=terms_asked(said["terms"]),
        # What came later is as it was before: its default.
        **{name: said[name] for name in PLAIN if name in said},
    )


def terms_asked(said: Mapping[str, Any]) -> Terms:
    """Return the terms that a question's JSON says."""
    costs, latency = Costs(**said["costs"]), np.timedelta64(said["latency"], "us")
    return Terms(**{**said, "costs": costs, "latency": latency})
