"""The joint map: accounts solved along one move of all coins, each counted once."""

from datetime import timedelta

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.effort import asked_of_a_lake
from tests.reference import account_path as obvious
from tests.reference import margin as venue
from tests.rows import T0, account, batch, land_snapshot, position
from undertow import cli
from warehouse import open_lake
from warehouse.contracts.tables import INSTRUMENTS
from warehouse.joint_map import banded, basis, joint_map, solve
from warehouse.margin import Tier, TierTable
from warehouse.store import land

LADDERS = {
    "BTC": [Tier(0, 40), Tier(1e6, 20)],
    "ETH": [Tier(0, 25)],
    "SOL": [Tier(0, 20), Tier(5e5, 10), Tier(2e6, 5)],
}
TIERS = TierTable.of(LADDERS)
RATES = {
    coin: [(tier.lower_bound, 1 / (2 * tier.max_leverage)) for tier in tiers]
    for coin, tiers in LADDERS.items()
}
MARKS = {"BTC": 70_000.0, "ETH": 2_000.0, "SOL": 90.0}
KINDS = {
    "account": pl.String,
    "coin": pl.String,
    "side": pl.String,
    "size": pl.Float64,
    "mark_px": pl.Float64,
    "current_px": pl.Float64,
    "liquidation_px": pl.Float64,
    "leverage_type": pl.String,
    "max_leverage": pl.Float64,
    "margin_used": pl.Float64,
    "account_value": pl.Float64,
    "account_mode": pl.String,
    "snapshot_ts": pl.Datetime("us", "UTC"),
}


def held_by(owner, book, value, *, told=False, mode="cross", **others):
    """Return rows of one account; the venue's prices follow from what it is worth."""
    needed = {
        coin: venue.maintenance(abs(size) * MARKS[coin], RATES[coin]) for coin, size in book
    }
    rows = []
    for coin, size in book:
        behind = value - sum(needed.values()) + needed[coin] - size * MARKS[coin]
        px = venue.liquidation_px(size, behind, RATES[coin])
        row = dict.fromkeys(KINDS) | {
            "account": owner,
            "coin": coin,
            "side": "long" if size > 0 else "short",
            "size": size,
            "mark_px": MARKS[coin],
            "current_px": MARKS[coin],
            "liquidation_px": px if px and px > 1e-9 else None,
            "leverage_type": mode,
            "account_value": value if told else None,
            "snapshot_ts": T0,
        }
        rows.append(row | others)
    return rows


def solved(*rows, betas=None, others=1.0, tiers=TIERS):
    return solve(pl.DataFrame(list(rows), schema=KINDS), tiers, betas or {}, others)


usd = st.floats(1e3, 5e6).flatmap(lambda value: st.sampled_from([value, -value]))
books = st.dictionaries(st.sampled_from(list(MARKS)), usd, min_size=1).map(
    lambda book: [(coin, value / MARKS[coin]) for coin, value in sorted(book.items())]
)
accounts = st.lists(st.tuples(books, st.floats(0.05, 1.5)), min_size=1, max_size=4)


def worth(book, share):
    gross = sum(abs(size) * MARKS[coin] for coin, size in book)
    return share * gross + sum(
        venue.maintenance(abs(size) * MARKS[coin], RATES[coin]) for coin, size in book
    )


@asked_of_a_lake
@given(accounts=accounts, betas=st.sampled_from([{}, {"ETH": 1.5, "SOL": 0.5}, {"BTC": 0.0}]))
def test_the_map_agrees_with_the_obvious_version(accounts, betas):
    """Which knows what each account is worth; ours has the venue's prices alone."""
    rows, known = [], []
    for number, (book, share) in enumerate(accounts):
        value = worth(book, share)
        mine = held_by(f"0x{number}", book, value, told=True)
        rows += mine
        known.append(([(c, s, MARKS[c], RATES[c]) for c, s in book], value))
    got = banded(solved(*rows, betas=betas), 1000.0)
    want = obvious.joint_map(known, betas, 1000.0)
    near_an_edge = any(
        (
            move := obvious.exhausting_move(
                [(s, p, betas.get(c, 1.0), t) for c, s, p, t in book], value, sign
            )
        )
        is not None
        and abs(move / 10 - round(move / 10)) < 1e-4
        for book, value in known
        for sign in (-1, 1)
    )
    # A band's edge, or prices too near 0 to be told, leave a margin uncertain.
    assume(not near_an_edge)
    cells = {
        (row["direction"], row["low_pct"] / 1000.0, row["coin"], row["side"]): row["notional"]
        for row in got.iter_rows(named=True)
    }
    assert cells.keys() == want.keys()
    for key, notional in want.items():
        assert cells[key] == pytest.approx(notional, rel=1e-6, abs=1e-3)


