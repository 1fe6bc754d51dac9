"""This module turns nested dataclasses into plain values for JSON, and back."""

import json
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")


def as_text(value: object) -> str:
    """Return a dataclass as JSON with sorted keys.

    Raises
    ------
    ValueError
        If a number is NaN or infinite: what is not known is None.
    """
    return json.dumps(_plain(value), sort_keys=True, allow_nan=False)


def of_text(kind: type[T], text: str) -> T:
    """Return the dataclass that :func:`as_text` made text of."""
    return _made(kind, json.loads(text))


def _plain(value: object) -> object:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, np.datetime64):
        return str(value)
    return value


def _made(kind: Any, value: Any) -> Any:
    if get_origin(kind) is UnionType:
        if value is None:
            return None
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{name: _made(hints[name], one) for name, one in value.items()})
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if inner[-1] is ... else inner
        return tuple(_made(one, part) for one, part in zip(kinds, value, strict=True))
    return kind(value) if kind in (float, np.datetime64) else value
