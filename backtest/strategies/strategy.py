"""This module holds what every strategy is: one method, its parameters, and a rule without map.

A strategy is a frozen dataclass; its fields are its parameters.  It is given what was known at
every close and says what it decides there::

    @dataclass(frozen=True, kw_only=True)
    class BuyTheDip(Strategy):
        fall: float = 0.03

        def decide(self, view: View) -> Decisions:
            fell = view.close_px < view.open_px * (1 - self.fall)
            return Decisions.of(fell, stop_fraction=0.02, max_bars=24, notional=10_000.0)
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace

from backtest.decisions import Decisions
from backtest.view import View

WITHOUT_MAP = "without map"
HERE = __name__.rpartition(".")[0]


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
    """A rule on one coin; its fields are its parameters."""

    @property
    def name(self) -> str:
        """Return the name of a strategy's module here, ``module:Class`` of one elsewhere."""
        package, _, module = type(self).__module__.rpartition(".")
        if package == HERE:
            return module
        return f"{type(self).__module__}:{type(self).__qualname__}"

    @property
    def warmup(self) -> int:
        """Return how many bars before the period the rule looks at."""
        return 0

    @abstractmethod
    def decide(self, view: View) -> Decisions:
        """Return one decision per bar of ``view``, each from its own row and those before."""

    def without_map(self) -> "Strategy | None":
        """Return the same rule that knows neither map nor flow; null: there is none."""
        return None

    @property
    def blind(self) -> bool:
        """Return whether the rule looks at neither map nor flow; a rule must say so itself."""
        return False

    @property
    def rule(self) -> str:
        """Return the name of the rule that enters; a wrapper's is that of what it wraps."""
        return self.name

    @property
    def variant(self) -> str:
        """Return what the rule uses of the map: names of strategies, or ``without map``."""
        return WITHOUT_MAP if self.blind else self.name

    def parameters(self) -> dict[str, object]:
        """Return the strategy's name and fields as plain values, strategies within it too."""
        said: dict[str, object] = {"strategy": self.name}
        for field in fields(self):
            value = getattr(self, field.name)
            said[field.name] = value.parameters() if isinstance(value, Strategy) else value
        return said


@dataclass(frozen=True, kw_only=True)
class Wrapper(Strategy):
    """A strategy that changes what another one decides.

    Attributes
    ----------
    entry
        The strategy whose decisions are changed.
    """

    entry: Strategy

    @property
    def warmup(self) -> int:
        """Return what the wrapped strategy looks back at."""
        return self.entry.warmup

    @property
    def rule(self) -> str:
        """Return the name of the rule that enters."""
        return self.entry.rule

    @property
    def variant(self) -> str:
        """Return the names of the wrappers, the innermost first."""
        inner = self.entry.variant
        return self.name if inner == WITHOUT_MAP else f"{inner} + {self.name}"

    def without_map(self) -> Strategy | None:
        """Return what is wrapped, without a map."""
        return self.entry.without_map() or self.entry


@dataclass(frozen=True, kw_only=True)
class MaplessWrapper(Wrapper):
    """A wrapper that looks at neither map nor flow: it stays where the map is taken away."""

    @property
    def blind(self) -> bool:
        """Return whether the wrapped strategy looks at neither."""
        return self.entry.blind

    @property
    def variant(self) -> str:
        """Return what the wrapped strategy uses of the map."""
        return self.entry.variant

    def without_map(self) -> Strategy | None:
        """Return the same around what is wrapped without a map; null: it knows none."""
        inner = self.entry.without_map()
        return None if inner is None else replace(self, entry=inner)
