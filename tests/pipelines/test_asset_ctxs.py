from datetime import UTC, date, datetime, timedelta

import lz4.frame
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import Delisting, WorldSpec
from pipelines.sources.asset_ctxs import asset_ctxs, daily_files, read, to_contexts
from pipelines.sources.errors import SourceError
from tests.pipelines.data_damage import TOKENS, damaged, hostile, unless_refused
from warehouse.contracts.tables import ASSET_CONTEXTS

PATH = "asset_ctxs/20251113.csv.lz4"
HEADER = (
    "time,coin,funding,open_interest,prev_day_px,day_ntl_vlm,premium,oracle_px,mark_px,mid_px,"
    "impact_bid_px,impact_ask_px"
)
NAMES = HEADER.split(",")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
# The contract's column of each of the file's.
COLUMNS = {
    "coin": "coin",
    "funding": "funding_rate",
    "open_interest": "open_interest",
    "prev_day_px": "prev_day_px",
    "day_ntl_vlm": "day_notional_volume",
    "premium": "premium",
    "oracle_px": "oracle_px",
    "mark_px": "mark_px",
    "mid_px": "mid_px",
    "impact_bid_px": "impact_bid_px",
    "impact_ask_px": "impact_ask_px",
}


def line(**changes):
    whole = {
        "time": "2025-11-13T00:01:00Z",
        "coin": "POPCAT",
        "funding": "-0.0003",
        "open_interest": "44122738",
        "prev_day_px": "0.15002",
        "day_ntl_vlm": "133328618.73",
        "premium": "-0.0019",
        "oracle_px": "0.12585",
        "mark_px": "0.12543",
        "mid_px": "0.12545",
        "impact_bid_px": "0.125332",
        "impact_ask_px": "0.125601",
    }
    return ",".join((whole | changes).values())


def body_of(*lines, header=HEADER):
    return "".join(f"{each}\n" for each in (header, *lines)).encode()


def contexts(*lines):
    return to_contexts(body_of(*lines), PATH)[0]


def held(rows):
    """Return the rows as the contract holds them, each grain once."""
    once = rows.unique(["coin", "context_ts"], keep="first")
    return ASSET_CONTEXTS.check(once.with_columns(source=pl.lit("test")).to_arrow())


def obvious(body):
    """Translate a file one cell at a time."""
    lines = body.decode().replace("\r\n", "\n").removesuffix("\n").split("\n")
    names = lines[0].split(",")
    for text in lines[1:]:
        cells = dict(zip(names, text.split(","), strict=True))
        row = {
            column: cells[name] if name == "coin" else float(cells[name] or "nan")
            for name, column in COLUMNS.items()
        }
        row["prev_day_px"] = row["prev_day_px"] or None
        row = {name: None if value != value else value for name, value in row.items()}
        notional = row["open_interest"] * row["mark_px"]
        at = datetime.fromisoformat(cells["time"])
        yield row | {"context_ts": at, "open_interest_notional": notional}


