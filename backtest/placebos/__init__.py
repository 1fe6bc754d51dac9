"""This package holds the placebos: the same rule with what it looks at made meaningless.

One file a placebo, its question in the docstring; all are read pessimistically:

* ``random_times``: would entries at any other time have done as well?
* ``mirrored``: does it matter which side of the price the leverage lay on?
* ``shuffled``: does it matter that it was this map, and not one of another time?
* ``distance_only``: or is it enough to know how far away clusters lie in general?
* ``yesterday``: does it matter how new the map was?

Placebos of the map put other readers in its place (:mod:`backtest.view`); a rule that looks at
flow is given flow of the same kind.  A level of a placebo is anchored to the price at the
snapshot, so that it stays where it is while the price moves, as a real one does.
"""
