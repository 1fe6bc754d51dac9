"""The coverage that a lake reports is the true one: the venue's own books tell."""

from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial

import polars as pl
import pytest

from pipelines.simulator.serve.venue import open_venue
from pipelines.simulator.statement import positions_of
from pipelines.simulator.values import px_usd, size_coins
from pipelines.simulator.world import Simulation, WorldSpec
from pipelines.sources.info.budget import Budget
from pipelines.sources.info.client import InfoClient
from pipelines.steps.discover import discover
from pipelines.steps.sweep import sweep
from pipelines.steps.sweep_book import read_book
from pipelines.steps.sweep_plan import plan_sweep
from tests.effort import THOROUGH
from tests.simulator.serving import served
from warehouse import open_lake

SEEDS = (3, 11, 29) if THOROUGH else (11,)
HOURS = 3  # sweeps of a venue, an hour apart
WORTH_A_LOOK = 50_000.0  # USD of open interest: below, one position is many per cent
NEAR = 0.02


@cache
def venues(seed):
    """Return the same venue at several hours."""
    sim = Simulation(WorldSpec(seed=seed, coins=8, accounts=400))
    made = [open_venue(sim, 60)]
    for _ in range(HOURS - 1):
        made.append(made[-1].after(sim.run(60)))
    return made


def time_of(venue):
    return datetime.fromtimestamp(venue.ms / 1000, UTC)


@contextmanager
def asking(venue):
    """Serve a venue; yield what makes its clients, and its clock, which stands."""
    with served(venue) as (url, _):
        yield partial(InfoClient, url, Budget(per_minute=10**7)), lambda: time_of(venue)


def swept(lake, venue, share=None):
    """Find the venue's accounts, ask a share of them, and return whom."""
    with asking(venue) as (client_of, now):
        # A second before the sweep: on a clock that stands, finding would be of its instant.
        found = partial(_before, now)
        url = f"{client_of().base_url}/leaderboard"
        discover(client_of, lake, url, found, simulated=True)
        with open_lake(lake) as con:
            book = read_book(con, [""])
        affordable = None if share is None else int(book.height * share)
        plan = plan_sweep(book, now(), affordable)
        accounts = plan.accounts[""]
        sweep(
            client_of,
            lake,
            accounts,
            skipped=plan.skipped.get("", 0),
            source="simulated",
            now=now,
        )
    return set(accounts)


def _before(now):
    return now() - timedelta(seconds=1)


def truth(venue, asked):
    """Return what the venue holds, and what of it those asked hold, by coin and side.

    Open interest is the venue's own count, kept trade by trade, not a sum of positions.
    """
    coins, names = venue.moment.coins, venue.listing.names
    every = range(len(names))
    interest = pl.DataFrame(
        {
            "coin": names,
            "interest": size_coins(coins["open_interest"], every, coins["size_decimals"]),
            "mark": px_usd(coins["mark"], every, coins["size_decimals"]),
        }
    )
    held = positions_of(venue.sim, venue.moment).select(
        "address",
        coin="name",
        side=pl.when(pl.col("size") > 0).then(pl.lit("long")).otherwise(pl.lit("short")),
        size=pl.col("size").abs(),
    )
    seen = held.filter(pl.col("address").is_in(asked)).group_by("coin", "side")
    sides = interest.join(pl.DataFrame({"side": ["long", "short"]}), how="cross")
    return (
        sides.join(seen.agg(pl.col("size").sum()), on=["coin", "side"], how="left")
        .with_columns(pl.col("size").fill_null(0.0))
        .with_columns(
            true=pl.col("size") / pl.col("interest"),
            true_seen=pl.col("size") * pl.col("mark"),
            true_interest=pl.col("interest") * pl.col("mark"),
        )
    )


def reported(lake, at, coins):
    with open_lake(lake) as con:
        answers = [
            con.sql("from map_coverage($coin, $at)", params={"coin": coin, "at": at})
            .pl()
            .filter(pl.col("band") == "all")
            for coin in coins
        ]
    return pl.concat(answers)


