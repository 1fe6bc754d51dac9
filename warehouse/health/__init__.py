"""This package says whether a lake has what it should have: what is missing, and how old it is.

``cadences``: what each source gives and when.  ``batches``: what of it the ledger has.
``gaps``: what is missing, and why.  ``freshness``: how old the newest rows are.  ``alarms``:
who is told.
"""