@asked_of_a_lake
@given(accounts=accounts, width=st.sampled_from([0.5, 1.0, 7.0]))
def test_no_account_is_counted_twice_on_one_way(accounts, width):
    rows = [
        row
        for number, (book, share) in enumerate(accounts)
        for row in held_by(f"0x{number}", book, worth(book, share))
    ]
    answer = solved(*rows)
    for direction, name in (("down", "fall_pct"), ("up", "rise_pct")):
        mine = answer.filter(pl.col(name).is_not_null())
        cells = banded(answer, width).filter(direction=direction)
        assert cells["positions"].sum() == mine.height
        assert cells["size"].sum() == pytest.approx(mine["size"].abs().sum())
        sign = -1 if direction == "down" else 1
        closing = sum(
            abs(row["size"]) * row["current_px"] * max(0, 1 + sign * row[name] / 100)
            for row in mine.iter_rows(named=True)
        )
        assert cells["notional"].sum() == pytest.approx(closing, rel=1e-9)
        for row in mine.iter_rows(named=True):
            band = cells.filter(
                pl.col("low_pct") <= row[name],
                pl.col("high_pct") > row[name],
                coin=row["coin"],
                side=row["side"],
            )
            assert band.height == 1
    assert basis(answer)["positions"].sum() == len(rows)


def test_a_cross_account_closes_all_at_once_and_not_where_the_static_map_says():
    """2 BTC and 50 ETH long, 60,000 USD: statically 41 % and more away, jointly 24 %.

    Maintenance is 1/80 of 140,000 and 1/50 of 100,000, so 60,000 = 240,000 x + 3,750 (1 - x)
    at the move x that exhausts it.
    """
    rows = held_by("0xa", [("BTC", 2.0), ("ETH", 50.0)], 60_000.0)
    answer = solved(*rows)
    x = (60_000 - 3_750) / (240_000 - 3_750)
    assert answer["fall_pct"].to_list() == pytest.approx([100 * x] * 2)
    assert answer["rise_pct"].to_list() == [None, None]
    static = [1 - row["liquidation_px"] / row["mark_px"] for row in rows]
    assert min(static) > 0.4 > 1.6 * x
    cells = banded(answer, 1.0)
    assert cells.select("direction", "low_pct", "coin", "positions").rows() == [
        ("down", 23.0, "BTC", 1),
        ("down", 23.0, "ETH", 1),
    ]
    assert cells["notional"].to_list() == pytest.approx([140_000 * (1 - x), 100_000 * (1 - x)])
    assert cells["with_others"].to_list() == cells["notional"].to_list()


def test_isolated_positions_close_on_their_own_at_the_venues_price():
    own = held_by("0xa", [("ETH", 50.0)], 10_000.0, mode="isolated")
    cross = held_by("0xa", [("BTC", 2.0)], 60_000.0)
    answer = solved(*own, *cross).sort("coin")
    assert answer["basis"].to_list() == ["own_price"] * 2
    for row, got in zip([*cross, *own], answer["fall_pct"], strict=True):
        assert got == pytest.approx(
            100 - 100 * row["liquidation_px"] / row["mark_px"], rel=1e-9
        )


def test_an_isolated_position_without_a_price_is_solved_from_its_margin():
    row = held_by("0xa", [("ETH", 50.0)], 10_000.0, mode="isolated")[0]
    told = solved(row | {"liquidation_px": None, "margin_used": 10_000.0})
    assert told["fall_pct"][0] == pytest.approx(
        100 - 100 * row["liquidation_px"] / row["mark_px"], rel=1e-9
    )
    assert solved(row | {"liquidation_px": None})["basis"][0] == "no_price_and_no_value"


def test_if_one_coin_alone_moves_the_venues_prices_come_back():
    rows = held_by("0xa", [("BTC", 2.0), ("ETH", -80.0), ("SOL", 3000.0)], 100_000.0)
    for row in rows:
        got = solved(*rows, betas={row["coin"]: 1.0}, others=0.0).filter(coin=row["coin"])
        name, sign = ("fall_pct", -1) if row["size"] > 0 else ("rise_pct", 1)
        px = row["mark_px"] * (1 + sign * got[name][0] / 100)
        assert px == pytest.approx(row["liquidation_px"], rel=1e-9)


def test_what_is_past_its_margin_closes_without_a_move():
    late = held_by("0xa", [("BTC", 1.0), ("ETH", 1.0)], 20_000.0)
    fallen = [row | {"current_px": 0.5 * row["mark_px"]} for row in late]
    lone = held_by("0xb", [("BTC", 1.0)], 20_000.0)[0] | {"current_px": 35_000.0}
    answer = solved(*fallen, lone)
    assert answer["fall_pct"].to_list() == [0.0] * 3
    assert answer["rise_pct"].to_list() == [0.0] * 3


