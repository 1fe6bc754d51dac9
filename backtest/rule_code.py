"""This module hashes the code of rules that come from outside, which no release holds."""

import hashlib
import inspect
import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from backtest.outside import folders
from backtest.strategies.strategy import Strategy

# Their code has a hash of its own, of :func:`backtest.card.code_hash`.
PACKAGES = ("backtest", "warehouse")
# In the JSON of parameters, the module that a rule from outside is named with.
MODULE = r'"strategy": "[^":]*:'


def rule_code(strategy: Strategy) -> dict[str, str | None]:
    """Return the hash of each module from outside that a rule's classes lie in.

    Parameters
    ----------
    strategy
        With those that it wraps, and what they inherit.

    Returns
    -------
    dict
        SHA-256 of the module's file or, of a class typed into a session, of its methods; null:
        neither is there.  What such a module imports is not looked at.

    Examples
    --------
    >>> from backtest.strategies.breakout import Breakout
    >>> rule_code(Breakout())
    {}
    """
    found = dict(_hashed(type(strategy)))
    for field in fields(strategy):
        value = getattr(strategy, field.name)
        if isinstance(value, Strategy):
            found |= rule_code(value)
    return found


def by_code(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a question says, its rules from outside named by class and code.

    A script calls its module ``__main__``, and a file may be moved or renamed: the rule is the
    same.  One whose code is not known keeps its name.

    Parameters
    ----------
    said
        JSON of a question, of :meth:`backtest.question.Question.as_json`.

    Examples
    --------
    >>> by_code({"strategy": {"strategy": "mine:Dips"}, "class": "mine:Dips",
    ...          "code": {"mine": "3f"}})
    {'strategy': {'strategy': '3f:Dips'}, 'class': '3f:Dips', 'code': {'3f': None}}
    """
    code = said["code"]

    def named(value: object) -> object:
        if isinstance(value, Mapping):
            words = {name: named(one) for name, one in value.items()}
            return words | {"strategy": renamed(words["strategy"])}
        return value

    def renamed(name: str) -> str:
        module, colon, kind = name.partition(":")
        return f"{code.get(module) or module}:{kind}" if colon else name

    return {
        **said,
        "strategy": named(said["strategy"]),
        "class": renamed(said["class"]),
        "code": dict.fromkeys(there or module for module, there in code.items()),
    }


def file_of(module: str) -> Path | None:
    """Return the file of a module, without running anything of it; null: it is not here.

    >>> file_of("backtest.rule_code").name, file_of("no.such.module")
    ('rule_code.py', None)
    """
    if module == "__main__":  # another one in every process
        return None
    path: list[str] | None = folders()
    origin = None
    for part in module.split("."):
        spec = PathFinder.find_spec(part, path)
        if spec is None:
            return None
        origin = spec.origin
        path = list(spec.submodule_search_locations or ())
    return Path(origin) if origin is not None and Path(origin).is_file() else None


# A class is what ran: an edited file is another one once it is imported again.
@cache
def _hashed(kind: type[Strategy]) -> tuple[tuple[str, str | None], ...]:
    classes = [
        one
        for one in kind.__mro__
        if issubclass(one, Strategy) and one.__module__.partition(".")[0] not in PACKAGES
    ]
    return tuple((one.__module__, _hash_of(one)) for one in reversed(classes))


def _hash_of(kind: type) -> str | None:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if file is not None:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    typed = [
        source
        for _, method in sorted(vars(kind).items())
        if inspect.isfunction(method) and (source := _source(method)) is not None
    ]
    return hashlib.sha256("".join(typed).encode()).hexdigest() if typed else None


def _source(method: object) -> str | None:
    try:
        return inspect.getsource(method)  # type: ignore[arg-type]
    except OSError:  # made by a decorator, or typed where nobody keeps it
        return None
