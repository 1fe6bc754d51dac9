"""How far our prices are from the venue's on real snapshots, and what they cannot say."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from pipelines.sources.documented_tiers import tiers_of
from pipelines.sources.reservoir import SnapshotFile, to_positions
from tests.warehouse.test_margin_error import DOCUMENTED
from warehouse.cross.margin_error import compare
from warehouse.kernels.margin import liquidation_px, maintenance_margin
from warehouse.margin import TierTable, column

MAJORS = list(DOCUMENTED)
# Two vaults of the venue itself.
VAULT = "0x31ca8395cf837de08b24da3f660e77761dfb974b"
OTHER_VAULT = "0x010461c14e146ac35fe42271bdc1134ee31c703a"
SNAPSHOTS = "hydromancer-reservoir/by_dex/hyperliquid/snapshots/perp"


@pytest.fixture(scope="module")
def tiers(real):
    """Return the tiers of early February 2026, as far as they are documented."""
    universe = pl.read_csv(real / "market/universe.csv")
    most = universe.group_by("name", maintain_order=True).agg(pl.col("maxLeverage").max())
    return TierTable.of({coin: tiers_of(coin, leverage) for coin, leverage in most.iter_rows()})


def positions_of(path):
    at = datetime.fromtimestamp(int(path.stem.rpartition("_")[2]) / 1000, UTC)
    raw = pl.read_parquet(path, hive_partitioning=False)
    rows = to_positions(raw, SnapshotFile("f", "hyperliquid", at)).positions
    return rows.with_columns(source=pl.lit("real"), liquidation_px_source=pl.lit("venue"))


@pytest.fixture(scope="module")
def recorded(real, tiers):
    """Return the four snapshots that record margin modes, and what became of their prices."""
    paths = sorted(real.glob(f"{SNAPSHOTS}/date=2026-02-0[34]/*"))[:4]
    rows = pl.concat(positions_of(path) for path in paths)
    got = compare(rows, tiers)
    said = got.select("error", "sibling", "agrees", "silent", "confirmed")
    return rows.with_columns(said).with_columns(verdict=got["verdict"].cast(pl.String))


def test_every_cross_price_in_majors_agrees_with_its_accounts_others(recorded):
    majors = recorded.filter(pl.col("coin").is_in(MAJORS), pl.col("leverage_type") == "cross")
    several = majors.filter("sibling")
    assert several.height == 563
    assert several["agrees"].all()
    off = majors.filter(pl.col("error") > 1e-6)
    assert set(off["account"]) == {VAULT}
    assert set(off["verdict"]) == {"own_leverage"}


def test_prices_that_are_a_little_off_are_found_among_the_real_ones(recorded, tiers):
    off = pl.when(pl.col("coin") == "BTC").then(1.00001).otherwise(1.0)
    given = recorded.drop("error", "sibling", "agrees", "silent", "confirmed", "verdict")
    got = compare(given.with_columns(pl.col("liquidation_px") * off), tiers)
    planted = got.filter(pl.Series(recorded["coin"] == "BTC"), pl.col("sibling"))
    assert (planted["verdict"].cast(pl.String) == "unexplained").sum() > 150
    assert (~planted["agrees"]).sum() > 150


def test_prices_that_are_moved_at_random_follow_no_table(recorded, tiers):
    """So a table that explains a price which is off is no fitted excuse."""
    rng = np.random.default_rng(7)
    close = pl.col("agrees") & (pl.col("verdict") == "close")
    moved = (
        recorded.with_row_index("nth")
        .filter(close & (close.sum().over("account", "snapshot_ts") > 2))
        .group_by("account", "snapshot_ts", maintain_order=True)
        .agg(pl.col("nth").shuffle(seed=7).first())["nth"]
    )
    factor = np.ones(recorded.height)
    away = np.exp(rng.uniform(np.log(1e-5), np.log(0.1), moved.len()))
    factor[moved] += rng.choice([-1.0, 1.0], moved.len()) * away
    given = recorded.drop("error", "sibling", "agrees", "silent", "confirmed", "verdict")
    got = compare(given.with_columns(pl.col("liquidation_px") * pl.Series(factor)), tiers)
    said = got["verdict"].cast(pl.String)[moved]
    assert moved.len() > 100
    assert (said == "own_leverage").sum() == 0
    assert (said == "unexplained").mean() > 0.97


def test_no_price_is_unexplained_and_no_silence_is_contradicted(recorded):
    assert (recorded["verdict"] == "unexplained").sum() == 0
    assert recorded["silent"].sum() > 1_000
    assert (recorded["confirmed"] == recorded["silent"]).all()


def test_the_vaults_prices_agree_by_one_leverage_and_its_value_says_fifty(recorded):
    rows = recorded.filter(account=VAULT).filter(
        pl.col("snapshot_ts") == pl.col("snapshot_ts").max()
    )
    priced = rows.filter(pl.col("liquidation_px").is_not_null())
    assert (priced.height, (priced["size"] < 0).all()) == (89, True)
    room = priced["size"].abs() * (priced["liquidation_px"] - priced["mark_px"])
    assert room.max() / room.min() - 1 < 1e-9
    # With maintenance a share r of everything: value = room (1 + r) + notional r.
    value, notional = rows["account_value"][0], (rows["size"].abs() * rows["mark_px"]).sum()
    share = (value - room.median()) / (room.median() + notional)
    assert share == pytest.approx(1 / 100, rel=0.01)
    # At 3x, which its coins' commonest tiers would show, its value would be 15 % short.
    assert room.median() * (1 + 1 / 6) > 1.15 * value


def test_a_snapshot_that_holds_two_of_its_positions_does_not_say_which(recorded):
    first = recorded.filter(account=VAULT).filter(
        pl.col("snapshot_ts") == pl.col("snapshot_ts").min()
    )
    assert sorted(first["coin"]) == ["BTC", "SOL"]
    assert first["verdict"].to_list() == ["own_leverage"] * 2
    assert first["error"].is_null().all()


def test_a_price_of_an_isolated_position_does_not_vouch_for_another(recorded):
    holder = "0x57dd78cd36e76e2011e8f6dc25cabbaba994494b"
    rows = recorded.filter(account=holder)
    beside = rows.filter(rows.select(pl.len().over("snapshot_ts")).to_series() == 2)
    said = {
        (row["coin"], row["leverage_type"]): row["verdict"]
        for row in beside.filter(
            beside["snapshot_ts"] == beside["snapshot_ts"].max()
        ).to_dicts()
    }
    assert said == {("BTC", "cross"): "no_other_price", ("MEGA", None): "margin_mode_unknown"}
    later = rows.filter(coin="MEGA")
    assert later.sort("snapshot_ts")["leverage_type"][-1] == "isolated"


@pytest.mark.slow
def test_of_all_real_snapshots_one_leverage_in_all_coins_is_two_vaults_alone(real, tiers):
    held = []
    for path in sorted(real.glob(f"{SNAPSHOTS}/*/*")):
        rows = positions_of(path)
        got = compare(rows, tiers)
        whole = (got["verdict"].cast(pl.String) == "own_leverage") & got["agrees"]
        held.append(rows.filter(whole).select("account", "snapshot_ts"))
        assert (got["verdict"].cast(pl.String) == "unexplained").sum() == 0
        assert (got["confirmed"] == got["silent"]).all()
    counts = pl.concat(held).group_by("account").agg(pl.col("snapshot_ts").n_unique())
    assert dict(counts.iter_rows()) == {VAULT: 33, OTHER_VAULT: 5}


def isolated(recorded, tiers):
    """Return the priced isolated rows with ``raw``: USD behind each at a price of 0."""
    rows = recorded.filter(
        pl.col("leverage_type") == "isolated", pl.col("liquidation_px").is_not_null()
    )
    size, px = column(rows, "size"), column(rows, "liquidation_px")
    row = np.array([tiers.row_of[coin] for coin in rows["coin"]])
    kept = maintenance_margin(np.abs(size) * px, row, tiers.first, tiers.rate, tiers.deduction)
    return rows.select(
        "snapshot_ts",
        "account",
        "coin",
        "size",
        "entry_px",
        "mark_px",
        "leverage",
        "liquidation_px",
        row=row,
        raw=kept - size * px,
    )


def priced(rows, raw, tiers):
    size, row = column(rows, "size"), rows["row"].to_numpy()
    return liquidation_px(size, raw, row, tiers.first, tiers.rate, tiers.deduction)


def test_the_margin_first_put_up_does_not_give_the_price_of_an_isolated_position(
    recorded, tiers
):
    rows = isolated(recorded, tiers)
    entry = column(rows, "size") * column(rows, "entry_px")
    put_up = np.abs(entry) / column(rows, "leverage")
    ours = priced(rows, put_up - entry, tiers)
    error = np.nan_to_num(np.abs(ours / column(rows, "liquidation_px") - 1), nan=np.inf)
    counts = [int((error <= bound).sum()) for bound in (1e-6, 1e-4, 1e-2)]
    assert (rows.height, counts) == (119, [1, 9, 41])
    behind = (column(rows, "raw") + entry) / put_up
    assert [(behind > 1.01).sum(), (behind < 0.99).sum()] == [65, 14]


def test_what_an_isolated_position_gains_between_snapshots_is_the_funding_of_others(
    recorded, tiers
):
    steps, rows = [], isolated(recorded, tiers)
    moments = rows["snapshot_ts"].unique().sort()
    same = ["account", "coin", "size", "entry_px"]
    for then, now in pairwise(moments):
        before = rows.filter(snapshot_ts=then).select(*same, before="raw")
        steps.append(rows.filter(snapshot_ts=now).join(before, on=same))
    pairs = pl.concat(steps).with_columns(
        funding=(pl.col("raw") - pl.col("before")) / pl.col("size")
    )
    pairs = pairs.with_row_index("nth")
    others = pairs.join(pairs, on=["snapshot_ts", "coin"], suffix="_other").filter(
        pl.col("nth") != pl.col("nth_other")
    )
    apart = (pl.col("funding_other") - pl.col("funding")).abs()
    nearest = others.sort(apart).unique("nth", keep="first", maintain_order=True)
    raw = nearest["before"] + nearest["funding_other"] * nearest["size"]
    ours = priced(nearest, raw.to_numpy(), tiers)
    wrong = np.nan_to_num(np.abs(ours - column(nearest, "liquidation_px")), nan=np.inf)
    close = wrong <= 1e-6 * np.maximum(
        column(nearest, "liquidation_px"), column(nearest, "mark_px")
    )
    assert (nearest.height, close.sum()) == (29, 24)
    moved = nearest.filter(~close).select(
        "coin", usd=(pl.col("funding") - pl.col("funding_other")) * pl.col("size")
    )
    dollars = moved.filter(pl.col("coin") != "CC")["usd"].round(2).sort().to_list()
    assert dollars == [-700_000.0, -500_000.0, -200_000.0]
