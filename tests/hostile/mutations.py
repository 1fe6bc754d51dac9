"""Payloads that something happened to: bytes, tokens, keys and cells, drawn from a seed."""

import json
import re

import numpy as np

from tests.hostile.odd_values import CELLS, ODD_KEYS, PIECES, TOML, VALUES

Draw = np.random.Generator

_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null')
_KEY = re.compile(rb'"(?:[^"\\\n]|\\.)*"(?=\s*:)')
_WORD = re.compile(rb'[^\s,;=\[\]{}"]+')


def pick(draw: Draw, some):
    """Return one of a list."""
    return some[int(draw.integers(len(some)))]


def span(draw: Draw, body, longest=40):
    """Return where a piece of ``body`` begins and ends; it may be empty."""
    first = int(draw.integers(len(body) + 1))
    return first, min(len(body), first + int(draw.integers(longest + 1)))


def harmed(draw: Draw, body: bytes) -> bytes:
    """Return bytes of which some were flipped, cut out, put in, repeated, or cut off."""
    first, end = span(draw, body)
    how = int(draw.integers(8))
    if how == 0 and body:
        flipped = bytearray(body)
        for place in draw.integers(len(body), size=int(draw.integers(1, 4))):
            flipped[place] ^= 1 << int(draw.integers(8))
        return bytes(flipped)
    if how == 1:
        return body[:first] + body[end:]
    if how == 2:
        return body[:first] + bytes(draw.integers(256, size=3, dtype=np.uint8)) + body[first:]
    if how == 3:
        return body[:end] + body[first:end] * int(draw.integers(1, 4)) + body[end:]
    if how == 4:
        return body[:first]
    if how == 5:
        there, until = span(draw, body)
        return body[:first] + body[there:until] + body[end:]
    return body[:first] + pick(draw, PIECES) + body[first if how == 6 else end :]


def _swapped(draw: Draw, body: bytes, pattern, others) -> bytes:
    """Return text with one token in another's place; of all tokens each is as likely."""
    found = list(pattern.finditer(body))
    if not found:
        return harmed(draw, body)
    at = pick(draw, found)
    new = pick(draw, found)[0] if draw.random() < 0.15 else pick(draw, others).encode()
    return body[: at.start()] + new + body[at.end() :]


def _keys(draw: Draw, body: bytes) -> bytes:
    """Return JSON with one key renamed, or there twice with two values."""
    found = list(_KEY.finditer(body))
    if not found:
        return harmed(draw, body)
    at = pick(draw, found)
    new = pick(draw, found)[0] if draw.random() < 0.3 else pick(draw, ODD_KEYS)
    if draw.random() < 0.5:
        return body[: at.start()] + new + body[at.end() :]
    twice = at[0] + b":" + pick(draw, VALUES).encode() + b","
    return body[: at.start()] + twice + body[at.start() :]


def _dropped(draw: Draw, body: bytes) -> bytes:
    """Return lines of JSON with something of one of them left out, repeated or moved."""
    lines = body.split(b"\n")
    number = int(draw.integers(len(lines)))
    try:
        value = json.loads(lines[number])
    except (ValueError, RecursionError):
        return harmed(draw, body)
    holders = list(_holders(value)) if isinstance(value, dict | list) else []
    if not holders:
        return harmed(draw, body)
    holder, key = pick(draw, holders)
    how = int(draw.integers(3))
    if how == 0 or (how == 1 and isinstance(holder, dict)):
        del holder[key]
    elif how == 1:
        holder.insert(key, holder[key])
    else:
        other, place = pick(draw, holders)
        moved = json.dumps(other[place])
        holder[key] = json.loads(moved)
    lines[number] = json.dumps(value).encode()
    return b"\n".join(lines)


def _holders(value):
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in list(inner):
        yield value, key
        if isinstance(each, dict | list):
            yield from _holders(each)


def _lines(draw: Draw, body: bytes) -> bytes:
    """Return lines of which one is left out, repeated, moved or made empty."""
    lines = body.split(b"\n")
    number, other = (int(draw.integers(len(lines))) for _ in range(2))
    how = int(draw.integers(4))
    if how == 0:
        del lines[number]
    elif how == 1:
        lines.insert(other, lines[number])
    elif how == 2:
        lines[number], lines[other] = lines[other], lines[number]
    else:
        lines.insert(other, pick(draw, [b"", b" ", b"null", b"[]", b"{}", b"7"]))
    return b"\n".join(lines)


def json_mutation(draw: Draw, body: bytes) -> bytes:
    """Return lines of JSON after one or two mutations, most of them of tokens."""
    for _ in range(1 + (draw.random() < 0.25)):
        how = draw.random()
        if how < 0.5:
            body = _swapped(draw, body, _TOKEN, VALUES)
        elif how < 0.65:
            body = _keys(draw, body)
        elif how < 0.77:
            body = _dropped(draw, body)
        elif how < 0.82:
            body = _lines(draw, body)
        else:
            body = harmed(draw, body)
    return body


def csv_mutation(draw: Draw, body: bytes) -> bytes:
    """Return CSV after one or two mutations of cells, columns, lines or bytes."""
    for _ in range(1 + (draw.random() < 0.25)):
        how = draw.random()
        if how < 0.6:
            body = _cell(draw, body)
        elif how < 0.7:
            body = _column(draw, body)
        elif how < 0.8:
            body = _lines(draw, body)
        else:
            body = harmed(draw, body)
    return body


def _cell(draw: Draw, body: bytes) -> bytes:
    lines = body.split(b"\n")
    number = int(draw.integers(min(1, len(lines) - 1), len(lines)))
    cells = lines[number].split(b",")
    cells[int(draw.integers(len(cells)))] = pick(draw, CELLS).encode()
    lines[number] = b",".join(cells)
    return b"\n".join(lines)


def _column(draw: Draw, body: bytes) -> bytes:
    """Return CSV with a column dropped, repeated or renamed."""
    rows = [line.split(b",") for line in body.split(b"\n")]
    place, how = int(draw.integers(len(rows[0]))), int(draw.integers(3))
    if how == 2:
        rows[0][place] = pick(draw, [b"", b"mood", b'"a\nb"', *rows[0]])
    else:
        for row in rows:
            if len(row) > place:
                row[place : place + 1] = [row[place]] * (2 * how)
    return b"\n".join(b",".join(row) for row in rows)


def toml_mutation(draw: Draw, body: bytes) -> bytes:
    """Return TOML after one or two mutations of strings, words, lines or bytes."""
    for _ in range(1 + (draw.random() < 0.25)):
        how = draw.random()
        if how < 0.35:
            body = _swapped(draw, body, _TOKEN, [*VALUES, *TOML])
        elif how < 0.6:
            body = _swapped(draw, body, _WORD, TOML)
        elif how < 0.8:
            body = _lines(draw, body)
        else:
            body = harmed(draw, body)
    return body
