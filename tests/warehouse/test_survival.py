"""Survival curves and fits: by hand, and where the truth is known."""

import json
import math
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import survival as obvious
from tests.rows import T0
from tests.warehouse.data_cohorts import show
from tests.warehouse.data_sweeps import lake_of
from tests.warehouse.test_position_spells import EVERY_HOUR, fill
from warehouse import open_lake
from warehouse.survival.ask import TABLES, grouped, survival
from warehouse.survival.cli import survival_
from warehouse.survival.curves import curve, curves, groups
from warehouse.survival.weibull import LEAST_LIQUIDATED, fit

WATCHES = [(2.0, "liquidated"), (3.0, "closed"), (4.0, "liquidated"), (5.0, "open")]


def curve_of(watches):
    hours = np.array([hours for hours, _ in watches], float)
    ends = np.array([outcome for _, outcome in watches])
    return curve(hours, ends == "liquidated", ends == "closed")


def test_a_curve_by_hand():
    """Four at risk, one goes: 3/4.  Two at risk when the other goes: 3/4 x 1/2."""
    drawn = curve_of(WATCHES)
    assert drawn["hours"].to_list() == [0, 2, 3, 4, 5]
    assert drawn["at_risk"].to_list() == [4, 4, 3, 2, 1]
    assert drawn["liquidated"].to_list() == [0, 1, 0, 1, 0]
    assert drawn["closed"].to_list() == [0, 0, 1, 0, 0]
    assert drawn["survival"].to_list() == pytest.approx([1, 0.75, 0.75, 0.375, 0.375])
    # Nothing had ended before the first; half of all had, one way or the other, by the second.
    assert drawn["liquidated_share"].to_list() == pytest.approx([0, 0.25, 0.25, 0.5, 0.5])
    # Greenwood's sum at 2 hours is 1 / (4 x 3); the band is S ** exp(± 1.96 sqrt(sum) / ln S).
    width = 1.959963985 * math.sqrt(1 / 12) / abs(math.log(0.75))
    assert drawn["low"].to_list()[0] is None
    assert drawn["low"][1] == pytest.approx(0.75 ** math.exp(width))
    assert drawn["high"][1] == pytest.approx(0.75 ** math.exp(-width))


watches = st.lists(
    st.tuples(
        st.integers(0, 12).map(lambda half: half / 2),
        st.sampled_from(["liquidated", "closed", "open", "gap"]),
    ),
    min_size=1,
    max_size=30,
)


# Liquidations come after a look, so never at 0 hours.
@given(some=watches.map(lambda some: [(h + 0.5 * (o == "liquidated"), o) for h, o in some]))
def test_curves_are_those_of_the_obvious_version(some):
    drawn = curve_of(some)
    steps = drawn.filter(pl.col("liquidated") > 0).select(
        "hours", "survival", "liquidated_share"
    )
    for got, want in zip(steps.rows(), obvious.kaplan_meier(some), strict=True):
        assert got == pytest.approx(want, rel=1e-9, abs=1e-12)
    inside = drawn.filter(pl.col("low").is_not_null())
    assert inside.filter(
        (pl.col("low") > pl.col("survival")) | (pl.col("survival") > pl.col("high"))
    ).is_empty()


def made_up(count, seed, hazard=None):
    """Return spells whose truth is known: Weibull times, cut off by chance."""
    draw = np.random.default_rng(seed)
    leverage = draw.choice([2.0, 5.0, 10.0, 20.0, 40.0], count)
    distance = 90 / leverage * draw.uniform(0.5, 1.0, count)
    if hazard is None:
        lasted = np.exp(1.0 - 0.4 * np.log(leverage) + 1.2 * np.log(distance))
        lasted *= draw.weibull(1.5, count)
    else:
        lasted = draw.exponential(1 / hazard, count)
    cut = draw.exponential(40.0, count)
    return pl.DataFrame(
        {
            "account": [f"0x{number:040x}" for number in range(count)],
            "hours": np.minimum(lasted, cut),
            "outcome": np.where(lasted <= cut, "liquidated", "closed"),
            "leverage": leverage,
            "distance_pct": distance,
            "position_group": "all",
        }
    )


def test_a_known_hazard_lies_within_its_band_as_often_as_it_should():
    within = []
    for seed in range(40):
        drawn = curves(made_up(300, seed=seed, hazard=0.05))
        for after in (2, 10, 30):
            row = drawn.filter(pl.col("hours") <= after).row(-1, named=True)
            within.append(row["low"] < math.exp(-0.05 * after) < row["high"])
            assert row["high"] - row["low"] < 0.2
            # Closing takes half as many an hour: of the ended, 2 in 3 were liquidated.
            share = 2 / 3 * (1 - math.exp(-0.075 * after))
            assert row["liquidated_share"] == pytest.approx(share, abs=0.12)
    assert 0.88 <= sum(within) / len(within) <= 1