BOOK = [("BTC", 2.0), ("ETH", 50.0)]


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("no_price_and_no_value", {"liquidation_px": None}),
        ("margin_mode_not_recorded", {"liquidation_px": None, "leverage_type": None}),
        ("portfolio_margin", {"account_mode": "portfolio_margin"}),
        ("no_tiers", {"coin": "UNHEARD"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_known_is_said(why, change):
    rows = [row | change for row in held_by("0xa", BOOK, 60_000.0)]
    if why == "no_tiers":
        rows[0]["coin"] = "BTC"
    answer = solved(*rows, *held_by("0xb", BOOK, 60_000.0))
    mine = answer.filter(account="0xa")
    assert mine["basis"].to_list() == [why] * 2
    assert mine["fall_pct"].to_list() == [None, None]
    assert answer.filter(account="0xb")["basis"].to_list() == ["solved"] * 2
    said = basis(answer).filter(basis=why)
    assert said["positions"].sum() == 2


def test_prices_that_contradict_one_another_are_not_averaged():
    rows = held_by("0xa", BOOK, 60_000.0)
    rows[0]["liquidation_px"] *= 0.99
    assert solved(*rows)["basis"].to_list() == ["prices_disagree"] * 2


def test_prices_that_agree_show_a_margin_mode_that_was_not_recorded():
    rows = held_by("0xa", BOOK, 60_000.0)
    bare = [row | {"leverage_type": None} for row in rows]
    assert solved(*bare)["fall_pct"].to_list() == solved(*rows)["fall_pct"].to_list()
    bare[0]["liquidation_px"] *= 0.99
    assert solved(*bare)["basis"].to_list() == ["margin_mode_not_recorded"] * 2


def test_a_price_shows_the_leverage_that_a_position_kept():
    """ETH at 10x of a 25x coin, SOL at its own 20x and BTC at 40x agree on one margin."""
    book = [*BOOK, ("SOL", 2000.0)]
    old = {**RATES, "ETH": [(0, 1 / 20)]}
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RATES, "ETH", old["ETH"])
        rows = held_by("0xa", book, 80_000.0)
    got = solved(*rows)
    want = solved(*rows, tiers=TierTable.of({**LADDERS, "ETH": [Tier(0, 10)]}))
    assert got["basis"].to_list() == ["solved"] * 3
    assert got["fall_pct"].to_list() == pytest.approx(want["fall_pct"].to_list(), rel=1e-9)


@pytest.fixture
def lake(tmp_path):
    """Two accounts a day apart, and margin tiers known from the beginning."""
    root = str(tmp_path / "lake")
    rows = [
        {
            "coin": coin,
            "effective_ts": T0 - timedelta(days=1),
            "max_leverage": tiers[0].max_leverage,
            "size_decimals": None,
            "margin_tiers": [tier._asdict() for tier in tiers],
            "source": "test",
            "known_ts": T0 - timedelta(days=1),
        }
        for coin, tiers in LADDERS.items()
    ]
    land(root, INSTRUMENTS, batch(INSTRUMENTS, rows), "tiers")
    land_snapshot(root, landed(60_000.0), T0, known_after=timedelta(hours=2))
    return root


def landed(value):
    return [
        position(
            coin=row["coin"],
            holder=1,
            size=row["size"],
            mark_px=row["mark_px"],
            liquidation_px=row["liquidation_px"],
            leverage_type="cross",
        )
        for row in held_by(account(1), BOOK, value)
    ]


def asked(root, at, **others):
    with open_lake(root) as con:
        answer = joint_map(con, "BTC", at, **others)
        named = [
            con.sql(f"select count(*) from {name}").fetchall()[0][0] for name in answer._fields
        ]
        assert named == [table.num_rows for table in answer]
        return pl.from_arrow(answer.joint_map)


def test_sql_can_ask_what_was_solved(lake):
    with open_lake(lake) as con:
        joint_map(con, "BTC", T0, width_pct=5.0)
        rows = con.sql(
            "select coin, low_pct, high_pct, positions from joint_map order by coin"
        ).fetchall()
        assert rows == [("BTC", 20.0, 25.0, 1), ("ETH", 20.0, 25.0, 1)]
        joint_map(con, "BTC", T0, width_pct=1.0)
        assert con.sql("select low_pct from joint_map limit 1").fetchall() == [(23.0,)]


def test_an_untrusted_snapshot_answers_when_asked_to(lake):
    later = T0 + timedelta(hours=1)
    land_snapshot(lake, landed(90_000.0), later, trusted=False)
    assert asked(lake, later).equals(asked(lake, T0))
    answer = asked(lake, later, untrusted=True)
    assert answer["snapshot_ts"].unique().to_list() == [later]
    assert not answer.equals(asked(lake, T0, untrusted=True))


def test_later_rows_change_no_answer(lake):
    before = asked(lake, T0 + timedelta(hours=3))
    assert before.height == 2
    assert asked(lake, T0 + timedelta(hours=1), knowable=True).height == 0
    assert asked(lake, T0 - timedelta(hours=1)).height == 0
    land_snapshot(lake, landed(90_000.0), T0 + timedelta(hours=4))
    changed = {
        "coin": "BTC",
        "effective_ts": T0 + timedelta(hours=4),
        "max_leverage": 3.0,
        "size_decimals": None,
        "margin_tiers": [{"lower_bound": 0.0, "max_leverage": 3.0}],
        "source": "test",
        "known_ts": T0 + timedelta(hours=4),
    }
    land(lake, INSTRUMENTS, batch(INSTRUMENTS, [changed]), "later")
    assert asked(lake, T0 + timedelta(hours=3)).equals(before)
    assert asked(lake, T0 + timedelta(hours=3), knowable=True).equals(before)
    assert not asked(lake, T0 + timedelta(hours=5)).equals(before)


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ({"width_pct": 0.0}, "width_pct 0.0 is not allowed"),
        ({"width_pct": -1.0}, "use 0.0001 to 100"),
        ({"others": 11.0}, "beta 11.0 of other coins is not allowed; use -10 to 10"),
        ({"betas": {"ETH": float("nan")}}, "beta nan of ETH"),
        ({"betas": {"EHT": 1.0}}, "coin 'EHT' is not in this lake; near it: ETH"),
        ({"at": T0.replace(tzinfo=None)}, "has no time zone"),
    ],
)
def test_bad_input_is_one_line(lake, others, says):
    at = others.pop("at", T0)
    with open_lake(lake) as con, pytest.raises((ValueError, LookupError), match=says):
        joint_map(con, "BTC", at, **others)


