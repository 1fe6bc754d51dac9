"""This module spreads work over the machines that Prefect's task runners reach."""

from collections.abc import Callable, Iterable, Iterator
from os import cpu_count
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed

from pipelines.flows.runner import task_runner
from pipelines.settings import RUNNERS, Run, SettingsError


@task(name="work", persist_result=False, cache_policy=NO_CACHE, log_prints=False)
def work(function: Callable[[Any], Any], item: Any) -> Any:
    """Do one item."""
    return function(item)


@flow(name="spread", persist_result=False, validate_parameters=False, log_prints=False)
def spread(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    """Yield ``function`` of each item as it is ready; the items are tasks."""
    futures = [work.submit(function, item) for item in items]
    for future in as_completed(futures):
        yield future.result()


def spread_on(
    runner: str, workers: int | None = None
) -> Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]:
    """Return what spreads work over a runner.

    Parameters
    ----------
    runner
        ``threads``, ``dask``, ``ray``, or one of these with the address of a cluster behind a
        colon: ``dask:tcp://host:8786``.
    workers
        Of this machine, where no cluster is named; null: one a core.

    Raises
    ------
    SettingsError
        If there is no such runner, or its library is not installed.
    """
    if runner.partition(":")[0] not in RUNNERS:
        raise SettingsError(
            f"--runner {runner!r} must be one of {', '.join(RUNNERS)}, with an address after a "
            "colon or none"
        )
    run = Run(runner=runner, workers=workers or cpu_count() or 1)
    return spread.with_options(task_runner=task_runner(run))
