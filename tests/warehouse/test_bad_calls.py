"""What Python cannot ask is refused in one line that says what to give."""

from datetime import UTC, datetime

import duckdb
import pytest

from tests.rows import T0
from tests.warehouse.bad_questions import NOW, a_market
from warehouse import ask, cohorts, flow, heatmap
from warehouse.joint_map import joint_map
from warehouse.survival.ask import survival


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    with a_market(tmp_path_factory.mktemp("lake")) as con:
        yield con


def asks(con, at=NOW, earlier=T0, coin="BTC"):
    """Return every question of Python, with each of its moments and its coin as given."""
    return (
        lambda: ask.liquidation_map(con, coin, at),
        lambda: ask.liquidation_clusters(con, coin, at),
        lambda: ask.cascade_scenarios(con, coin, at),
        lambda: ask.leverage_regime(con, coin, at),
        lambda: ask.map_coverage(con, coin, at),
        lambda: cohorts.map_changes(con, coin, earlier, at),
        lambda: cohorts.mass_decay(con, coin, earlier, at),
        lambda: flow.liquidation_flow(con, coin, earlier, at),
        lambda: flow.cascades(con, coin, earlier, at),
        lambda: joint_map(con, coin, at),
        lambda: survival(con, earlier, at, coin),
        lambda: cohorts.liquidation_risk(con, "all" if coin == "BTC" else coin, at),
    )


SPANS = slice(5, 9)  # of `asks`: those that take an earlier moment


def test_python_takes_no_moment_without_a_zone(con):
    naive = NOW.replace(tzinfo=None)
    for call in (
        *asks(con, at=naive),
        *asks(con, earlier=naive)[SPANS],
        lambda: ask.moment("2026-01-03T00:00"),
    ):
        with pytest.raises(ValueError, match="no time zone") as raised:
            call()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("at", ["2026-01-03T00:00Z", None, NOW.date(), 5, NOW.timestamp()])
def test_python_takes_no_other_moment_than_an_aware_datetime(con, at):
    for call in (*asks(con, at=at), *asks(con, earlier=at)[SPANS]):
        with pytest.raises(TypeError, match="is not allowed; give an aware datetime") as raised:
            call()
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("coin", [None, 5, b"BTC", ["BTC"]])
def test_python_takes_no_other_coin_than_text(con, coin):
    for call in asks(con, coin=coin):
        with pytest.raises(TypeError, match=r"(coin|segment) .* give its name, as '") as raised:
            call()
        assert "\n" not in str(raised.value)


def test_what_the_command_line_suggests_is_the_same_moment():
    for text in ("2026-01-03T10:30", "2026-01-03", "2026-01-03 10:30:01.5"):
        with pytest.raises(ValueError, match="no time zone; if it is UTC") as raised:
            ask.moment(text)
        suggested = str(raised.value).rpartition(" ")[2]
        assert ask.moment(suggested) == datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_python_names_coins_that_are_like_an_unknown_one(con):
    for call in (
        lambda: ask.liquidation_map(con, "BTX", NOW),
        lambda: ask.map_coverage(con, "BTX", NOW),
        lambda: cohorts.map_changes(con, "BTX", T0, NOW),
        lambda: joint_map(con, "BTX", NOW),
        lambda: survival(con, T0, NOW, "BTX"),
        lambda: flow.cascades(con, "BTX", T0, NOW),
    ):
        with pytest.raises(duckdb.InvalidInputException, match="that are, near it: BTC"):
            call()


def test_a_heatmap_of_python_has_a_width():
    import polars as pl

    for width in (0, -1, 101, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="use a number above 0, up to 100"):
            heatmap.liquidation_heatmap(pl.DataFrame(), pl.DataFrame(), width)
