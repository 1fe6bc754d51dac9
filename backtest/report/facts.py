"""This module reads a study from the lake: its row, runs, trades, equity and placebos."""

import json
from dataclasses import dataclass
from datetime import timedelta

import duckdb
import polars as pl

from backtest.findings.find import Findings
from backtest.recorded import Recorded, find_study
from backtest.report.surface import Surface, read_surface

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page says, as the lake holds it.

    Attributes
    ----------
    study
        Row of ``backtest_studies``.
    question
        What was asked, of its JSON.
    findings
        Statistics.
    runs, trades, equity
        Rows of these tables, of the rule and of the one without the map; ``own`` tells which.
    placebos
        Rows of ``backtest_placebos``.
    surface
        What came of other parameters.
    """

    study: dict
    question: dict
    findings: Findings
    runs: pl.DataFrame
    trades: pl.DataFrame
    equity: pl.DataFrame
    placebos: pl.DataFrame
    surface: Surface

    @property
    def bounds(self) -> list[str]:
        """Return the readings, the pessimistic first."""
        return [one.bound for one in self.findings.readings]

    @property
    def name(self) -> str:
        """Return rule and variant in words."""
        rule, variant = (self.study[name].replace("_", " ") for name in ("strategy", "variant"))
        return rule if variant in (rule, "without map") else f"{rule} with {variant}"

    def own_trades(self, coin: str | None = None, bound: str = "pessimistic") -> pl.DataFrame:
        """Return the trades of the rule under a reading, in order of time."""
        rows = self.trades.filter(pl.col("own"), pl.col("bound") == bound)
        if coin is not None:
            rows = rows.filter(pl.col("coin") == coin)
        return rows.sort("entry_ts", "coin", "trade")


def read_facts(lake: duckdb.DuckDBPyConnection, run: str) -> Facts:
    """Return a study.

    Parameters
    ----------
    lake
        Catalog of a lake.
    run
        As in :func:`backtest.recorded.find_study`.

    Raises
    ------
    LookupError
        If no study is meant, or several are.
    ValueError
        If ``run`` is no such name, the lake holds only a part of the study, or its findings are
        of another form.
    """
    named = find_study(lake, run)
    name = named.study_id
    (study,) = (
        lake.sql("from backtest_studies where study_id = $study", params={"study": name})
        .to_arrow_table()
        .to_pylist()
    )
    try:
        findings = Findings.of_json(study["findings"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"study {name}: its findings are of another form than this code reads; run the "
            "question again"
        ) from error
    read = {table: _rows(lake, table, study, named) for table in ("runs", "trades", "equity")}
    held = set(read["runs"]["run_id"])
    if missing := [one for one in named.run_ids if one not in held]:
        raise ValueError(f"study {name}: run {missing[0]} is not in the lake")
    placebos = lake.sql(
        "from backtest_placebos where study_id = $study order by placebo, draw",
        params={"study": name},
    ).pl()
    return Facts(
        study,
        json.loads(study["question"]),
        findings,
        **read,
        placebos=placebos,
        surface=read_surface(lake, study, json.loads(study["question"])),
    )


def _rows(
    lake: duckdb.DuckDBPyConnection, table: str, study: dict, named: Recorded
) -> pl.DataFrame:
    """Return the rows of a study's runs; a day each way, for bars end after the last."""
    return lake.sql(
        f"""
        select *, list_contains($own, run_id) as own
        from backtest_{table}
        where list_contains($names, run_id) and day between $since and $until
        order by all
        """,
        params={
            "own": list(named.own),
            "names": list(named.run_ids),
            "since": (study["start_ts"] - DAY).date(),
            "until": (study["end_ts"] + DAY).date(),
        },
    ).pl()