def test_the_command_line_prints_it(lake):
    args = ["joint-map", "BTC", "--at", T0.isoformat(), "--lake", lake, "--beta", "ETH=0.5"]
    done = CliRunner().invoke(cli, [*args, "--json"])
    assert '"direction": "down"' in done.stdout
    assert "solved 1 (140,000 USD)" in done.stderr
    assert "allowed; write it as ETH=1.2" in str(
        CliRunner().invoke(cli, [*args, "--beta", "ETH"]).exception
    )


def test_on_real_rows_one_coins_move_gives_back_the_venues_prices(real):
    """And every position is solved, tells its own price, or says why not."""
    from datetime import UTC, datetime

    from pipelines.sources.documented_tiers import tiers_of
    from pipelines.sources.reservoir import SnapshotFile, to_positions

    levers = (
        pl.read_csv(real / "market/universe.csv")
        .group_by("name")
        .agg(pl.col("maxLeverage").last())
    )
    tiers = TierTable.of({coin: tiers_of(coin, most) for coin, most in levers.iter_rows()})
    path = sorted(real.glob("hydromancer-reservoir/by_dex/*/snapshots/perp/date=2026-02-04/*"))
    file = SnapshotFile("f", "hyperliquid", datetime(2026, 2, 4, tzinfo=UTC))
    rows = to_positions(pl.read_parquet(path[0], hive_partitioning=False), file).positions
    held = rows.with_columns(
        current_px=pl.col("mark_px"),
        side=pl.when(pl.col("size") > 0).then(pl.lit("long")).otherwise(pl.lit("short")),
    )
    whole = solve(held, tiers, {})
    counted = basis(whole)
    assert counted["positions"].sum() == rows.height
    known = counted.filter(pl.col("basis").is_in(["solved", "own_price", "never"]))
    assert known["notional"].sum() > 0.8 * counted["notional"].sum()
    alone = solve(held, tiers, {"BTC": 1.0}, 0.0)
    joined = alone.with_columns(venue=held["liquidation_px"]).filter(
        pl.col("venue").is_not_null(), coin="BTC", basis="solved"
    )
    assert joined.height > 50
    ours = joined.select(
        pl.when(pl.col("size") > 0)
        .then(pl.col("current_px") * (1 - pl.col("fall_pct") / 100))
        .otherwise(pl.col("current_px") * (1 + pl.col("rise_pct") / 100))
    ).to_series()
    assert ((ours / joined["venue"] - 1).abs() <= 2e-6).all()
