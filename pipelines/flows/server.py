"""This module runs a Prefect server beside a schedule, where the user names none.

Prefect's temporary server runs flows but has no scheduler: on it, a cron would never tick.
"""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE_S = 90


@contextmanager
def a_server() -> Iterator[str]:
    """Yield the address of a server with a scheduler; one of our own is stopped in the end.

    ``PREFECT_API_URL`` names the user's.  It is set while the block runs, and must be before
    Prefect is imported.
    """
    if url := os.environ.get("PREFECT_API_URL"):
        yield url
        return
    port = _free_port()
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start"]
    server = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for us; we stop the server when we are done
    )
    try:
        _wait_for(f"{url}/health", server)
        os.environ["PREFECT_API_URL"] = url
        yield url
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(url: str, server: subprocess.Popen) -> None:
    """Return once the server answers.

    Raises
    ------
    TimeoutError
        If it ends, or does not answer in time.
    """
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and server.poll() is None:
        try:
            direct.open(url, timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
        else:
            return
    raise TimeoutError(f"the Prefect server did not answer at {url} in {PATIENCE_S} s")