def compared(lake, venue, asked, at=None):
    true = truth(venue, asked)
    told = reported(lake, at or time_of(venue), venue.listing.names)
    both = true.join(told, on=["coin", "side"])
    assert both.height == true.height == told.height == 2 * len(venue.listing.names)
    return both


def overall(both, seen, interest):
    sums = both.group_by("side").agg(pl.col(seen).sum(), pl.col(interest).sum()).sort("side")
    return (sums[seen] / sums[interest]).to_list()


@pytest.mark.parametrize("seed", SEEDS)
def test_asking_everybody_covers_all_of_it(tmp_path, seed):
    venue = venues(seed)[0]
    swept(tmp_path, venue)
    both = compared(tmp_path, venue, set(venue.listing.addresses))
    assert (both["interest"] > 0).all()
    assert both["coverage"].to_list() == pytest.approx([1.0] * both.height, abs=1e-9)
    assert both["mapped_size"].to_list() == pytest.approx(both["interest"].to_list(), rel=1e-9)
    assert (both["accounts_asked"] == both["accounts_known"]).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_tenth_of_the_budget_reports_what_it_saw(tmp_path, seed):
    venue = venues(seed)[0]
    asked = swept(tmp_path, venue, share=0.1)
    assert len(asked) < 0.11 * len(set(venue.listing.addresses))
    both = compared(tmp_path, venue, asked)
    large = both.filter(pl.col("true_interest") > WORTH_A_LOOK)
    assert large["coin"].n_unique() > 3
    assert (large["coverage"] - large["true"]).abs().max() < NEAR
    # The test is of something: neither nothing is seen nor all.
    assert 0.02 < large["true"].mean() < 0.98
    told = overall(both, "mapped_notional", "venue_open_interest")
    assert told == pytest.approx(overall(both, "true_seen", "true_interest"), abs=NEAR)


@pytest.mark.parametrize("seed", SEEDS)
def test_sweeps_of_a_tenth_add_up(tmp_path, seed):
    """Hour by hour others are asked; of each, the map holds what it held when asked last."""
    last, before = {}, 0.0
    for venue in venues(seed):
        last |= dict.fromkeys(swept(tmp_path, venue, share=0.1), venue)
        both = compared(tmp_path, venue, set(last))
        assert both["accounts_asked"].unique().to_list() == [len(last)]
        merged = sizes_when_asked(last)
        for row in both.iter_rows(named=True):
            held = merged.get((row["coin"], row["side"]), 0.0)
            assert row["coverage"] == pytest.approx(held / row["interest"], rel=1e-9)
        # An hour moves single coins by more, for large accounts come and go; the whole, little.
        told = overall(both, "mapped_notional", "venue_open_interest")
        true = overall(both, "true_seen", "true_interest")
        assert told == pytest.approx(true, abs=NEAR)
        assert sum(told) > before
        before = sum(told)


def sizes_when_asked(last):
    """Return what accounts held at the venue of their last answer, by coin and side."""
    merged = Counter()
    for venue in {one.ms: one for one in last.values()}.values():
        asked = {account for account, one in last.items() if one is venue}
        for row in truth(venue, asked).iter_rows(named=True):
            merged[row["coin"], row["side"]] += row["size"]
    return merged


def test_what_was_not_known_yet_is_not_reported(tmp_path):
    first, second = venues(SEEDS[0])[:2]
    asked = swept(tmp_path, first, share=0.1)
    at = time_of(second) - timedelta(microseconds=1)
    told = reported(tmp_path, at, first.listing.names)
    swept(tmp_path, second, share=0.3)
    assert reported(tmp_path, at, first.listing.names).equals(told)
    assert told["accounts_asked"].unique().to_list() == [len(asked)]


def test_without_contexts_coverage_is_unknown(tmp_path):
    venue = venues(SEEDS[0])[0]
    swept(tmp_path, venue, share=0.1)
    late = time_of(venue) + timedelta(days=3)
    told = reported(tmp_path, late, venue.listing.names)
    assert told.height == 2 * len(venue.listing.names)
    assert told["coverage"].null_count() == told["venue_open_interest"].null_count()
    assert told["coverage"].null_count() == told.height
    assert told["mapped_notional"].sum() > 0
