import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import margin as obvious
from warehouse.kernels import margin
from warehouse.margin import Tier, TierTable, column

BTC = [Tier(0, 40), Tier(150e6, 20)]
LADDER = [Tier(0, 50), Tier(1e5, 25), Tier(1e6, 10), Tier(5e6, 3)]
TIERS = TierTable.of({"BTC": BTC, "ladder": LADDER, "flat": [Tier(0, 3)]})
NAMES = {"BTC": BTC, "ladder": LADDER, "flat": [Tier(0, 3)]}
ARRAYS = (TIERS.first, TIERS.rate, TIERS.deduction)

each = pytest.mark.parametrize("way", ["compiled", "interpreted"])
sizes = st.floats(1e-3, 1e5).flatmap(lambda size: st.sampled_from([size, -size]))


def kernel(name, way):
    made = getattr(margin, name)
    return made if way == "compiled" else getattr(made, "py_func", made)


def rates(name):
    return [(tier.lower_bound, 1 / (2 * tier.max_leverage)) for tier in NAMES[name]]


@each
@given(
    notional=st.floats(0, 1e9) | st.sampled_from([1e5, 1e6, 5e6, 150e6]),
    name=st.sampled_from(list(NAMES)),
)
def test_maintenance_agrees_with_the_docs_recursion(way, notional, name):
    got = kernel("maintenance_margin", way)(
        np.array([notional]), np.array([TIERS.row_of[name]]), *ARRAYS
    )
    assert got[0] == pytest.approx(obvious.maintenance(notional, rates(name)), abs=1e-6)


@each
@given(size=sizes, raw=st.floats(-1e9, 1e9), name=st.sampled_from(list(NAMES)))
def test_liquidation_px_agrees_with_bisection(way, size, raw, name):
    got = kernel("liquidation_px", way)(
        np.array([size]), np.array([raw]), np.array([TIERS.row_of[name]]), *ARRAYS
    )[0]
    want = obvious.liquidation_px(size, raw, rates(name))
    # Where equity is within a rounding of its margin, there is nothing to agree on.
    if want is None or want < 1e-9 or want > 1e14:
        assert np.isnan(got) or got < 1e-8 or got > 1e14
    else:
        assert got == pytest.approx(want, rel=1e-9, abs=1e-12)


@each
def test_not_known_stays_not_known(way):
    got = kernel("liquidation_px", way)(
        np.array([1.0]), np.array([np.nan]), np.array([0]), *ARRAYS
    )
    assert np.isnan(got[0])
    got = kernel("maintenance_margin", way)(np.array([np.nan]), np.array([0]), *ARRAYS)
    assert np.isnan(got[0])


@each
@given(
    size=sizes,
    mark=st.floats(0.01, 1e5),
    available=st.floats(1.0, 1e8),
    name=st.sampled_from(list(NAMES)),
)
def test_a_price_implies_the_margin_it_was_made_from(way, size, mark, available, name):
    row = np.array([TIERS.row_of[name]])
    sizes, marks = np.array([size]), np.array([mark])
    held = kernel("maintenance_margin", way)(np.abs(sizes) * marks, row, *ARRAYS)
    raw = available + held - sizes * marks
    px = kernel("liquidation_px", way)(sizes, raw, row, *ARRAYS)
    implied = kernel("implied_margin", way)(sizes, marks, px, row, *ARRAYS)[0]
    if np.isnan(px[0]):
        assert np.isnan(implied)
    else:
        magnitude = max(available, abs(size) * mark, abs(size) * px[0])
        assert implied == pytest.approx(available, abs=1e-9 * magnitude)


def test_by_hand():
    """100 coins at 100 USD, 10x isolated of a 20x coin: 9000 / 97.5 USD."""
    tiers = TierTable.of({"X": [Tier(0, 20)]})
    arrays = (tiers.first, tiers.rate, tiers.deduction)
    px = margin.liquidation_px(
        np.array([100.0, -100.0]),
        np.array([1000.0 - 10000.0, 1000.0 + 10000.0]),
        np.array([0, 0]),
        *arrays,
    )
    assert px == pytest.approx([9000 / 97.5, 11000 / 102.5])


def test_reproduces_every_real_isolated_position(real):
    rows = pl.read_csv(real / "margin/isolated_positions.csv")
    assert rows.height == 15
    for row in rows.iter_rows(named=True):
        tiers = TierTable.of({"X": [Tier(0, row["maxLeverage"])]})
        size = row["contracts"] * (1 if row["side"] == "long" else -1)
        raw = row["collateral"] - size * row["entryPrice"]
        px = margin.liquidation_px(
            np.array([size]),
            np.array([raw]),
            np.array([0]),
            tiers.first,
            tiers.rate,
            tiers.deduction,
        )[0]
        # The file rounds prices to 8 decimals, and collateral to 6.
        assert px == pytest.approx(row["liquidationPrice"], rel=6e-8), row["symbol"]


def test_real_cross_positions_of_an_account_imply_one_margin(real):
    rows = pl.read_parquet(real / "margin/cross_positions.parquet")
    rows = rows.filter(pl.col("levType") == "cross")
    documented = {
        "BTC": [Tier(0, 40), Tier(150e6, 20)],
        "ETH": [Tier(0, 25), Tier(100e6, 15)],
        "SOL": [Tier(0, 20), Tier(70e6, 10)],
    }
    tiers = TierTable.of(documented)
    arrays = (tiers.first, tiers.rate, tiers.deduction)
    coin = np.array([tiers.row_of[name] for name in rows["coin"]])
    size, notional = column(rows, "szi"), column(rows, "notional")
    mark = notional / np.abs(size)
    implied = margin.implied_margin(size, mark, column(rows, "liqPx"), coin, *arrays)
    rows = rows.with_columns(implied=pl.Series(implied, nan_to_null=True))
    accounts = rows.group_by("addr", "ts").agg(
        known=pl.col("implied").count(),
        margin=pl.col("implied").median(),
        apart=pl.col("implied").max() - pl.col("implied").min(),
    )
    several = accounts.filter(pl.col("known") > 1)
    assert several.height == 666
    assert (several["apart"] <= 1e-6 * several["margin"].abs()).all()
    # And where the venue gives no price, that margin says that there is none.
    silent = rows.join(accounts, on=["addr", "ts"]).filter(
        pl.col("liqPx").is_null() & pl.col("margin").is_not_null()
    )
    coin = np.array([tiers.row_of[name] for name in silent["coin"]])
    size, notional = column(silent, "szi"), column(silent, "notional")
    held = margin.maintenance_margin(notional, coin, *arrays)
    raw = column(silent, "margin") + held - size * (notional / np.abs(size))
    assert silent.height > 300
    assert np.isnan(margin.liquidation_px(size, raw, coin, *arrays)).all()
