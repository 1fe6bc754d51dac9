"""This module spreads work over the threads of this machine.

Kernels hold no lock, so threads work side by side.  A spread is any function of this form: one
over a cluster lies with the flows.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from os import cpu_count
from typing import Any

# What is done to each item, and the items; answers come as they are ready, in any order.
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


def in_threads(
    function: Callable[[Any], Any], items: Iterable[Any], *, threads: int | None = None
) -> Iterator[Any]:
    """Yield ``function`` of each item, as it is ready.

    Parameters
    ----------
    function
        What is done.
    items
        What it is done to; taken as threads become free.
    threads
        How many; null: one a core.

    Raises
    ------
    Exception
        What the function raised first; what had not begun is then left undone.
    """
    count = threads or cpu_count() or 1
    left = iter(items)
    pool = ThreadPoolExecutor(count)
    try:
        running: set[Future] = {pool.submit(function, one) for one in islice(left, count)}
        while running:
            ready, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {pool.submit(function, one) for one in islice(left, len(ready))}
            for one in ready:
                yield one.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
