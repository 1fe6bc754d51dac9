"""This module makes a rule anew for each play, so that it remembers nothing of those before.

A rule that keeps what it saw (on its class, in its module, in a cache) knows the future of a
lake that is cut once it has seen the lake whole.  So each play gets a rule whose modules were
run again, and whose fields are as they were before the first.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import fields
from functools import cache
from inspect import signature
from operator import attrgetter
from pathlib import Path
from sysconfig import get_paths
from types import ModuleType

import numpy as np

from backtest.outside import imported
from backtest.rule_code import PACKAGES, file_of
from backtest.strategies.strategy import Strategy

# Python itself, and what is installed: nobody keeps a rule's memory there unawares.
INSTALLED = tuple(
    Path(get_paths()[name]).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")
)
PLAIN = (bool, int, float, str, bytes, type(None), np.generic, np.ndarray)


class Anew:
    """A rule as it was before it was played.

    Parameters
    ----------
    strategy
        What is proven.
    """

    def __init__(self, strategy: Strategy) -> None:
        self._first = deepcopy(strategy)
        self._names = frozenset(_modules(strategy))

    @property
    def whole(self) -> bool:
        """Return whether all of the rule can be made anew.

        Not so is a class that was typed into a session or a script, or within a function, or is
        made of other than its fields; nor a field that holds what a module from outside made.
        """
        return _can(self._first)

    @contextmanager
    def made(self) -> Iterator[Strategy]:
        """Give the rule, its modules run again, for as long as it is played.

        What was imported before is in its place again afterwards.
        """
        if not (self._names and self.whole):
            yield deepcopy(self._first)
            return
        kept = self._taken_away()
        try:
            yield _again(self._first)
        finally:
            self._taken_away()
            sys.modules.update(kept)

    def _taken_away(self) -> dict[str, ModuleType]:
        """Take the modules that a rule may keep something in out of those imported."""
        own = {name.partition(".")[0] for name in self._names}
        found = {
            name: module
            for name, module in sys.modules.items()
            if name != "__main__" and (name.partition(".")[0] in own or _is_outside(module))
        }
        for name in found:
            del sys.modules[name]
        return found


def _modules(strategy: Strategy) -> Iterator[str]:
    """Yield the modules from outside that a rule's classes lie in."""
    if _from_outside(type(strategy)):
        yield type(strategy).__module__
    for value in _values(strategy):
        if isinstance(value, Strategy):
            yield from _modules(value)


def _from_outside(kind: type) -> bool:
    return kind.__module__.partition(".")[0] not in PACKAGES


def _values(strategy: Strategy) -> list[object]:
    return [getattr(strategy, field.name) for field in fields(strategy)]


def _can(strategy: Strategy) -> bool:
    kind = type(strategy)
    if _from_outside(kind):
        held = getattr(sys.modules.get(kind.__module__), "__file__", None)
        file = file_of(kind.__module__)
        if held is None or file is None or not file.samefile(held) or "<" in kind.__qualname__:
            return False
        if signature(kind).parameters.keys() != {one.name for one in fields(kind) if one.init}:
            return False
    return all(
        _can(value) if isinstance(value, Strategy) else _is_plain(value)
        for value in _values(strategy)
    )


def _is_plain(value: object) -> bool:
    """Return whether a value's class is none that is made anew."""
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, (*value, *value.values())))
    if isinstance(value, PLAIN):
        return type(value).__module__ in ("builtins", "numpy")
    # Of a class or a function its own, of an object that of its class.
    module = sys.modules.get(getattr(value, "__module__", type(value).__module__))
    return module is not None and not _is_outside(module)


def _is_outside(module: ModuleType) -> bool:
    """Return whether a module is neither Python's, nor installed, nor of this package."""
    if module.__name__.partition(".")[0] in PACKAGES:
        return False
    file = getattr(module, "__file__", None)
    return file is not None and not is_installed(file)


@cache
def is_installed(file: str) -> bool:
    """Return whether a file is Python's own, or of a package that is installed."""
    place = Path(file).resolve()
    return any(place.is_relative_to(folder) for folder in INSTALLED)


def _again(strategy: Strategy) -> Strategy:
    """Return a rule of classes that were made anew, with copies of its fields."""
    kind = type(strategy)
    if _from_outside(kind):
        kind = attrgetter(kind.__qualname__)(imported(kind.__module__))
    said = {
        field.name: _copied(getattr(strategy, field.name))
        for field in fields(strategy)
        if field.init
    }
    return kind(**said)


def _copied(value: object) -> object:
    return _again(value) if isinstance(value, Strategy) else deepcopy(value)
