"""This module holds the command line's verb that solves accounts along a market move."""

import click

from warehouse.cli import MOST_ROWS, json_option, lake_option
from warehouse.terminal import print_json, print_table, say

SHOWN = "direction, low_pct, high_pct, side, notional, size, positions, accounts, with_others"


@click.command("joint-map")
@click.argument("coin")
@click.option("--at", required=True, help="Moment, as 2026-02-05T12:00Z.")
@click.option(
    "--width", default=1.0, show_default=True, help="Width of a band, per cent of the market."
)
@click.option(
    "--reach",
    default=50.0,
    show_default=True,
    help="Show bands that begin below this move, per cent.",
)
@click.option(
    "--beta", "betas", multiple=True, help="COIN=NUMBER: moves by so much of the market's move."
)
@click.option(
    "--others", default=1.0, show_default=True, help="The same of coins that --beta leaves out."
)
@click.option("--knowable", is_flag=True, help="Use only what had been published by then.")
@lake_option
@json_option
def joint_map(
    coin: str,
    at: str,
    width: float,
    reach: float,
    betas: tuple[str, ...],
    others: float,
    knowable: bool,
    lake: str,
    as_json: bool,
) -> None:
    """What of a coin closes, and where, if all coins move together: accounts counted once."""
    from warehouse import joint_map as solver
    from warehouse.ask import moment
    from warehouse.catalog import open_lake

    named = dict(beta_of(text) for text in betas)
    with open_lake(lake) as con:
        solver.joint_map(con, coin, moment(at), width, named, others, knowable)
        asked = {"coin": coin, "reach": reach}
        answer = con.sql(
            f"select {SHOWN} from joint_map where coin = $coin and low_pct < $reach "
            f"order by all",
            params=asked,
        )
        columns, rows = answer.columns, answer.fetchall()
        basis = con.sql(
            "select basis, sum(positions), sum(notional) from joint_basis where coin = $coin "
            "group by basis order by basis",
            params={"coin": coin},
        ).fetchall()
        ((newest,),) = con.sql("select max(snapshot_ts) from joint_positions").fetchall()
    if as_json:
        print_json(columns, rows)
    elif rows:
        print_table(columns, rows[:MOST_ROWS])
    if newest is None:
        say(f"{coin} at {at}: no position is known then")
        return
    counts = "; ".join(
        f"{name.replace('_', ' ')} {positions} ({notional:,.0f} USD)"
        for name, positions, notional in basis
    )
    say(
        f"{coin} at {at}: as of {newest:%Y-%m-%d %H:%M:%S}Z; "
        f"positions by basis: {counts or 'none'}"
    )


def beta_of(text: str) -> tuple[str, float]:
    """Read ``ETH=1.2``.

    Raises
    ------
    ValueError
        If it is none.

    >>> beta_of("ETH=1.2")
    ('ETH', 1.2)
    """
    coin, _, number = text.rpartition("=")
    try:
        return coin, float(number) if coin else float("")
    except ValueError:
        raise ValueError(f"--beta {text!r} is not allowed; write it as ETH=1.2") from None
