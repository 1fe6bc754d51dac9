"""This module notices what a rule reaches outside of its view while it is played.

No cut takes the future out of a file, another lake or the environment: what a rule reads there
may be what it wrote when it saw the lake whole.  Who did it is told by who called, the nearest
of these: a rule's own code, Python's import of modules, numba's cache, the readers of maps and
flow, the proof itself.
"""

import os
import sys
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Self
from zoneinfo import TZPATH

from backtest.proof.anew import is_installed
from backtest.proof.doors import EVENTS, LAKE, OPENED, telling
from backtest.rule_code import PACKAGES

RULES = "backtest.strategies"
# What is done beneath these is not a rule's doing: the proof's own, the readers of maps and
# flow, what Python and numba read of code, and lines of code that a warning shows.
ELSE = ("backtest.prove", "backtest.view", "importlib._bootstrap", "_frozen_importlib")
ELSE += ("numba", "llvmlite", "linecache")
# What a system says of itself, in which nobody keeps anything.
SYSTEM = tuple(map(Path, (*TZPATH, "/dev/null", "/dev/random", "/dev/urandom")))
SYSTEM += tuple(map(Path, ("/etc", "/proc", "/sys")))


@dataclass(frozen=True, slots=True)
class Touch:
    """What a rule reached.

    Attributes
    ----------
    what
        ``file``, ``folder``, ``environment variable``, ``lake``, ``database``, ``network``,
        ``process``, ``shared memory`` or ``library``.
    name
        Which; empty where it has none.
    """

    what: str
    name: str

    def __str__(self) -> str:
        """Return both, as in a sentence."""
        return f"{self.what} {self.name}".rstrip()


class Watch:
    """Watches a rule while this is entered; what it found before is kept.

    Attributes
    ----------
    found
        What the rule reached, each once, in this order.
    """

    def __init__(self) -> None:
        self.found: dict[Touch, None] = {}
        self._thread = threading.get_ident()
        # Those that begin later began while a rule was played, and may go on after it.
        self._before = set(sys._current_frames())

    @property
    def touched(self) -> tuple[Touch, ...]:
        """Return what the rule reached, each once, in this order."""
        return tuple(self.found)

    def __enter__(self) -> Self:
        """Begin to watch."""
        global _watching
        _install()
        self._held = ExitStack()
        self._held.enter_context(telling())
        self._environ, self._set_by_others = dict(os.environ), set[str]()
        _watching = self
        return self

    def __exit__(self, *error: object) -> None:
        """Watch no more; the environment is again as it was."""
        global _watching
        _watching = None
        self._held.close()
        now = dict(os.environ)
        for name in sorted(self._environ.keys() | now.keys()):
            if self._environ.get(name) == now.get(name) or name in self._set_by_others:
                continue
            self.found.setdefault(Touch("environment variable", name))
            if name in self._environ:
                os.environ[name] = self._environ[name]
            else:
                del os.environ[name]

    def hear(self, event: str, values: tuple[Any, ...], frame: FrameType | None) -> None:
        """Take down what an audit event tells of, if it was a rule's doing."""
        thread = threading.get_ident()
        new = thread not in self._before
        if (thread != self._thread and not new) or _is_harmless(event, values):
            return
        touch = _touch(event, values)
        if _is_by_rule(event, frame, new):
            self.found.setdefault(touch)
        elif touch.what == "environment variable":
            self._set_by_others.add(touch.name)


_watching: Watch | None = None
_installed = False


def _install() -> None:
    """Hear audit events from now on; Python has no way to stop it, so it is done once."""
    global _installed
    if not _installed:
        sys.addaudithook(_heard)
        _installed = True


def _heard(event: str, values: tuple[Any, ...]) -> None:
    if _watching is not None and event in EVENTS:
        _watching.hear(event, values, sys._getframe(1))


def _is_by_rule(event: str, frame: FrameType | None, new_thread: bool) -> bool:
    """Return whether the nearest of those who called is a rule.

    Parameters
    ----------
    event
        What happened.
    frame
        Where.
    new_thread
        Whether its thread began since rules are watched, so that nobody else began it.
    """
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name == "warehouse.catalog" and event != LAKE:
            return False  # what opening a lake takes: the lake itself is told
        if any(name == one or name.startswith(f"{one}.") for one in ELSE):
            return False
        if name == RULES or name.startswith(f"{RULES}.") or _is_outside(name, frame):
            return True
        frame = frame.f_back
    return new_thread


def _is_outside(name: str, frame: FrameType) -> bool:
    """Return whether a frame's code is neither Python's, nor installed, nor of this package."""
    if name.partition(".")[0] in PACKAGES:
        return False
    file = frame.f_globals.get("__file__")
    if file is None:  # typed into a session, or Python's own
        return name == "__main__" or (
            name in sys.modules and name.partition(".")[0] not in sys.stdlib_module_names
        )
    return name == "__main__" or not is_installed(str(file))


def _touch(event: str, values: tuple[Any, ...]) -> Touch:
    if event == OPENED:
        return Touch(*values)
    what, which = EVENTS[event]
    name = "" if which is None else values[which]
    if isinstance(name, tuple):  # an address
        return Touch(what, ":".join(map(str, name[:2])))
    if isinstance(name, bytes | os.PathLike):
        name = os.fsdecode(name)
    if what in ("file", "folder") and isinstance(name, str):
        name = os.path.abspath(name)
    return Touch(what, "" if name is None else str(name))


def _is_harmless(event: str, values: tuple[Any, ...]) -> bool:
    """Return whether all it does is to read what is installed, or to ask for memory."""
    if event == "mmap.__new__":
        return values[0] == -1
    if event in ("os.listdir", "os.scandir"):
        path, writes = values[0], False
    elif event == "open":
        path, mode, flags = values
        writes = bool(set(mode or "") & set("wax+"))
        writes |= mode is None and bool(flags & (os.O_WRONLY | os.O_RDWR))
    else:
        return False
    if writes or not isinstance(path, str | bytes | os.PathLike):
        return os.fsdecode(path) == os.devnull if isinstance(path, str) else False
    place = os.path.realpath(os.fsdecode(path))
    return is_installed(place) or any(map(Path(place).is_relative_to, SYSTEM))
