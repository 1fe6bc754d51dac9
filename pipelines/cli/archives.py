"""This module holds the verbs that land archives."""

import re
from datetime import timedelta
from functools import partial
from typing import Any

import click

from pipelines.cli.options import archive_options
from pipelines.cli.pulling import land_archive

FILLS = (
    "node_fills_by_block",
    "node_fills",
    "node_trades",
    "own_node",
    "artemis",
    "reservoir",
)
INTERVAL = re.compile(r"(\d{1,4})(s|m|h)", re.ASCII)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


@click.command()
@click.option("--source", type=click.Choice(FILLS), default=FILLS[0], show_default=True)
@click.option("--dex", help="Of the Reservoir: a perp dex, or `every`.  [default: hyperliquid]")
@archive_options
def fills(source: str, dex: str | None, **asked: Any) -> None:
    """Fills of every account, liquidations among them."""
    from pipelines.steps import pulls

    if source == "reservoir":
        from pipelines.steps.reservoir_fills import land_reservoir_fills

        market = {"dex": None if dex == "every" else dex or "hyperliquid"}
        pulling = partial(pulls.daily_fills_pull, **market)
        land_archive(
            "reservoir_fills",
            asked,
            pulling,
            lambda *given: land_reservoir_fills(*given[:4], market["dex"], given[4]),
        )
        return
    if dex is not None:
        raise ValueError(f"--dex is for --source reservoir, not for {source}")
    from pipelines.steps.fills import land_hourly_fills

    land_archive(
        source,
        asked,
        partial(pulls.hourly_pull, source),
        lambda *given: land_hourly_fills(*given[:4], source, given[4]),
    )


@click.command()
@click.option(
    "--source",
    type=click.Choice(["reservoir", "artemis"]),
    default="reservoir",
    show_default=True,
)
@archive_options
def positions(source: str, **asked: Any) -> None:
    """Snapshots of open positions."""
    from pipelines.steps import pulls

    if source == "artemis":
        from pipelines.steps.balances import land_balances

        land_archive("artemis_balances", asked, pulls.balances_pull, land_balances)
        return
    from pipelines.steps.positions import land_reservoir

    land_archive(
        source,
        asked,
        pulls.positions_pull,
        lambda *given: land_reservoir(*given[:4], source, given[4]),
    )


@click.command()
@archive_options
def contexts(**asked: Any) -> None:
    """Mark, oracle, open interest and funding of every coin, each minute."""
    from pipelines.steps import pulls
    from pipelines.steps.contexts import land_contexts

    land_archive("asset_ctxs", asked, pulls.contexts_pull, land_contexts)


@click.command()
@click.option("--coins", help="Coins to land, as BTC,ETH; all without it.")
@click.option(
    "--every",
    default="1m",
    show_default=True,
    help="Keep the first book of each interval, as 10s, 1m or 1h; 0s keeps all.  What a "
    "bucket gave is not read again for another interval: use --again.",
)
@archive_options
def books(coins: str | None, every: str, **asked: Any) -> None:
    """Order books, 20 levels a side."""
    from pipelines.steps import pulls
    from pipelines.steps.books import land_books

    wanted, interval = coins_of(coins), interval_of(every)
    land_archive(
        "l2_books",
        asked,
        partial(pulls.books_pull, coins=wanted),
        lambda *given: land_books(*given[:4], wanted, interval, given[4]),
    )


@click.command()
@click.option(
    "--source", type=click.Choice(["market_files"]), default="market_files", show_default=True
)
@archive_options
def market(source: str, **asked: Any) -> None:
    """Candles, funding, open interest and margin rules from market files."""
    from pipelines.steps import pulls
    from pipelines.steps.market import land_market

    land_archive(
        source,
        asked,
        pulls.market_pull,
        lambda *given: land_market(*given[:4], source, progress=given[4]),
    )


def coins_of(text: str | None) -> list[str] | None:
    """Read ``BTC,ETH``; None: all.

    >>> coins_of("BTC, ETH,BTC"), coins_of(None)
    (['BTC', 'ETH'], None)
    """
    if text is None:
        return None
    coins = [coin.strip() for coin in text.split(",")]
    if not all(coins):
        raise ValueError(f"--coins {text!r}: must be names with commas between them")
    return list(dict.fromkeys(coins))


def interval_of(text: str) -> timedelta:
    """Read an interval.

    >>> interval_of("90s"), interval_of("0s")
    (datetime.timedelta(seconds=90), datetime.timedelta(0))
    """
    if (match := INTERVAL.fullmatch(text)) is None:
        raise ValueError(f"--every {text!r}: must be as 10s, 1m or 1h")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
