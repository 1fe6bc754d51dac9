"""This module chooses where a job's tasks run: threads here, or a Dask or Ray cluster.

``threads``; ``dask`` and ``ray`` start workers on this machine; ``dask:tcp://host:8786`` and
``ray:ray://host:10001`` name a cluster.  Their libraries are extras: ``undertow[dask]``,
``undertow[ray]``.
"""

from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from pipelines.settings import Run, SettingsError


def task_runner(run: Run) -> TaskRunner[Any]:
    """Return the task runner that the settings name.

    Raises
    ------
    SettingsError
        If its library is not installed.
    """
    kind, _, address = run.runner.partition(":")
    if kind == "threads":
        return ThreadPoolTaskRunner(max_workers=run.workers)
    try:
        return _dask(address, run.workers) if kind == "dask" else _ray(address, run.workers)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"settings run.runner {run.runner}: {error.name} is not installed; "
            f"pip install 'undertow[{kind}]'"
        ) from error


def _dask(address: str, workers: int) -> TaskRunner[Any]:
    from prefect_dask import DaskTaskRunner

    if address:
        return DaskTaskRunner(address=address)
    # Processes: parsing holds the interpreter's lock.
    alone = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    return DaskTaskRunner(cluster_kwargs=alone)


def _ray(address: str, workers: int) -> TaskRunner[Any]:
    from prefect_ray import RayTaskRunner

    if address:
        return RayTaskRunner(address=address)
    return RayTaskRunner(init_kwargs={"num_cpus": workers, "include_dashboard": False})
