"""This module finds strategies by name: from words of a command line, and back from a run."""

import types
import typing
from collections.abc import Mapping
from dataclasses import fields

from backtest.outside import imported
from backtest.strategies.asymmetry_filter import AsymmetryFilter
from backtest.strategies.atr_targets import AtrTargets
from backtest.strategies.breakout import Breakout
from backtest.strategies.buy_and_hold import BuyAndHold
from backtest.strategies.cascade_fade import CascadeFade
from backtest.strategies.cascade_follow import CascadeFollow
from backtest.strategies.cluster_take_profit import ClusterTakeProfit
from backtest.strategies.mean_reversion_symmetric import MeanReversionSymmetric
from backtest.strategies.momentum import Momentum
from backtest.strategies.regime_stops import RegimeStops
from backtest.strategies.sized import Sized
from backtest.strategies.strategy import Strategy, Wrapper

_ALL: tuple[type[Strategy], ...] = (
    Breakout,
    BuyAndHold,
    CascadeFade,
    CascadeFollow,
    MeanReversionSymmetric,
    Momentum,
    AsymmetryFilter,
    AtrTargets,
    ClusterTakeProfit,
    RegimeStops,
    Sized,
)
# Of bars, of which so many hours are a century: calendars end before a billion does.
MOST = 1_000_000
STRATEGIES = {one.__module__.rpartition(".")[2]: one for one in _ALL}


def made(chain: str, said: Mapping[str, str], *, outside: bool = False) -> Strategy:
    """Return a strategy from words.

    Parameters
    ----------
    chain
        Name of a strategy and of what wraps it, the innermost first:
        ``breakout+asymmetry_filter+cluster_take_profit``.
    said
        Parameters as text: ``lookback`` of the first, ``asymmetry_filter.min_ratio`` of any.
    outside
        Whether ``module:Class`` may be imported: it runs whatever that module says.

    Raises
    ------
    ValueError
        If a name or a parameter is not known, or a value not allowed.

    Examples
    --------
    >>> made("breakout+regime_stops", {"lookback": "6", "regime_stops.moves": "yes"}).variant
    'regime_stops'
    """
    names = [name.strip() for name in chain.split("+")]
    kinds = {name: class_of(name, outside=outside) for name in names}
    if len(kinds) != len(names):
        raise ValueError(f"strategy {chain}: each name may come once")
    values: dict[str, dict[str, object]] = {name: {} for name in names}
    for word, text in said.items():
        # A name of code from outside holds dots itself.
        owner, dot, parameter = word.rpartition(".")
        owner = owner if dot else names[0]
        if owner not in kinds:
            raise ValueError(f"{word}: {owner!r} is not among {', '.join(names)}")
        values[owner][parameter] = read(kinds[owner], owner, parameter, text)
    strategy: Strategy | None = None
    for name in names:
        wraps = issubclass(kinds[name], Wrapper)
        if strategy is None and wraps:
            raise ValueError(f"{name} wraps a strategy; name one before it, as breakout+{name}")
        if strategy is not None and not wraps:
            raise ValueError(f"{name} enters by itself and cannot wrap {strategy.name}")
        inner = {} if strategy is None else {"entry": strategy}
        strategy = kinds[name](**inner, **values[name])
    assert strategy is not None
    return strategy


def from_parameters(said: Mapping[str, object], *, outside: bool = False) -> Strategy:
    """Return the strategy that says of itself what :meth:`Strategy.parameters` gives.

    Raises
    ------
    ValueError
        If it is not of this catalogue, or its parameters are not.
    """
    name = said.get("strategy")
    if not isinstance(name, str):
        raise ValueError(f"strategy {name!r} must be a name")
    kind = class_of(name, outside=outside)
    known = parameters_of(kind)
    values = {}
    for parameter, value in said.items():
        if parameter == "strategy":
            continue
        if parameter not in known:
            raise ValueError(_unknown(kind, name, parameter))
        if isinstance(value, Mapping):
            value = from_parameters(value, outside=outside)
        values[parameter] = value
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error


def class_of(name: str, *, outside: bool = False) -> type[Strategy]:
    """Return the strategy called ``name``.

    Raises
    ------
    ValueError
        If there is none, or it is code from outside and that was not asked for.
    """
    module, colon, said = name.partition(":")
    if not colon:
        if name not in STRATEGIES:
            raise ValueError(
                f"strategy {name!r} is not known; there are {', '.join(STRATEGIES)}"
            )
        return STRATEGIES[name]
    if not outside:
        raise ValueError(
            f"strategy {name!r} is code from outside; it runs only if asked for (--outside)"
        )
    try:
        kind = getattr(imported(module), said, None)
    except ValueError as error:
        raise ValueError(f"strategy {name!r}: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Strategy)):
        raise ValueError(f"strategy {name!r}: {module} has no strategy called {said!r}")
    return kind


def parameters_of(kind: type[Strategy]) -> dict[str, object]:
    """Return the parameters of a strategy and the types they are annotated with."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind) if field.init}


def read(kind: type[Strategy], name: str, parameter: str, text: str) -> object:
    """Return the value that ``text`` is for a parameter.

    Raises
    ------
    ValueError
        If there is no such parameter, or the text is no value of its type.
    """
    known = parameters_of(kind)
    wanted = known.get(parameter)
    if wanted is None or parameter == "entry":
        raise ValueError(_unknown(kind, name, parameter))
    options = typing.get_args(wanted) if isinstance(wanted, types.UnionType) else (wanted,)
    if types.NoneType in options and text.lower() in ("none", "null"):
        return None
    for option in options:
        if option in READERS:
            word, reader = READERS[option]
            try:
                return reader(text)
            except ValueError:
                raise ValueError(f"{name}.{parameter} {text!r} must be {word}") from None
    raise ValueError(f"{name}.{parameter} cannot be told in words")


def _truth(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) > MOST:
        raise ValueError(text)
    return number


READERS: dict[object, tuple[str, typing.Callable[[str], object]]] = {
    bool: ("true or false", _truth),
    int: (f"a whole number between -{MOST:,} and {MOST:,}", _whole),
    float: ("a number", float),
    str: ("a word", str),
}


def _unknown(kind: type[Strategy], name: str, parameter: str) -> str:
    there = ", ".join(known for known in parameters_of(kind) if known != "entry")
    return f"{parameter!r} is no parameter of {name}; there are {there}"
