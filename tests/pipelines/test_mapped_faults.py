import pytest

from pipelines.sources.errors import SourceError
from pipelines.sources.imports.mapped_file import to_rows
from pipelines.sources.imports.mapping import to_mapping
from tests.pipelines.data_mapping import MS, OTHERS, csv, line, mapping, rows
from tests.rows import account


def test_two_rows_of_one_position_that_differ_are_both_named():
    bodies = {"a.csv": csv(line()), "b.csv": csv(line(wallet=account(2)), line(usd="140001"))}
    with pytest.raises(
        SourceError, match=r"^b\.csv line 3: must come once per .*, a\.csv line 2"
    ):
        to_rows(bodies, mapping())


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (line(qty="two"), r"field qty must be a number, is 'two'"),
        (line(qty="1,5"), r"cannot be read as CSV: .*Row #4: Expected 6 columns, got 7"),
        (line(qty="1_5"), r"field qty must be a number"),
        (line(qty="nan"), r"field qty must be a number"),
        (line(qty="1e999"), r"field qty must be finite"),
        (line(qty="0"), r"field qty for size must not be 0, is "),
        (line(qty=""), r"field qty for size must not be missing"),
        (line(qty="-1"), r"field qty must not be negative beside its side, is '-1'"),
        (line(side="Long"), r"field side must be one of short, SELL, long, BUY, is 'Long'"),
        (line(side=""), r"field side must be one of short, SELL, long, BUY, is ''"),
        (line(wallet="0xAB"), r"field wallet for account must be a lower-case 0x address"),
        (line(asset=""), r"field asset for coin must not be missing"),
        (line(asset=" BTC"), r"field asset must be at most 128 printed characters"),
        (line(asset="B\0C"), r"field asset must be at most 128 printed characters.* 'B\\x00C'"),
        (line(asset="B\u202eC"), r"field asset must be at most 128 printed characters"),
        (line(asset="B" * 129), r"field asset must be at most 128 printed characters"),
        (
            line(time=MS // 1000),
            r"field time must be between 2009 and 2099 \(is its unit right",
        ),
        (line(time="2026-02-05"), r"field time must be a count of ms since 1970"),
        (line(time="9" * 30), r"field time must be a count of ms since 1970"),
        (line(usd="0"), r"field mark_px must be above 0"),
        (
            line(usd="-5"),
            r"field mark_px must be above 0|field usd for notional must be 0 or m",
        ),
        ("1,2", r"cannot be read as CSV: .*Row #4: Expected 6 columns, got 2"),
    ],
)
def test_a_bad_value_names_file_line_and_field(bad, says):
    with pytest.raises(SourceError, match=says) as raised:
        rows(csv(line(wallet=account(8)), line(wallet=account(9)), bad))
    where = "mine: " if "cannot be read" in says else "mine line 4: "
    assert str(raised.value).startswith(where)
    assert "\n" not in str(raised.value)


def test_lines_are_counted_over_blank_lines_and_quoted_breaks():
    header = "time,wallet,asset,side,qty,usd,note"
    body = csv(line() + ',"a\nb"', "", line(qty="x") + ",c", header=header)
    with pytest.raises(SourceError, match=r"^mine line 5: field qty"):
        rows(body)


def test_what_contradicts_itself_is_refused():
    both = mapping(columns={"mark_px": '"mark"'})
    header = "time,wallet,asset,side,qty,usd,mark"
    with pytest.raises(SourceError, match=r"line 2: field notional must be \|size\| x mark_px"):
        rows(csv(line() + ",700", header=header), both)
    early = mapping(columns={"known_ts": "{ value = 2026-02-05T11:59:59Z }"})
    with pytest.raises(SourceError, match="known_ts must not be before snapshot_ts"):
        rows(csv(line()), early)


def test_a_bar_is_not_known_before_it_has_ended():
    entries, text, _ = OTHERS["candles"]
    early = entries.replace('delay = "1h"', 'delay = "59m"')
    how = to_mapping(f'table = "candles"\nsource = "s"\n[columns]\n{early}\n')
    with pytest.raises(SourceError, match="line 2: field known_ts must not be before the end"):
        to_rows({"f.csv": text.encode()}, how)
    low = text.replace("70,72,69,71", "70,72,71,71")
    how = to_mapping(f'table = "candles"\nsource = "s"\n[columns]\n{entries}\n')
    with pytest.raises(SourceError, match="line 2: field low_px must be the lowest"):
        to_rows({"f.csv": low.encode()}, how)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "cannot be read as CSV"),
        (b"\xff\xfe", "cannot be read as CSV"),
        (b"time,wallet,asset,side,qty,usd\n\xff,b,c,d,e,f\n", "cannot be read as CSV.*UTF8"),
        (b"time\n1\n", "field .* is missing"),
        (
            csv(line() + ",1", header="time,wallet,asset,side,qty,usd,qty"),
            "field qty comes 2 times",
        ),
    ],
)
def test_a_broken_file_is_named(body, says):
    with pytest.raises(SourceError, match=f"^mine: {says}"):
        rows(body)


def test_a_file_with_a_header_only_has_no_rows():
    imported = to_rows({"mine.csv": csv()}, mapping())
    assert [batch.num_rows for _, batch in imported.tables] == [0, 0]
    with pytest.raises(ValueError, match="no file to read"):
        to_rows({}, mapping())
