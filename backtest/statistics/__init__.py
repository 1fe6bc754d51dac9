"""This package holds the statistics of backtests, most of which exist to say no.

Pure functions on numpy arrays, one idea a module:

* ``measures`` of one replay; ``comparison`` of trades with the map to those without;
  ``by_days``, how likely days speak so much for one side by chance;
* ``probabilistic``, how far a Sharpe ratio can be believed; ``trials``, what their number does
  to the best of them; ``deflated``, the best of them less that;
* ``overfitting``, how often the best of the past is worse than most afterwards; ``splits`` that
  keep what is fitted from what is tested;
* ``bootstrap``, intervals from blocks of periods; ``superiority``, whether the best of many
  beats a benchmark; ``clustered``, standard errors by day; ``lasting``, how many days count as
  one where trades outlast a day;
* ``attempts``, with the orders that were not filled; ``robustness`` to the best trades, the
  best days and the half of the period;
* ``returns`` refuses what no statistic can be taken of.

Returns are fractions, of the period or trade they belong to.  Nothing is annualised unless its
name or docstring says so.  None means that a number is not defined, or cannot be told from what
is given; it never stands for 0.  An unknown return (NaN) is refused, not skipped.
"""
