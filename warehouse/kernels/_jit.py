"""This module is the one place where numba is configured.

* ``nogil``, so that partitions may be worked in threads.
* no ``parallel``: there is one level of parallelism, across partitions.
* no ``fastmath``: a NaN must stay a NaN.
* ``error_model="numpy"``, so that compiled and interpreted division agree.
* cached under the hash of every kernel's source: numba alone does not notice an edit in a
  callee's file, and nobody should wait for the compiler twice.
"""

import hashlib
from functools import partial
from pathlib import Path

import numba
from platformdirs import user_cache_path

_PACKAGES = Path(__file__).parents[2]
_SOURCES = sorted(
    path
    for name in ("pipelines", "warehouse", "backtest")
    # Records hold codes and types that are frozen into the kernels which read them.
    for path in [
        *(_PACKAGES / name).rglob("kernels/*.py"),
        *(_PACKAGES / name).rglob("records.py"),
    ]
)
_DIGEST = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()[:16]
numba.config.CACHE_DIR = str(user_cache_path("undertow") / f"kernels-{_DIGEST}")

kernel = partial(numba.njit, nogil=True, error_model="numpy", cache=True)
