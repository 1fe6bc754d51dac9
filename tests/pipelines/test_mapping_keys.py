import re

import pytest

from pipelines.sources.imports.keys import MappingError
from pipelines.sources.imports.mapping import to_mapping
from tests.pipelines.data_mapping import (
    COLUMNS,
    mapping,
)


@pytest.mark.parametrize(
    ("head", "columns", "says"),
    [
        ("tabel = 1", {}, "key tabel is not known; did you mean table?"),
        ('format = "xlsx"', {}, "key format must be one of csv, parquet, is 'xlsx'"),
        ('format = "parquet"\ndecimal = ","', {}, "key decimal is for csv only"),
        ('delimiter = ";;"', {}, "key delimiter must be one character, is ';;'"),
        ('delimiter = "\\n"', {}, r"key delimiter must be one character, is '\n'"),
        ('delimiter = "1"', {}, "key delimiter must be no letter, digit, sign or quote"),
        ('decimal = ","', {}, "key decimal must not be the delimiter, is ','"),
        ('complete = "yes"', {}, "key complete must be true or false, is 'yes'"),
        ('missing = ["", ""]', {}, "key missing must list 0 or more texts, each once"),
        ("ignore = [1]", {}, "key ignore must be a list of texts, is [1]"),
        ("", {"snapshot_t": '"time"'}, "snapshot_t is no column of positions; did you mean sn"),
        ("", {"source": '"x"'}, "key columns.source must be left out: source says it"),
        ("", {"size": "5"}, "key columns.size must be a table, is 5"),
        ("", {"size": "{}"}, "columns.size must have one of column, only_of, value, has none"),
        (
            "",
            {"size": '{ colum = "q" }'},
            "columns.size.colum is not known; did you mean colum",
        ),
        (
            "",
            {"size": '{ column = "q", value = 1 }'},
            "must have one of .* has column and value",
        ),
        ("", {"size": '{ column = "" }'}, "columns.size.column must be text that is not empty"),
        (
            "",
            {"size": '{ column = "q", unit = "s" }'},
            "size.unit is not known for number from",
        ),
        ("", {"size": '{ column = "q", scale = inf }'}, "size.scale must be a finite number"),
        ("", {"size": '{ column = "q", scale = 0 }'}, "size.scale must not be 0"),
        ("", {"size": '{ column = "q", optional = true }'}, "optional: size must have a value"),
        ("", {"size": "{ value = 0 }"}, "columns.size.value must not be 0, is 0.0"),
        (
            "",
            {"size": '{ column = "q", negative_where = { column = "s", is = ["a"] } }'},
            "columns.size.negative_where.otherwise must be a list of texts, is missing",
        ),
        (
            "",
            {
                "size": '{ column = "q", negative_where = { column = "s", is = ["a"], '
                'otherwise = ["a"] } }'
            },
            "negative_where.otherwise must not hold 'a' too",
        ),
        (
            "",
            {"snapshot_ts": '"time"'},
            "columns.snapshot_ts.unit must be one of s, ms, us, ns",
        ),
        ("", {"snapshot_ts": '{ column = "t", unit = "mss" }'}, "'mss'; did you mean ms?"),
        (
            "",
            {"snapshot_ts": '{ column = "t", unit = "ms", zone = "UTC" }'},
            "zone must be left",
        ),
        (
            "",
            {"snapshot_ts": '{ given = "now" }'},
            "columns.snapshot_ts.given must be one of at",
        ),
        ("", {"snapshot_ts": "{ value = 2026-02-05T12:00:00 }"}, "an instant with its offset"),
        (
            "",
            {"snapshot_ts": "{ value = 0001-01-01T00:00:00+23:00 }"},
            "between years 1 and 99",
        ),
        (
            "",
            {"known_ts": '{ delay = "1w", after = "snapshot_ts" }'},
            "delay must be a time of",
        ),
        (
            "",
            {"known_ts": '{ delay = "9999d", after = "snapshot_ts" }'},
            "delay must be a time",
        ),
        (
            "",
            {"known_ts": '{ delay = "1h" }'},
            "columns.known_ts.after must be text that is not",
        ),
        ("", {"known_ts": '{ delay = "1h", after = "snapshot" }'}, "did you mean snapshot_ts?"),
        (
            "",
            {"scope": '{ value = "a\\u0000b" }'},
            "columns.scope.value must be at most 128 pri",
        ),
        ("", {"account": '{ value = "0xAB" }'}, "must be a lower-case 0x address"),
        ("", {"leverage": '{ only_of = ["a"] }'}, "only_of must list 2 or more texts"),
        (
            "",
            {"leverage_type": '{ which_of = { cross = "a" } }'},
            "must name two columns or more",
        ),
        (
            "",
            {"leverage_type": '{ column = "m", words = {} }'},
            "words must hold a word, is {}",
        ),
    ],
)
def test_every_key_is_checked(head, columns, says):
    with pytest.raises(MappingError) as raised:
        mapping(head, columns)
    told = str(raised.value)
    assert told.startswith("my.toml: ")
    assert "\n" not in told
    assert re.search(says if ".*" in says else re.escape(says), told), told


@pytest.mark.parametrize("name", [*COLUMNS])
def test_a_column_that_must_have_a_value_must_be_mapped(name):
    with pytest.raises(MappingError, match=f"key columns.*{name}.* is missing"):
        mapping(drop=(name,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "key table must be one of positions, .*, is missing"),
        ("table = ", "cannot be read as TOML"),
        ("a = " + "[" * 100_000, "cannot be read as TOML"),
        ('table = "position"', "is 'position'; did you mean positions?"),
        ('table = "order_books"', "is 'order_books'"),
        ('table = "fills"\nsource = "My Export"', "key source must match"),
        ('table = "fills"\nsource = "../x"', "key source must match"),
        ('table = "fills"\nsource = "x"', "key columns must be a table, is None"),
        ('table = "fills"\nsource = "x"\ncomplete = true\n[columns]', "for positions only"),
    ],
)
def test_a_mapping_that_is_none_says_why(text, says):
    with pytest.raises(MappingError, match=says) as raised:
        to_mapping(text, "my.toml")
    assert str(raised.value).startswith("my.toml: ")
    assert "\n" not in str(raised.value)


def test_the_documented_example_is_a_mapping():
    import pipelines.sources.imports.mapping as module

    text = module.__doc__.partition(".. code-block:: toml\n\n")[2].partition("\n\nEvery key")[0]
    lines = [text_line.removeprefix("    ") for text_line in text.splitlines()]
    read = to_mapping("\n".join(lines))
    assert (read.table.name, read.delimiter, read.decimal) == ("positions", ";", ",")
