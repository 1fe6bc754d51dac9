"""This package says what a study found: statistics most of which exist to say no.

One file a finding; :mod:`backtest.findings.find` makes them all.  None means that a number is
not defined, or cannot be told from what there is; it never stands for 0.
"""
