"""This module is where lines of a unit's progress go while it runs.

To the terminal, unless who runs the unit says otherwise for the time it runs: Prefect's tasks
have a log of their own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from warehouse.terminal import say

_TOLD: ContextVar[Callable[[str], None]] = ContextVar("told", default=say)


def tell(line: str) -> None:
    """Tell a line to whoever listens.

    >>> lines = []
    >>> with telling(lines.append):
    ...     tell("half of it is done")
    >>> lines
    ['half of it is done']
    """
    _TOLD.get()(line)


@contextmanager
def telling(to: Callable[[str], None]) -> Iterator[None]:
    """Let lines go elsewhere, in this thread, while the block runs."""
    before = _TOLD.set(to)
    try:
        yield
    finally:
        _TOLD.reset(before)
