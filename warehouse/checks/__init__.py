"""This package holds the rows of the lake to what must be true of them.

A check is a select in ``warehouse/sql/checks`` whose rows are failures.  ``definitions`` reads
them, ``window`` shows them the parts of some days, ``run`` asks them of what is in the lake and
``guard`` of what is about to be; ``noted`` keeps what they find as ``incidents``.
"""

from warehouse.checks.finding import Finding
from warehouse.checks.guard import Blocked, guarded
from warehouse.checks.noted import note_findings
from warehouse.checks.run import run_checks

__all__ = ["Blocked", "Finding", "guarded", "note_findings", "run_checks"]
