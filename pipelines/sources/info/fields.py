"""This module takes fields out of answers, and says which one is not as documented."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sources.errors import SourceError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DECIMAL = r"-?[0-9]{1,24}(?:\.[0-9]{1,24})?(?:[eE][+-]?[0-9]{1,2})?"
_DECIMAL = re.compile(DECIMAL)


class Fields:
    """One JSON object and the way to it, for errors.

    >>> row = Fields({"px": "1.5", "n": 3, "none": None}, "l2Book BTC")
    >>> row.decimal("px"), row.integer("n"), row.maybe_decimal("none")
    (1.5, 3, None)
    >>> row.decimal("n")
    Traceback (most recent call last):
    pipelines.sources.errors.SourceError: l2Book BTC: field n must be a decimal in text, is 3
    """

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise SourceError(f"{where}: must be an object, is {shown(value)}")
        self.value, self.where = value, where

    def decimal(self, name: str) -> float:
        """Return a decimal that is written as text."""
        value = self._get(name)
        if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
            raise self.wrong(name, "a decimal in text", value)
        number = float(value)
        if not math.isfinite(number):
            raise self.wrong(name, "finite", value)
        return number

    def maybe_decimal(self, name: str) -> float | None:
        """Return a decimal, or None where it is null or missing."""
        return None if self.value.get(name) is None else self.decimal(name)

    def above_zero(self, name: str) -> float:
        """Return a decimal above 0."""
        number = self.decimal(name)
        if number <= 0:
            raise self.wrong(name, "above 0", self.value[name])
        return number

    def zero_or_more(self, name: str) -> float:
        """Return a decimal that is not below 0."""
        number = self.decimal(name)
        if number < 0:
            raise self.wrong(name, "0 or more", self.value[name])
        return number

    def maybe_above_zero(self, name: str) -> float | None:
        """Return a decimal above 0, or None where it is null or missing."""
        return None if self.value.get(name) is None else self.above_zero(name)

    def maybe_zero_or_more(self, name: str) -> float | None:
        """Return a decimal that is not below 0, or None where it is null or missing."""
        return None if self.value.get(name) is None else self.zero_or_more(name)

    def integer(self, name: str) -> int:
        """Return a whole number."""
        value = self._get(name)
        if type(value) is not int or not -(2**63) <= value < 2**63:
            raise self.wrong(name, "a whole number", value)
        return value

    def count(self, name: str) -> int:
        """Return a whole number above 0."""
        number = self.integer(name)
        if number <= 0:
            raise self.wrong(name, "above 0", number)
        return number

    def maybe_integer(self, name: str) -> int | None:
        """Return a whole number, or None where it is null or missing."""
        return None if self.value.get(name) is None else self.integer(name)

    def text(self, name: str) -> str:
        """Return text."""
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong(name, "text", value)
        return value

    def named(self, name: str) -> str:
        """Return text that is not empty."""
        text = self.text(name)
        if not text:
            raise self.wrong(name, "a name", text)
        return text

    def moment(self, name: str) -> datetime:
        """Return a time that is written as milliseconds."""
        milliseconds = self.integer(name)
        try:
            return _EPOCH + timedelta(milliseconds=milliseconds)
        except OverflowError:
            raise self.wrong(name, "milliseconds of a time", milliseconds) from None

    def truth(self, name: str) -> bool:
        """Return true or false; what is missing is false."""
        value = self.value.get(name)
        if value is not None and not isinstance(value, bool):
            raise self.wrong(name, "true or false", value)
        return bool(value)

    def object(self, name: str) -> "Fields":
        """Return an object in this one."""
        return Fields(self._get(name), f"{self.where} {name}")

    def objects(self, name: str) -> list["Fields"]:
        """Return a list of objects."""
        return objects(self._get(name), f"{self.where} {name}")

    def _get(self, name: str) -> Any:
        if name not in self.value:
            raise SourceError(f"{self.where}: field {name} is missing")
        if self.value[name] is None:
            raise SourceError(f"{self.where}: field {name} must not be null")
        return self.value[name]

    def wrong(self, name: str, must: str, value: Any) -> SourceError:
        """Return the complaint about a field."""
        return SourceError(f"{self.where}: field {name} must be {must}, is {shown(value)}")


def objects(value: Any, where: str) -> list[Fields]:
    """Return a list's objects."""
    if not isinstance(value, list):
        raise SourceError(f"{where}: must be a list, is {shown(value)}")
    return [Fields(each, f"{where} {number}") for number, each in enumerate(value)]


def shown(value: Any) -> str:
    """Return a value for an error, on one line: whole if it is short."""
    try:
        text = repr(value)
    except RecursionError:  # orjson reads deeper nests than Python shows
        return f"a {type(value).__name__} of lists within lists"
    return text if len(text) <= 60 else f"{text[:57]}..."