def agrees(rows, body):
    """Return whether rows are those of the obvious version."""
    wanted = list(obvious(body))
    names = list(wanted[0]) if wanted else []
    return rows.select(names).to_dicts() == wanted


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Two days of a made-up venue, with what was true, and a coin that is delisted."""
    folder = tmp_path_factory.mktemp("venue")
    gone = Delisting("SOL", int(NOON.timestamp()) * 1000)
    spec = WorldSpec(seed=3, coins=3, accounts=40, delistings=(gone,))
    write_archive(spec, 2, folder / "files", truth=folder / "truth", books=False)
    return folder


def test_a_simulated_day_says_what_was_true(simulated):
    archive = asset_ctxs(str(simulated / "files"))
    days = daily_files(archive)
    assert list(days.paths) == [date(2026, 1, 5), date(2026, 1, 6)]
    assert not days.odd
    read_days = [to_contexts(read(archive, path), path) for path in days.paths.values()]
    assert all(not unknown for _, unknown in read_days)
    rows = pl.concat([rows for rows, _ in read_days])
    assert held(rows).num_rows == rows.height

    truth = pl.read_parquet(simulated / "truth/minutes.parquet").filter("listed")
    truth = truth.rename({"ts": "context_ts"}).filter(
        pl.col("context_ts") < datetime(2026, 1, 7, tzinfo=UTC)
    )
    both = rows.join(truth, on=["coin", "context_ts"], how="full", suffix="_true")
    assert both.height == rows.height == truth.height > 6_000
    pairs = {
        "mark_px": pl.col("mark_px_true"),
        "oracle_px": pl.col("oracle_px_true"),
        "open_interest": pl.col("open_interest_true"),
        "open_interest_notional": pl.col("open_interest_true") * pl.col("mark_px_true"),
        "funding_rate": pl.col("rate"),
        "premium": pl.col("premium_true"),
        "mid_px": (pl.col("bid_px") + pl.col("ask_px")) / 2,
        "impact_bid_px": pl.col("impact_bid_px_true"),
        "impact_ask_px": pl.col("impact_ask_px_true"),
    }
    for name, true in pairs.items():
        given = both.filter(pl.col(name).is_not_null())
        assert given.height > 0.99 * both.height
        apart = given.select((pl.col(name) - true).abs() - 1e-9 * true.abs()).to_series()
        assert apart.max() < 1e-10, name
    assert rows.filter(coin="SOL")["context_ts"].max() <= NOON < rows["context_ts"].max()
    noon = both.filter(pl.col("context_ts") == NOON, coin="BTC")
    after = rows.filter(pl.col("context_ts") == NOON + timedelta(days=1), coin="BTC")
    assert after["prev_day_px"].item() == noon["mark_px"].item()


def test_every_cell_has_its_column():
    [row] = contexts(line()).to_dicts()
    assert row == {
        "venue": "hyperliquid",
        "coin": "POPCAT",
        "context_ts": datetime(2025, 11, 13, 0, 1, tzinfo=UTC),
        "mark_px": 0.12543,
        "oracle_px": 0.12585,
        "open_interest": 44122738.0,
        "open_interest_notional": 44122738.0 * 0.12543,
        "funding_rate": -0.0003,
        "premium": -0.0019,
        "mid_px": 0.12545,
        "impact_bid_px": 0.125332,
        "impact_ask_px": 0.125601,
        "prev_day_px": 0.15002,
        "day_notional_volume": 133328618.73,
        "known_ts": datetime(2026, 1, 1, tzinfo=UTC),
    }


def test_what_a_thin_book_lacks_is_null():
    thin = dict.fromkeys(("premium", "mid_px", "impact_bid_px", "impact_ask_px"), "")
    [row] = contexts(line(**thin)).to_dicts()
    assert all(row[name] is None for name in thin)
    assert row["mark_px"] == 0.12543
    assert held(contexts(line(**thin))).num_rows == 1


def test_a_price_of_nothing_a_day_ago_is_null():
    assert contexts(line(prev_day_px="0.0"))["prev_day_px"].item() is None


def test_minutes_off_the_grid_and_repeated_rows_are_kept():
    times = ["2025-11-13T00:01:00Z", "2025-11-13T00:01:07.25Z", "2025-11-13T00:01:07.25Z"]
    rows = contexts(*(line(time=time) for time in times))
    assert [f"{at:%M:%S.%f}" for at in rows["context_ts"]] == [
        "01:00.000000",
        "01:07.250000",
        "01:07.250000",
    ]


def test_a_row_of_another_day_is_kept_and_never_known_before_it_was_true():
    late = "2026-03-01T00:00:00Z"
    rows = contexts(line(time="2025-11-12T23:59:59Z"), line(time=late))
    published = datetime(2026, 1, 1, tzinfo=UTC)
    assert rows["known_ts"].to_list() == [published, datetime(2026, 3, 1, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("day", "known"),
    [
        ("20251101", (2026, 1)),
        ("20251130", (2026, 1)),
        ("20251201", (2026, 2)),
        ("20260731", (2026, 9)),
    ],
)
def test_a_months_files_are_known_once_the_month_after_it_is_over(day, known):
    body = body_of(line(time=f"{day[:4]}-{day[4:6]}-{day[6:]}T00:01:00Z"))
    rows, _ = to_contexts(body, f"asset_ctxs/{day}.csv.lz4")
    assert rows["known_ts"].to_list() == [datetime(*known, 1, tzinfo=UTC)]


def test_files_are_found_in_order_and_other_names_are_told(tmp_path):
    folder = tmp_path / "hyperliquid-archive/asset_ctxs"
    (folder / "old").mkdir(parents=True)
    odd = ["20251113.csv", "20251301.csv.lz4", "2025111.csv.lz4", "old/20251113.csv.lz4"]
    for name in ("20251201.csv.lz4", "20251130.csv.lz4", *odd):
        folder.joinpath(name).write_bytes(lz4.frame.compress(body_of(line())))
    for root in (tmp_path, tmp_path / "hyperliquid-archive"):
        archive = asset_ctxs(str(root))
        found = daily_files(archive)
        assert list(found.paths) == [date(2025, 11, 30), date(2025, 12, 1)]
        assert found.odd == sorted(f"asset_ctxs/{name}" for name in odd)
        assert read(archive, found.paths[date(2025, 12, 1)]) == body_of(line())
    with pytest.raises(FileNotFoundError, match="holds neither asset_ctxs/ nor"):
        asset_ctxs(str(tmp_path / "hyperliquid-archive/asset_ctxs/old"))


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


def test_other_ends_of_lines_are_read_alike():
    body = body_of(line(), line(coin="BTC"))
    rows, _ = to_contexts(body, PATH)
    for other in (body.replace(b"\n", b"\r\n"), body[:-1]):
        assert to_contexts(other, PATH)[0].equals(rows)


def test_a_file_of_no_rows_has_none():
    assert contexts().height == 0
    assert held(contexts()).num_rows == 0


def test_columns_nobody_documented_are_counted():
    body = body_of(line() + ",7,", line() + ",,x", header=HEADER + ",mood,sky")
    rows, unknown = to_contexts(body, PATH)
    assert unknown == {"mood": 2, "sky": 2}
    assert rows.equals(contexts(line(), line()))


numbers = st.floats(1e-9, 1e9).map(repr)
lines = st.fixed_dictionaries(
    {
        "time": st.integers(1_684_540_800_000_000, 1_900_000_000_000_000).map(
            lambda us: (EPOCH + timedelta(microseconds=us)).isoformat().replace("+00:00", "Z")
        ),
        "coin": st.sampled_from(["BTC", "kPEPE", "xyz:TSLA", "@107"]),
        "funding": st.floats(-0.04, 0.04).map(repr),
        **dict.fromkeys(
            ("open_interest", "prev_day_px", "day_ntl_vlm"), numbers | st.just("0")
        ),
        "premium": st.floats(-1, 1).map(repr) | st.just(""),
        **dict.fromkeys(("oracle_px", "mark_px"), numbers),
        **dict.fromkeys(("mid_px", "impact_bid_px", "impact_ask_px"), numbers | st.just("")),
    }
)


@given(st.lists(lines, max_size=6))
def test_agrees_with_the_obvious_version(given):
    body = body_of(*(line(**each) for each in given))
    rows, _ = to_contexts(body, PATH)
    assert rows.height == len(given)
    assert not given or agrees(rows, body)


WHOLE = body_of(line(), line(coin="BTC", premium="", mid_px=""), line(coin="xyz:TSLA"))
cells = st.sampled_from([token.decode("latin-1") for token in TOKENS]) | st.text(max_size=5)


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
