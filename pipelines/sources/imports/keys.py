"""This module takes keys out of a mapping's TOML, and says which one is wrong.

A mapping is written by hand, so a key that is not known is an error that names the nearest one
that is: a misspelt option must not be an option left out.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pipelines.sources.errors import SourceError
from pipelines.sources.info.fields import shown


class MappingError(SourceError):
    """A mapping says something that it may not; the message is one line and names the key."""


def named(name: str) -> str:
    r"""Return a name for an error: as it is where it can be printed, else escaped.

    >>> named("qty"), named("a\nb")
    ('qty', "'a\\nb'")
    """
    return name if name.isprintable() and 0 < len(name) <= 60 else shown(name)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what an error says of names like ``name``; empty where none is like it.

    >>> nearest("snapshot_t", ["size", "snapshot_ts"])
    '; did you mean snapshot_ts?'
    """
    close = get_close_matches(name[:60], list(known), 1)
    return f"; did you mean {named(close[0])}?" if close else ""


class Keys:
    """One TOML table, the file it is in and the way to it.

    >>> keys = Keys({"unitt": "ms"}, "my.toml", "columns.snapshot_ts")
    >>> keys.only(("column", "unit"))
    Traceback (most recent call last):
    pipelines.sources.imports.keys.MappingError: my.toml: key columns.snapshot_ts.unitt is not \
known; did you mean unit?
    """

    def __init__(self, value: Any, file: str, path: str = "") -> None:
        self.file, self.path = file, path
        if not isinstance(value, dict):
            raise MappingError(f"{file}: key {path} must be a table, is {shown(value)}")
        self.value: dict[str, Any] = value

    def key(self, name: str) -> str:
        """Return the whole name of a key."""
        return f"{self.path}.{named(name)}" if self.path else named(name)

    def only(self, known: Iterable[str], of: str = "not known") -> None:
        """Raise if there is a key that is not one of ``known``."""
        known = tuple(known)
        for name in self.value:
            if name not in known:
                raise MappingError(
                    f"{self.file}: key {self.key(name)} is {of}{nearest(name, known)}"
                )

    def wrong(self, name: str, must: str) -> MappingError:
        """Return the complaint about a key's value."""
        found = shown(self.value[name]) if name in self.value else "missing"
        return MappingError(f"{self.file}: key {self.key(name)} {must}, is {found}")

    def text(self, name: str) -> str:
        """Return text that is not empty."""
        value = self.value.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(name, "must be text that is not empty")
        return value

    def word(self, name: str, known: Iterable[str], default: str | None = None) -> str:
        """Return one of the ``known`` words."""
        known = tuple(known)
        if name not in self.value and default is not None:
            return default
        value = self.value.get(name)
        if not isinstance(value, str) or value not in known:
            near = nearest(value, known) if isinstance(value, str) else ""
            raise MappingError(
                str(self.wrong(name, f"must be one of {', '.join(known)}")) + near
            )
        return value

    def truth(self, name: str) -> bool:
        """Return true or false; false where the key is missing."""
        value = self.value.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(name, "must be true or false")
        return value

    def number(self, name: str) -> float:
        """Return a finite number."""
        value = self.value.get(name)
        # Above 1e300 a whole number may have no float, nor a product with one.
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(name, "must be a number")
        if not -1e300 < value < 1e300:
            raise self.wrong(name, "must be a finite number")
        return float(value)

    def texts(self, name: str, least: int = 1) -> tuple[str, ...]:
        """Return a list of texts without repeats, ``least`` of them or more."""
        value = self.value.get(name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(name, "must be a list of texts")
        if len(value) < least or len(set(value)) < len(value):
            raise self.wrong(name, f"must list {least} or more texts, each once")
        return tuple(value)