def test_a_known_law_is_recovered_within_its_confidence():
    fitted = fit(made_up(2000, seed=6))
    truth = {
        "intercept": 1.0,
        "log_leverage": -0.4,
        "log_distance": 1.2,
        "log_shape": math.log(1.5),
    }
    assert fitted.terms["term"].to_list() == list(truth)
    for row in fitted.terms.iter_rows(named=True):
        assert abs(row["estimate"] - truth[row["term"]]) < 3 * row["std_error"]
        assert row["high"] - row["low"] == pytest.approx(2 * 1.959964 * row["std_error"])
        assert row["std_error"] < 0.5
    assert fitted.basis.startswith("Weibull fit to 2000 of 2000 positions")


def test_what_says_too_little_is_not_fitted():
    few = fit(made_up(40, seed=7))
    assert few.terms.is_empty()
    assert f"{LEAST_LIQUIDATED} liquidated are needed" in few.basis
    same = fit(made_up(500, seed=8).with_columns(leverage=pl.lit(10.0)))
    assert same.terms.is_empty()
    assert same.basis == "no fit: all 500 positions have the same leverage"
    unknown = made_up(500, seed=8).with_columns(leverage=pl.lit(None, pl.Float64))
    assert "no fit: 0 of 500 positions" in fit(unknown).basis


def test_a_summary_names_no_share_beyond_the_watch():
    spells = made_up(3, seed=1).with_columns(
        hours=pl.Series([2.0, 3.0, 30.0]), outcome=pl.Series(["liquidated", "closed", "open"])
    )
    (row,) = groups(spells, curves(spells)).to_dicts()
    assert (row["positions"], row["liquidated"], row["closed"], row["cut_off"]) == (3, 1, 1, 1)
    assert row["survival_1h"] == 1
    assert row["survival_24h"] == pytest.approx(2 / 3)
    assert row["survival_72h"] is None
    assert row["median_hours"] is None


def test_groups_stand_in_their_order():
    spells = pl.DataFrame(
        {
            "leverage": [20.0, None, 3.0, 10.0],
            "leverage_band": ["20x and more", None, "3x to 5x", "10x to 20x"],
        }
    )
    ordered = grouped(spells, "leverage")["position_group"].to_list()
    assert ordered == ["3x to 5x", "10x to 20x", "20x and more", "unknown"]


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    whole = {"holder": 1, "nth": 0, "look": 5, "minutes_after": 30, "grown": 1.0, "part": 1.0}
    whole |= {"forced": True, "late": False, "told_by_the_other": False}
    first = [EVERY_HOUR[0] | {"said": ([], [], None)}, *EVERY_HOUR[1:]]
    with open_lake(tmp_path_factory.mktemp("lake")) as con:
        show(con, lake_of(first) | {"fills": fill(0, whole, first)}, range(10))
        con.execute("insert into promised.coins values ('BTC', $1::timestamptz, $1)", [T0])
        yield con


END = T0 + timedelta(hours=9)


def test_a_lake_is_asked_and_the_answer_stands_in_its_catalog(con):
    answer = survival(con, T0, END, "BTC", by="side")
    (row,) = answer.survival_groups.to_pylist()
    assert (row["position_group"], row["positions"], row["liquidated"]) == ("long", 1, 1)
    assert row["median_hours"] == 4.5
    assert answer.basis.startswith("1 of 2 spells (opened); 1 liquidated, 0 closed; no fit: ")
    for name in TABLES:
        shown = con.sql(f"from {name}").to_arrow_table()
        assert shown.to_pylist() == getattr(answer, name).to_pylist(), name
    none = survival(con, T0, T0 + timedelta(hours=3), by="distance", begun=("left",))
    assert none.survival_curves.num_rows == none.survival_groups.num_rows == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"by": "mood"},
            "by 'mood' is not allowed; use leverage, distance, segment, coin, side",
        ),
        ({"begun": ("born",)}, "begun 'born' is not allowed; use opened, unknown, left"),
        ({"begun": ()}, "begun nothing is not allowed"),
        ({"since": datetime(2026, 1, 2)}, "has no time zone"),  # noqa: DTZ001
        ({"until": T0}, "use a moment after since"),
        ({"coin": "BTX"}, "coin 'BTX' is not known by then; .* near it: BTC"),
        ({"coin": "x' or 1=1 --"}, "is not known by then"),
    ],
)
def test_what_is_not_allowed_is_said(con, wrong, said):
    with pytest.raises(Exception, match=said):
        survival(con, **({"since": T0, "until": END} | wrong))


def test_the_command_line_prints_groups_curves_and_the_fit(tmp_path, monkeypatch, con):
    monkeypatch.setattr("warehouse.survival.cli.open_lake", lambda lake: con.cursor())
    call = [
        "BTC",
        "--from",
        f"{T0:%Y-%m-%dT%H:%MZ}",
        "--to",
        f"{END:%Y-%m-%dT%H:%MZ}",
        "--json",
    ]
    for show_, rows in (("groups", 1), ("curves", 2), ("fit", 0)):
        done = CliRunner().invoke(survival_, [*call, "--show", show_], catch_exceptions=False)
        assert len(json.loads(done.stdout)) == rows
        assert "1 of 2 spells (opened)" in done.stderr
    there = CliRunner().invoke(survival_, [*call, "--already-there"], catch_exceptions=False)
    assert "1 of 2 spells (opened or unknown)" in there.stderr
