"""This module reads what the backtests left in the lake."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

# What the variant that uses no map is called, or begins with.
UNAIDED = "without"
READINGS = ("pessimistic", "optimistic")


@dataclass(frozen=True, slots=True)
class Backtests:
    """Rows of the backtest tables; ``runs`` has a column ``label`` more.

    ``asked`` holds the studies that name any of the coins: ``study_id``, ``strategy``,
    ``variant``, ``coins``, ``start_ts``, ``end_ts``, ``verdict``.
    """

    runs: pl.DataFrame
    trades: pl.DataFrame
    equity: pl.DataFrame
    asked: pl.DataFrame

    def studies(self, coin: str) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield each rule that was replayed on ``coin``, with its runs."""
        rows = self.runs.filter(pl.col("coin") == coin)
        for (strategy,), runs in rows.group_by("strategy", maintain_order=True):
            yield strategy, runs

    def trades_of(self, run: dict) -> pl.DataFrame:
        """Return the trades of one run, in order."""
        return self._of(self.trades, run).sort("trade")

    def equity_of(self, run: dict) -> pl.DataFrame:
        """Return the equity of one run, in order of time."""
        return self._of(self.equity, run).sort("time_ts")

    @staticmethod
    def _of(rows: pl.DataFrame, run: dict) -> pl.DataFrame:
        return rows.filter(pl.col("run_id") == run["run_id"], pl.col("bound") == run["bound"])


def read_backtests(con: duckdb.DuckDBPyConnection, coins: Sequence[str]) -> Backtests:
    """Return the backtests of ``coins``, in the order of ``coins``, rule and variant."""

    def rows(table: str) -> pl.DataFrame:
        return con.sql(
            f"from {table} where list_contains($coins, coin)", params={"coins": list(coins)}
        ).pl()

    # Runs that share rule and variant differ in parameters or rows: only the run's own name can
    # tell them apart.  Not all of them need have every reading.
    alike = pl.struct("coin", "strategy", "variant")
    runs = (
        rows("backtest_runs")
        .with_columns(
            label=pl.when(pl.col("run_id").n_unique().over(alike) > 1)
            .then(pl.col("variant") + " · " + pl.col("run_id").str.slice(0, 6))
            .otherwise("variant"),
            place=pl.col("coin").replace_strict(
                {coin: place for place, coin in enumerate(coins)}, return_dtype=pl.Int64
            ),
            # A variant that used no map comes first: it is what the others are held against.
            unaided=pl.col("variant").str.starts_with(UNAIDED),
        )
        .sort("place", "strategy", pl.col("unaided").not_(), "label", "bound")
    )
    asked = con.sql(
        """
        select study_id, strategy, variant, coins, start_ts, end_ts, verdict
        from backtest_studies
        where list_has_any(string_split(coins, ','), $coins)
        order by start_ts desc, end_ts desc, strategy, variant, study_id
        """,
        params={"coins": list(coins)},
    ).pl()
    return Backtests(runs, rows("backtest_trades"), rows("backtest_equity"), asked)
