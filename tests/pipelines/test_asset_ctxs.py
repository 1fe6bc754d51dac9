from datetime import UTC, date, datetime, timedelta

import lz4.frame
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.simulator.archive.write import write_archive
from pipelines.simulator.world import Delisting, WorldSpec
from pipelines.sources.asset_ctxs import asset_ctxs, daily_files, read, to_contexts
from tests.pipelines.data_asset_ctxs import (
    HEADER,
    PATH,
    agrees,
    body_of,
    contexts,
    held,
    line,
    lines,
)

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


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


@given(st.lists(lines, max_size=6))
def test_agrees_with_the_obvious_version(given):
    body = body_of(*(line(**each) for each in given))
    rows, _ = to_contexts(body, PATH)
    assert rows.height == len(given)
    assert not given or agrees(rows, body)
