"""Payloads that something happened to: bytes, tokens, keys and cells, drawn from a seed."""

import json
import re

import numpy as np

Draw = np.random.Generator

# Values that take the place of a value of JSON, as text.
VALUES = [
    *("null", "true", "false", "0", "-1", "-0", "1.5", "1E5", "[]", "{}", '""', "[[]]", "[null]"),
    *("NaN", "Infinity", "-Infinity", "nan", "1e999", "-1e400", "01", "+1", "0x10", "1_0"),
    *(str(n) for n in (2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400)),
    *("253402300799999", "253402300800000", "-62135596800001", "1e12", "1767571200000.5"),
    *(n * "[" + n * "]" for n in (200, 300, 1010, 2000)),
    *(n * '{"a":' + "1" + n * "}" for n in (200, 300, 1010, 2000)),
    *('"NaN"', '"Infinity"', '"-inf"', '"1e999"', '"1e-400"', '"-1e308"', '"0x1p3"', '"1_0"'),
    *('"+1"', '" 1"', '"1 "', '"1,5"', '".5"', '"5."', '"-0.0"', '"0"', '"-1.5"', '"1.5"'),
    *('"٣"', '"１"', '"\\u0663.5"', '"−1"', '"' + "9" * 400 + '"', '"0.' + "3" * 60 + '"'),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\n"', '"a\\r\\nb"'),
    *('"\\u2028"', '"\\u202e"', '"\\u0085"', '"\\u001b[31m"', '"\\ufeff"', '"é"', '"İ"', '"K"'),
    *('"../../x"', '"/etc/passwd"', '"C:\\\\x"', '"a/b"', '"con"', '"' + "A" * 5000 + '"'),
    *('"A"', '"B"', '"BTC"', '"ETH"', '"isolated"', '"market"', '"adl"', '["market"]'),
    *('{"method":[]}', '{"method":"market"}', '{"method":null}', '"Auto-Deleveraging"'),
    *('"2025-02-30T00:00:00"', '"2025-05-25T13:59:59Z"', '"9999-12-31T23:59:59.999999999"'),
    *('"0x' + "AB" * 20 + '"', '"0x' + "gg" * 20 + '"', '"0x' + "a" * 41 + '"', '"0X' + "a" * 40 + '"'),
    '"0x' + "a" * 40 + '\\n"',
]
# Bytes that are put anywhere.
PIECES = [
    *(b"\xef\xbb\xbf", b"\xff\xfe", b"\r\n", b"\n\n", b"\r", b"\x00", b"\xff", b"\xc3", b"\xc3\xa9"),
    *(b"\xe2\x80\xa8", b"\xed\xa0\x80", b"\x85", b"\x1b", b"\\ud800", b"\\u0000", b"\\", b'"', b"'"),
    *(b",", b",,", b":", b"-", b"0", b"9" * 400, b"1e999", b"NaN", b"null", b"[", b"]", b"{", b"}"),
    *(b"[" * 1100, b"{}", b" ", b"e", b".", b";", b"\t", b"#", b"../", b"=", b"\xd9\xa3"),
]
# Cells of CSV and values of TOML.
CELLS = [
    *("", " ", '""', "NaN", "nan", "inf", "-inf", "Infinity", "null", "None", "n/a", "true"),
    *("0", "-0", "-1", "1.5", "+1", " 1", "1 ", "1_0", "0x10", ".5", "5.", "1e5", "1e400", "1e-400"),
    *("9" * 400, "1,5", '"1,5"', '"', '"a', 'a"b', '"a""b"', '"x\ny"', "'1'", "٣", "１", "−1", "é"),
    *("\x00", "\x1b[31m", "\u2028", "\u202e", "\ufeff", "../../x", "/etc/passwd", "C:\\x", "a/b"),
    *("con", "A" * 5000, "=1+1", "2026-02-30", "2025-11-13T00:00:60Z", "2025-11-13T24:00:00Z"),
    *("2025-11-13T00:01:00Z", "2025-11-13T00:01:00+02:00", "9999-12-31T23:59:59.999999999Z"),
    *("1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "20251113", "1770292800000", "long", "short"),
    *("0x" + "AB" * 20, "0x" + "gg" * 20, "BTC", "main", "xyz", "xyz:TSLA", "3e38", "-0.0"),
    *("9223372036854775807", "9223372036854775808", "1" * 19, "1e15", "0." + "3" * 60),
]
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


ODD_KEYS = [b'"mood"', b'""', b'"\\u0000"', b'"\\ud83d\\ude00"', b'"PX"', b'"px "', b'"a\\nb"']


def _dropped(draw: Draw, body: bytes) -> bytes:
    """Return lines of JSON with something of one of them left out, repeated or moved."""
    lines = body.split(b"\n")
    number = int(draw.integers(len(lines)))
    try:
        value = json.loads(lines[number])
    except ValueError:
        return harmed(draw, body)
    holders = list(_holders(value))
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


TOML = [
    *("coin", "account", "size", "snapshot_ts", "known_ts", "scope", "source", "notional", "mood"),
    *("scale", "absolute", "unit", "value", "only_of", "which_of", "given", "delay", "after"),
    *("optional", "words", "dex", "1979-05-27T07:32:00Z", "1979-05-27", "07:32:00", "inf", "nan"),
    *("0001-01-01T00:00:00+23:59", '"parquet"', '"csv"', '"positions"', '"fills"', '"../x"'),
    *('"999999d"', '"0s"', '"ms"', '"iso"', '";"', '"."', "[1, 2]", '["a", "a"]', "{}", "0xff"),
]
