"""This module reads one entry of a mapping: its source, and the options that fit it.

:mod:`pipelines.sources.imports.mapping` documents them for their writer.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.sources.imports.entry import OPTIONS, UNITS, Dex, Entry, Signs, kind_of
from pipelines.sources.imports.keys import Keys, MappingError
from pipelines.sources.imports.texts import LONGEST_TEXT, TEXT
from warehouse.contracts.table import Column

DELAY = re.compile(r"([0-9]{1,6})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
LONGEST_DELAY = timedelta(days=366)


def to_entry(value: Any, target: Column, file: str, *, is_text: bool) -> Entry:
    """Return the entry for ``target``.

    Parameters
    ----------
    value
        What the TOML says: a column's name, or a table.
    target
        Column of the table that is filled.
    file
        Name of the mapping, for errors.
    is_text
        The mapped file is text, so that an instant needs its unit.

    Raises
    ------
    MappingError
        If a key is not known or does not fit, naming it.
    """
    path = f"columns.{target.name}"
    keys = Keys({"column": value} if isinstance(value, str) else value, file, path)
    kind = kind_of(target)
    sources = [source for of, source in OPTIONS if of == kind]
    chosen = [source for source in sources if source in keys.value]
    if len(chosen) != 1:
        keys.only({*sources, *(name for of in sources for name in OPTIONS[kind, of])})
        raise MappingError(
            f"{file}: key {path} must have one of {', '.join(sources)}, has "
            f"{' and '.join(chosen) or 'none'}"
        )
    source = chosen[0]
    allowed = [
        name for name in OPTIONS[kind, source] if name != "dex" or path == "columns.coin"
    ]
    keys.only((source, *allowed), f"not known for {kind} from {source}")
    for name in ("only_of", "which_of", "optional", "positive_or_missing"):
        if name in keys.value and not target.null:
            raise MappingError(f"{file}: key {keys.key(name)}: {target.name} must have a value")
    if source == "value":
        return Entry(target, kind, value=_constant(keys, kind))
    if source == "given":
        keys.word("given", ("at",))
        return Entry(target, kind, given=True)
    if source == "delay":
        return Entry(target, kind, after=keys.text("after"), delay=_delay(keys))
    columns, names = _columns(keys, source)
    unit, zone = _unit(keys, is_text) if kind == "time" else ("", "")
    return Entry(
        target,
        kind,
        columns=columns,
        names=names,
        scale=_scale(keys),
        absolute=keys.truth("absolute"),
        negative_where=_signs(keys),
        positive_or_missing=keys.truth("positive_or_missing"),
        optional=keys.truth("optional"),
        unit=unit,
        zone=zone,
        words=_words(keys, kind),
        dex=_dex(keys),
    )


def _columns(keys: Keys, source: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if source == "column":
        return (keys.text("column"),), ()
    if source == "only_of":
        return keys.texts("only_of", 2), ()
    words = Keys(keys.value["which_of"], keys.file, keys.key("which_of"))
    if len(words.value) < 2:
        raise keys.wrong("which_of", "must name two columns or more")
    return tuple(words.text(word) for word in words.value), tuple(words.value)


def _constant(keys: Keys, kind: str) -> Any:
    value = keys.value["value"]
    if kind == "number":
        return keys.number("value")
    if kind == "text":
        text = keys.text("value")
        if not text.isprintable() or text != text.strip() or len(text) > LONGEST_TEXT:
            raise keys.wrong("value", f"must be {TEXT}")
        return text
    if kind == "integer":
        if type(value) is not int or not -(2**63) <= value < 2**63:
            raise keys.wrong("value", "must be a whole number")
    elif kind == "truth":
        if not isinstance(value, bool):
            raise keys.wrong("value", "must be true or false")
    elif not isinstance(value, datetime) or value.tzinfo is None:
        raise keys.wrong("value", "must be an instant with its offset: 2026-02-05T12:00:00Z")
    else:
        try:
            return value.astimezone(UTC)
        except OverflowError:
            raise keys.wrong("value", "must be an instant between years 1 and 9999") from None
    return value


def _delay(keys: Keys) -> timedelta:
    found = DELAY.fullmatch(keys.text("delay"))
    delay = timedelta(seconds=int(found[1]) * _SECONDS[found[2]]) if found else None
    if delay is None or delay > LONGEST_DELAY:
        raise keys.wrong("delay", "must be a time of a year or less, as 90s, 5m, 1h or 2d")
    return delay


def _unit(keys: Keys, is_text: bool) -> tuple[str, str]:
    unit = keys.word("unit", UNITS, default=None if is_text else "typed")
    zone = keys.word("zone", ("UTC",), default="none")
    if zone == "UTC" and unit not in {"iso", "typed"}:
        raise keys.wrong("zone", "must be left out: a count of time has no zone")
    return unit, zone


def _scale(keys: Keys) -> float:
    if "scale" not in keys.value:
        return 1.0
    scale = keys.number("scale")
    if scale == 0:
        raise keys.wrong("scale", "must not be 0")
    return scale


def _signs(keys: Keys) -> Signs | None:
    if "negative_where" not in keys.value:
        return None
    where = Keys(keys.value["negative_where"], keys.file, keys.key("negative_where"))
    where.only(("column", "is", "otherwise"))
    signs = Signs(where.text("column"), where.texts("is"), where.texts("otherwise"))
    if both := set(signs.negative) & set(signs.positive):
        raise where.wrong("otherwise", f"must not hold {min(both)!r} too")
    return signs


def _dex(keys: Keys) -> Dex | None:
    if "dex" not in keys.value:
        return None
    dex = Keys(keys.value["dex"], keys.file, keys.key("dex"))
    dex.only(("column", "main"))
    return Dex(dex.text("column"), dex.texts("main"))


def _words(keys: Keys, kind: str) -> dict[str, str | bool] | None:
    if "words" not in keys.value:
        return None
    words = Keys(keys.value["words"], keys.file, keys.key("words"))
    if not words.value:
        raise keys.wrong("words", "must hold a word")
    for name, word in words.value.items():
        if kind == "truth" and not isinstance(word, bool):
            raise words.wrong(name, "must be true or false")
        if kind == "text":
            words.text(name)
    return dict(words.value)
