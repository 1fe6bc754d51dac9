"""This package makes rows to try undertow with where no real ones are at hand.

A small seeded world of four coins and a few hundred accounts, written in the layouts of the
archives that the sources read.  Margin, liquidation prices, funding and the forms of records
are the venue's as documented; prices are *given*: a liquidation does not move them, so the
falls here are moves that liquidations follow, not cascades that feed themselves.
"""

from pipelines.demo_rows.write import write_demo_rows

__all__ = ["write_demo_rows"]
