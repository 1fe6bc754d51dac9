"""This package says whether a lake has what it should have: what is missing, and how old it is.

``cadences``: what each source gives and when.  ``batches``: what of it the ledger has.
``gaps``: what is missing, and why; ``gaps_table``: the same in SQL.  ``freshness``: how old the
newest rows are; ``runs``: when jobs last ended well; ``untrusted``: sweeps that were not.
``news``: what of it is told; ``alarms``: to whom.
"""
