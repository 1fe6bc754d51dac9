"""This package writes a study's own page: one HTML file, drawn from the tables of the lake.

Nothing is replayed and no statistic of the findings is made again, so a page can be drawn long
after the run.  One file a section.
"""

from backtest.report.write import write_backtest_report

__all__ = ["write_backtest_report"]
