from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.mapped_file import to_rows
from pipelines.sources.imports.mapping import to_mapping
from tests.pipelines.data_mapping import (
    AT,
    COLUMNS,
    MAPPING_TEXT,
    MS,
    csv,
    line,
    mapping,
    parquet,
    rows,
)
from tests.rows import account

# 100 by default: an example costs some milliseconds.
twice_as_many = settings(max_examples=2 * settings().max_examples)


GOOD = csv(*(line(wallet=account(n), side=("long", "short")[n % 2]) for n in range(6)))


def cut(draw, body):
    """Return ``body`` with a few stretches of it replaced."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 12)))
        filler = draw(st.one_of(st.binary(max_size=6), st.sampled_from(HOSTILE)))
        body = body[:start] + filler + body[end:]
    return body


HOSTILE = [b'"', b"\n", b"\r", b"\0", b",", b"1e999", b"-0", b"nan", b"\xff", "\u202e".encode()]


HOSTILE += [b"9" * 40, b"[" * 50, b"{", b"}", b"=", b"inf", b"0x" + b"f" * 40, b"\xef\xbb\xbf"]


@st.composite
def mutated(draw, body):
    return cut(draw, body)


def refused_or_right(read, *starts):
    """Hold what ``read`` returns to its contracts, or its complaint to one line."""
    told = ""
    try:
        tables = read().tables
    except SourceError as error:
        tables, told = [], str(error)
    assert told.startswith(starts or "") or not told
    assert "\n" not in told
    for table, batch in tables:
        assert table.check(batch).equals(batch)


@twice_as_many
@given(mutated(GOOD))
def test_mutated_csv_is_refused_in_one_line_or_read_rightly(body):
    refused_or_right(lambda: to_rows({"mine.csv": body}, mapping()), "mine.csv")


@twice_as_many
@given(mutated(parquet(time=[MS], wallet=[account(1)], asset=["A"], qty=[1.0], usd=[7.0])))
def test_mutated_parquet_is_refused_in_one_line_or_read_rightly(body):
    how = mapping('format = "parquet"', columns={"size": '"qty"'})
    refused_or_right(lambda: to_rows({"mine.parquet": body}, how), "mine.parquet")


@twice_as_many
@given(mutated(MAPPING_TEXT.encode()))
def test_a_mutated_mapping_is_refused_in_one_line_or_read_rightly(text):
    def read():
        how = to_mapping(text.decode("utf-8", "replace"), "my.toml")
        return to_rows({"mine.csv": GOOD}, how, AT if how.needs_at else None)

    refused_or_right(read, "my.toml: ", "mine.csv")


TOML_VALUES = st.recursive(
    st.one_of(
        st.sampled_from(['""', '"qty"', '"ms"', "0", "-1", "1e400", "inf", "nan", "true"]),
        st.sampled_from(["1979-05-27", "2026-02-05T12:00:00Z", "07:32:00", '"\\u0000"']),
        st.integers(-(10**400), 10**400).map(str),
        st.text("ab .[]{}", max_size=5).map(lambda text: f"'{text}'"),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda of: f"[{', '.join(of)}]"),
        st.dictionaries(
            st.sampled_from(
                ["column", "value", "scale", "unit", "words", "is", "delay", "given"]
            ),
            inner,
            max_size=3,
        ).map(lambda of: "{ " + ", ".join(f"{k} = {v}" for k, v in of.items()) + " }"),
    ),
    max_leaves=6,
)


@twice_as_many
@given(st.sampled_from([*COLUMNS, "leverage", "leverage_type"]), TOML_VALUES)
def test_any_value_of_a_key_is_refused_in_one_line_or_read_rightly(name, value):
    def read():
        how = mapping(columns={name: value})
        return to_rows({"mine.csv": GOOD}, how, AT if how.needs_at else None)

    refused_or_right(read, "my.toml: ", "mine.csv")


POSITIVE = st.floats(1e-9, 1e12)


@twice_as_many
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**160 - 1),
            st.sampled_from(["BTC", "kPEPE", "xyz:GOLD", "PURR/USDC", 'a,"b"']),
            st.sampled_from(["long", "SELL"]),
            POSITIVE,
            POSITIVE,
            st.integers(1_300_000_000_000, 4_000_000_000_000),
        ),
        unique_by=lambda row: row[0],
        min_size=1,
    )
)
def test_what_was_written_comes_back_as_it_was(given_rows):
    header = ["time", "wallet", "asset", "side", "qty", "usd"]
    cells = [
        (str(ms), account(who), coin, side, repr(size), repr(usd))
        for who, coin, side, size, usd, ms in given_rows
    ]
    frame = pl.DataFrame(cells, schema=header, orient="row")
    back = {row["account"]: row for row in rows(frame.write_csv().encode())}
    assert len(back) == len(given_rows)
    for who, coin, side, size, usd, ms in given_rows:
        row = back[account(who)]
        assert row["coin"] == coin
        assert row["size"] == (size if side == "long" else -size)
        assert row["mark_px"] == usd / size
        assert row["snapshot_ts"] == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
            milliseconds=ms
        )


CELL = st.one_of(
    st.text(max_size=8),
    st.floats().map(str),
    st.integers().map(str),
    st.sampled_from(["", "long", "SELL", "BTC", account(3), str(MS), "70000"]),
)


@twice_as_many
@given(st.lists(st.tuples(*[CELL] * 6), max_size=4))
def test_any_cells_are_refused_in_one_line_or_read_rightly(cells):
    header = ["time", "wallet", "asset", "side", "qty", "usd"]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(header, pl.String), orient="row")
    body = frame.write_csv().encode()
    refused_or_right(lambda: to_rows({"mine.csv": body}, mapping()), "mine.csv")
