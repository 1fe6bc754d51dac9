"""This module holds the rules that a column's values may be held to.

A rule is a sentence and a test.  The test sees the values that are not null and says of
each whether it keeps the rule; the sentence is what the reader of an error is told.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, slots=True)
class Rule:
    """A sentence and the test behind it."""

    says: str
    keeps: Callable[[pa.Array], pa.Array]

    def first_break(self, values: pa.Array) -> int | None:
        """Return the index of the first value that breaks the rule; nulls keep it."""
        kept = pc.or_kleene(self.keeps(values), pc.is_null(values))
        index = pc.index(kept, pa.scalar(False)).as_py()
        return None if index < 0 else index


def _finite(values: pa.Array) -> pa.Array:
    return pc.is_finite(values)


POSITIVE = Rule("must be above 0", lambda values: pc.greater(values, 0))
NOT_NEGATIVE = Rule("must be 0 or more", lambda values: pc.greater_equal(values, 0))
NOT_ZERO = Rule("must not be 0", lambda values: pc.not_equal(values, 0))
FINITE = Rule("must be a finite number (missing is null, never NaN)", _finite)
NAMED = Rule("must not be empty", lambda values: pc.greater(pc.utf8_length(values), 0))
ACCOUNT = Rule(
    "must be a lower-case 0x address of 40 hexadecimal digits",
    lambda values: pc.match_substring_regex(values, "^0x[0-9a-f]{40}$"),
)


def one_of(*names: str) -> Rule:
    """Return the rule that a value is one of ``names``."""
    allowed = pa.array(names)
    return Rule(
        f"must be one of {', '.join(names)}",
        lambda values: pc.is_in(values, value_set=allowed),
    )
