"""This module reads a study from the lake: its row, runs, trades, equity and placebos."""

import json
from dataclasses import dataclass
from datetime import timedelta

import duckdb
import polars as pl

from backtest.findings.find import Findings
from backtest.recorded import Recorded, find_study
from backtest.report.curves import Curve, pooled, thinned
from backtest.report.same_code import same_code
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
    runs, trades
        Rows of these tables, of the rule and of the one without the map; ``own`` tells which.
    curves
        Pooled equity, by whether it is the rule's own and by reading; what has no rows is not
        there.
    prices
        Closes of each coin, ``time_ts`` and ``close_px``, thinned; none: no rows.
    placebos
        Rows of ``backtest_placebos``.
    surface
        What came of other parameters.
    same_code
        Whether the code that ran, a rule's from outside too, is the code that is here; None:
        that of the rule is not to be found.
    """

    study: dict
    question: dict
    findings: Findings
    runs: pl.DataFrame
    trades: pl.DataFrame
    curves: dict[tuple[bool, str], Curve]
    prices: dict[str, pl.DataFrame]
    placebos: pl.DataFrame
    surface: Surface
    same_code: bool | None

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
    question = json.loads(study["question"])
    runs, trades = (_rows(lake, table, study, named) for table in ("runs", "trades"))
    held = set(runs["run_id"])
    if missing := [one for one in named.run_ids if one not in held]:
        raise ValueError(f"study {name}: run {missing[0]} is not in the lake")
    placebos = lake.sql(
        "from backtest_placebos where study_id = $study order by placebo, draw",
        params={"study": name},
    ).pl()
    return Facts(
        study,
        question,
        findings,
        runs,
        trades,
        *_equity(
            lake, study, named, question["terms"]["start_equity"], findings.subject.shared
        ),
        placebos,
        read_surface(lake, study, question),
        same_code(study["code_hash"], question),
    )


def _rows(
    lake: duckdb.DuckDBPyConnection, table: str, study: dict, named: Recorded
) -> pl.DataFrame:
    """Return the rows of a study's runs."""
    return lake.sql(
        f"""
        select *, list_contains($own, run_id) as own
        from backtest_{table}
        where list_contains($names, run_id) and day between $since and $until
        order by all
        """,
        params={"own": list(named.own), "names": list(named.run_ids), **_days(study)},
    ).pl()


def _equity(
    lake: duckdb.DuckDBPyConnection,
    study: dict,
    named: Recorded,
    start_equity: float,
    shared: bool,
) -> tuple[dict[tuple[bool, str], Curve], dict[str, pl.DataFrame]]:
    """Return curves and prices, one curve's rows at a time: a year of minutes has millions."""
    curves: dict[tuple[bool, str], Curve] = {}
    prices: dict[str, pl.DataFrame] = {}
    for own, names in ((True, named.own), (False, named.base)):
        for bound in ("pessimistic", "optimistic", "drilled"):
            # As in a study: a coin without the reading is read pessimistically in it.
            rows = lake.sql(
                """
                with told as (
                    select r.run_id
                    from backtest_runs as r
                    where
                        list_contains($names, r.run_id) and r.bound = $bound
                        and r.day between $since and $until
                )

                select e.coin, e.time_ts, e.close_px, e.equity
                from backtest_equity as e
                where
                    list_contains($names, e.run_id) and e.day between $since and $until
                    and exists (from told)
                    and e.bound = if(e.run_id in (from told), $bound, 'pessimistic')
                """,
                params={"names": list(names), "bound": bound, **_days(study)},
            ).pl()
            curve = pooled(rows, start_equity, shared=shared)
            if curve is not None:
                curves[own, bound] = curve
            if own and bound == "pessimistic":
                for (coin,), bars in rows.group_by("coin"):
                    prices[coin] = thinned(bars.select("time_ts", "close_px").sort("time_ts"))
    return curves, prices


def _days(study: dict) -> dict[str, object]:
    """Return the days of a study's rows; one each way, for the last bar ends after it."""
    return {
        "since": (study["start_ts"] - DAY).date(),
        "until": (study["end_ts"] + DAY).date(),
    }
