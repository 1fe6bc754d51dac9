import lz4.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.sources.asset_ctxs import asset_ctxs, read, to_contexts
from pipelines.sources.errors import SourceError
from tests.pipelines.data_asset_ctxs import (
    HEADER,
    PATH,
    agrees,
    body_of,
    cells,
    contexts,
    held,
    line,
)
from tests.pipelines.data_damage import damaged, hostile, unless_refused

NAMES = HEADER.split(",")


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    (tmp_path / "asset_ctxs").mkdir()
    packed = lz4.frame.compress(body_of(*[line()] * 50))
    tmp_path.joinpath(PATH).write_bytes(packed[:-7])
    with pytest.raises(SourceError, match=rf"{PATH}: must be whole LZ4 frames"):
        read(asset_ctxs(str(tmp_path)), PATH)


def test_a_path_that_names_no_day_is_refused():
    with pytest.raises(SourceError, match=r"x\.csv: must be called asset_ctxs/YYYYMMDD"):
        to_contexts(body_of(line()), "x.csv")


NUMBER, ABOVE, ZERO = "must be a number", "must be above 0", "must be 0 or more"


MAY_LACK = ("premium", "mid_px", "impact_bid_px", "impact_ask_px")


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        *((name, "", "must not be missing") for name in NAMES if name not in MAY_LACK),
        *(
            (name, value, NUMBER)
            for name in NAMES[2:]
            for value in ("x", "0x10", "1_0", " 1", "null", '"1"')
        ),
        *((name, value, "must be finite") for name in NAMES[2:] for value in ("NaN", "-inf")),
        *((name, "1e400", "must be finite") for name in NAMES[2:]),
        *((name, value, ABOVE) for name in NAMES[7:] for value in ("0", "-0.1")),
        *((name, "-1", ZERO) for name in ("open_interest", "prev_day_px", "day_ntl_vlm")),
        ("open_interest", "1e309", "must be finite"),
        ("coin", '"BTC"', "must be a coin's name"),
        ("coin", "../BTC", "must be a coin's name"),
        ("coin", "B TC", "must be a coin's name"),
        *(
            ("time", value, "must be a time as 2025-11-13T00:01:00Z")
            for value in (
                "2025-11-13 00:01:00",
                "2025-11-13T00:01:00",
                "2025-11-13T00:01:00+01:00",
                "2025-13-01T00:01:00Z",
                "2025-02-30T00:01:00Z",
                "2025-11-13T24:01:00Z",
                "2025-11-13T23:59:60Z",
                "1763000000",
            )
        ),
        ("time", "1970-01-01T00:00:00Z", "must be of 2023 or later"),
        ("time", "0000-01-01T00:00:00Z", "must be of 2023 or later"),
    ],
)
def test_a_cell_that_is_not_as_documented_is_refused_by_its_line(name, value, must):
    with pytest.raises(SourceError) as raised:
        contexts(line(), line(**{name: value}))
    said = str(raised.value)
    assert said.startswith(f"{PATH} line 3: field {name} {must}")
    assert "\n" not in said


def test_a_value_at_mark_that_is_no_number_is_refused():
    with pytest.raises(SourceError, match="open_interest must have a finite value at mark"):
        contexts(line(open_interest="1e200", mark_px="1e200"))


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "cannot be read as CSV"),
        (b"\n", "cannot be read as CSV|field time is missing"),
        (body_of(line(), header=HEADER.replace("mark_px", "mark")), "field mark_px is missing"),
        (body_of(line(), header=HEADER + ",coin"), "line 1: field coin comes more than once"),
        (body_of(line(), HEADER), "line 3: field funding must be a number, is funding"),
        (body_of(line(), line() + ","), "line 3: must have 12 cells, has 13"),
        (body_of(line(), line()[:-9].rpartition(",")[0]), "line 3: must have 12 cells, has 10"),
        (body_of(line()[:30], line() + ",,,,,,,,,"), "line 2: must have 12 cells, has 3"),
        (body_of(line(), "", line()), "line 3: must have 12 cells, has 1"),
        (body_of(line()) + b"\n", "line 3: must have 12 cells, has 1"),
        (b"\xef\xbb\xbf" + body_of(line()), "line 1: must be printable ASCII, has byte 239"),
        (body_of(line(), line(coin="B\0C")), "line 3: must be printable ASCII, has byte 0"),
        (body_of(line(coin="MÜNZE")), "line 2: must be printable ASCII, has byte 195"),
        (body_of(line()).replace(b"\n", b"\r"), "line 1: must be printable ASCII, has byte 13"),
        (body_of(line(coin="\xff")).decode().encode("latin-1"), "has byte 255"),
    ],
)
def test_a_file_of_another_shape_is_refused(body, complaint):
    with pytest.raises(SourceError, match=complaint) as raised:
        to_contexts(body, PATH)
    assert str(raised.value).startswith(PATH)


WHOLE = body_of(line(), line(coin="BTC", premium="", mid_px=""), line(coin="xyz:TSLA"))


@hostile
@given(damaged(WHOLE) | st.binary(max_size=200))
def test_damaged_bytes_are_refused_or_read_as_they_stand(body):
    if (made := unless_refused(to_contexts, body, PATH)) is not None:
        assert made[0].height == 0 or agrees(made[0], body)
        assert held(made[0]).num_rows <= made[0].height


@hostile
@given(st.sampled_from(NAMES), cells)
def test_any_cell_is_refused_or_read_as_it_stands(name, cell):
    body = body_of(line(), line(**{name: cell}))
    if (made := unless_refused(to_contexts, body, PATH)) is not None:
        assert agrees(made[0], body)
        assert held(made[0]).num_rows <= 2
