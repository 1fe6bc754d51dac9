"""This module hashes the code of rules that come from outside, which no release holds."""

import hashlib
import inspect
import sys
from dataclasses import fields
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path

from backtest.strategies.strategy import Strategy

# Their code has a hash of its own, of :func:`backtest.card.code_hash`.
PACKAGES = ("backtest", "warehouse")


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


def file_of(module: str) -> Path | None:
    """Return the file of a module, without running anything of it; null: it is not here.

    >>> file_of("backtest.rule_code").name, file_of("no.such.module")
    ('rule_code.py', None)
    """
    if module == "__main__":  # another one in every process
        return None
    path: list[str] | None = sys.path
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
