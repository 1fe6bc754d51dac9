"""This module names the parameters of a strategy and of those within it, and changes them."""

from collections.abc import Mapping
from dataclasses import fields, replace

from backtest.strategies.catalogue import read
from backtest.strategies.strategy import Strategy

Value = float | int | str | bool | None


def chain(strategy: Strategy) -> list[Strategy]:
    """Return a strategy and those within it, the innermost first."""
    inner = [getattr(strategy, field.name) for field in fields(strategy)]
    found = [one for value in inner if isinstance(value, Strategy) for one in chain(value)]
    return [*found, strategy]


def parameters_of(strategy: Strategy) -> dict[str, Value]:
    """Return what can be changed, by dotted name, the innermost strategy first.

    Raises
    ------
    ValueError
        If two strategies of the chain have one name: a parameter's would not tell which.
    """
    found: dict[str, Value] = {}
    for one in chain(strategy):
        for field in fields(one):
            value = getattr(one, field.name)
            name = f"{one.name}.{field.name}"
            if name in found:
                raise ValueError(f"{one.name} is in the rule twice, so {name} names neither")
            if isinstance(value, Value):
                found[name] = value
    return found


def named(strategy: Strategy, name: str) -> str:
    """Return the dotted name of a parameter.

    Parameters
    ----------
    strategy
        The rule.
    name
        Dotted, or a parameter alone: of the strategy that enters or, where that has none of the
        name, of the only other that has.

    Raises
    ------
    ValueError
        If there is no such parameter, or several strategies have it.
    """
    there = parameters_of(strategy)
    first = f"{chain(strategy)[0].name}.{name}"
    if name in there:
        return name
    if first in there:
        return first
    found = [one for one in there if one.rpartition(".")[2] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{name!r} is several parameters: {', '.join(found)}")
    raise ValueError(f"{name!r} is no parameter of the rule; there are {', '.join(there)}")


def as_value(strategy: Strategy, name: str, text: str) -> Value:
    """Return what a word says of a parameter, given by its dotted name.

    Raises
    ------
    ValueError
        If it is no value of the parameter's type.
    """
    owner, _, field = name.rpartition(".")
    (one,) = (one for one in chain(strategy) if one.name == owner)
    value = read(type(one), owner, field, text.strip())
    assert isinstance(value, Value)
    return value


def changed(strategy: Strategy, values: Mapping[str, Value]) -> Strategy:
    """Return a strategy with other parameters.

    Raises
    ------
    ValueError
        If the strategy does not allow one; the message says which values were asked.
    """
    try:
        return _changed(strategy, values)
    except ValueError as error:
        asked = ", ".join(f"{name}={value}" for name, value in values.items())
        raise ValueError(f"{asked}: {error}") from error


def _changed(strategy: Strategy, values: Mapping[str, Value]) -> Strategy:
    other: dict[str, object] = {}
    for field in fields(strategy):
        value = getattr(strategy, field.name)
        name = f"{strategy.name}.{field.name}"
        if isinstance(value, Strategy):
            other[field.name] = _changed(value, values)
        elif name in values:
            other[field.name] = values[name]
    return replace(strategy, **other) if other else strategy
