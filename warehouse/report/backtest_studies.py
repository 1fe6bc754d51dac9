"""This module writes what each study of the lake concluded, and how its own page is drawn."""

import polars as pl

from warehouse.report import words
from warehouse.report.markup import Html, element, panel, rows_table

# More are in the table of the lake.
MOST = 20
# Sentences of a verdict: what was tested, of how many trials it is one, and the conclusion.
CONCLUSION = 2


def study_verdicts(asked: pl.DataFrame) -> Html | None:
    """Return one row a study; None: the lake holds none of these coins.

    Parameters
    ----------
    asked
        As in :class:`warehouse.report.backtest_facts.Backtests`.
    """
    if not asked.height:
        return None
    rows = [
        [
            [element("b", words.spelled(row["strategy"])), _small(row)],
            _conclusion(row["verdict"]),
            element("code", f"undertow report {row['study_id']}"),
        ]
        for row in asked.head(MOST).iter_rows(named=True)
    ]
    more = asked.height - len(rows)
    return panel(
        "Studies, with placebos and all trials counted",
        rows_table(["Rule", "Conclusion", "Its own page"], rows, "stack studies"),
        element("p", f"{words.count(more, 'more study', 'more studies')} in backtest_studies.")
        if more
        else None,
    )


def _small(row: dict) -> Html:
    return element(
        "small",
        f"{words.spelled(row['variant'])}, {row['coins'].replace(',', ', ')}, "
        f"{words.day(row['start_ts'])} to {words.day(row['end_ts'])}",
    )


def _conclusion(verdict: str) -> str:
    r"""Return the sentence that concludes.

    >>> _conclusion("Tested.\nOne of 4.\nNo edge is shown.\nFailed: p.")
    'No edge is shown.'
    >>> _conclusion("Tested.")
    'unknown'
    """
    sentences = verdict.split("\n")
    return sentences[CONCLUSION] if len(sentences) > CONCLUSION else words.UNKNOWN
