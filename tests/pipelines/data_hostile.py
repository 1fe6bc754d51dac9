"""Lines that were valid and are not, or only just are: what an adapter must not trip over."""

import json
from functools import reduce

from hypothesis import settings
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from warehouse.contracts.fills import FILLS

# Twice what the profile says, so that EXAMPLES=thorough makes it many.
OFTEN = settings(max_examples=2 * settings().max_examples)

HOLE = "hole to be filled"
TOKENS = [
    *("null", "true", "false", "0", "-1", "1.5", "-0", "[]", "{}", '""', "[[]]"),
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e400", "1E5"),
    *(str(n) for n in (2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400)),
    *(n * "[" + n * "]" for n in (200, 300, 2000)),
    *(n * '{"a":' + "1" + n * "}" for n in (200, 300, 2000)),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\n"', '"é"', '"\\ud83d\\ude00"'),
    *('"NaN"', '"-inf"', '"0x1p3"', '"1_0"', '"+1"', '"1e-400"', '"' + "9" * 400 + '"'),
    *('"2025-02-30T00:00:00"', '"2025-05-25T13:59:59Z"', '"9999-12-31T23:59:59.999999999"'),
    *('"A"', '"B"', '"0"', '"0.0"', '"-0.0"', '["market"]', '{"method":[]}'),
]


def paths_in(value, way=()):
    """Yield the way to everything in a document, itself first."""
    yield way
    inner = value.items() if isinstance(value, dict) else ()
    for key, each in enumerate(value) if isinstance(value, list) else inner:
        yield from paths_in(each, (*way, key))


@st.composite
def hostile(draw, documents):
    """Make the bytes of a file of ``documents``, a strategy of lists of them, and harm it."""
    whole = draw(documents)
    place = draw(st.integers(0, max(len(whole) - 1, 0)))
    way = draw(st.sampled_from(list(paths_in(whole[place] if whole else []))))
    how = draw(st.sampled_from(["fill", "fill", "fill", "drop", "flip", "flip", "cut", "none"]))
    if whole and how == "fill" and not way:
        whole[place] = HOLE
    elif how in {"fill", "drop"} and way:
        inside = reduce(lambda value, key: value[key], way[:-1], whole[place])
        if how == "fill":
            inside[way[-1]] = HOLE
        else:
            del inside[way[-1]]
    text = "".join(f"{json.dumps(each)}\n" for each in whole)
    body = text.replace(f'"{HOLE}"', draw(st.sampled_from(TOKENS))).encode()
    if how == "cut":
        return body[: draw(st.integers(0, len(body)))]
    if how == "flip" and body:
        flipped = bytearray(body)
        for at in draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=3)):
            flipped[at] ^= 1 << draw(st.integers(0, 7))
        return bytes(flipped)
    return body


def refused_or_right(to_rows, plain, body):
    """Hold ``to_rows`` to a complaint of one line, or to what ``plain`` reads."""
    try:
        rows, unknown = to_rows(body, "0.lz4")
    except SourceError as error:
        says = str(error)
        assert says.startswith("0.lz4 line ")
        assert says.isprintable()
        assert len(says) < 250
        return
    assert (rows.to_pylist(), unknown) == plain(body)
    assert {name: rows.schema.field(name).type for name in rows.column_names} == {
        field.name: field.type
        for field in FILLS.schema
        if field.name not in {"source", "known_ts"}
    }
