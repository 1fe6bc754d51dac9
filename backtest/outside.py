"""This module imports rules from outside, of the working folder too.

``python rule.py`` finds what lies beside it and the command ``undertow`` does not, for it lies
elsewhere.  So the working folder is looked at first, while a rule is imported and no longer.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType


def folders() -> list[str]:
    """Return where modules from outside are looked for, the first that has one wins."""
    here = str(Path.cwd())
    return [here, *(folder for folder in sys.path if folder not in ("", here))]


@contextmanager
def beside() -> Iterator[None]:
    """Let modules of the working folder be imported, for as long as this lasts."""
    before = sys.path[:]
    sys.path[:] = folders()
    # A file written a moment ago may not be in what Python remembers of a folder.
    invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before


def imported(module: str) -> ModuleType:
    """Return a module from outside.

    Raises
    ------
    ValueError
        If there is none, with where it was looked for; or it is a script or does not import.
    """
    if module == "__main__":
        raise ValueError(
            "a script or a session cannot be imported; ask for the class as one of my_module, "
            "in the folder of a file my_module.py that holds it"
        )
    if not all(part.isidentifier() for part in module.split(".")):
        raise ValueError(f"{module!r} is no name of a module, such as my_module")
    try:
        with beside():
            return import_module(module)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module != missing and not module.startswith(f"{missing}."):
            raise ValueError(f"{module} does not import: {error}") from error
        where = ", ".join(folders())
        raise ValueError(
            f"{error}; looked in the working folder and on the path: {where}"
        ) from error
    except (ImportError, SyntaxError) as error:
        raise ValueError(f"{module} does not import: {error}") from error
