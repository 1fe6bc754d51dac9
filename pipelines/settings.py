"""This module reads the settings of a lake that looks after itself: one TOML file.

``data/undertow.toml`` shows every key and what it means.  All are optional but ``[roots]`` or
``[venue]``; one that is not known is an error.  ``UNDERTOW_WEBHOOK`` names where alarms are
posted: it may hold a secret, so it is no setting.
"""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from pipelines.jobs.names import SOURCES

RUNNERS = ("threads", "dask", "ray")


class SettingsError(ValueError):
    """A setting is not what it may be; the message names file, key and what is allowed."""


@dataclass(frozen=True)
class Venue:
    """How the info endpoint is asked."""

    url: str = "https://api.hyperliquid.xyz"
    leaderboard: str = "https://stats-data.hyperliquid.xyz/Mainnet/leaderboard"
    reserve: float = 0.1
    hourly_minutes: float = 10.0
    nightly_minutes: float = 120.0
    listen_seconds: float = 30.0
    books: int = 20
    simulated: bool = False


@dataclass(frozen=True)
class Schedule:
    """When jobs run, as cron writes it, in UTC."""

    hourly: str = "5 * * * *"
    nightly: str = "30 2 * * *"


@dataclass(frozen=True)
class Run:
    """How jobs run."""

    runner: str = "threads"
    workers: int = 2
    max_usd: float = 5.0
    grace: float = 60.0
    catch_up_days: int = 75


@dataclass(frozen=True)
class Settings:
    """All of it; a section that is None is not used."""

    lake: str = "data/lake"
    roots: Mapping[str, str] = field(default_factory=dict)
    venue: Venue | None = None
    schedule: Schedule = field(default_factory=Schedule)
    run: Run = field(default_factory=Run)

    def check(self) -> "Settings":
        """Return the settings, or raise if they leave a job nothing to do or mean nothing."""
        if not self.roots and self.venue is None:
            known = ", ".join(SOURCES)
            raise SettingsError(f"settings: give a root (of {known}) or a [venue] to ask")
        for name in self.roots:
            _known(name, SOURCES, "roots")
        if self.run.runner.partition(":")[0] not in RUNNERS:
            raise SettingsError(
                f"settings run.runner: must be one of {', '.join(RUNNERS)}, with an address "
                f"after a colon or none, is {self.run.runner!r}"
            )
        if self.run.workers < 1:
            raise SettingsError(f"settings run.workers: must be above 0, is {self.run.workers}")
        if self.venue and not 0 < self.venue.hourly_minutes < 60:
            raise SettingsError(
                "settings venue.hourly_minutes: must be above 0 and below 60, as the next hour "
                f"asks again, is {self.venue.hourly_minutes:g}"
            )
        return self

    def plain(self) -> dict[str, Any]:
        """Return them as JSON holds them; :func:`settings_of` takes them back."""
        return asdict(self)


def read_settings(file: Path) -> Settings:
    """Return the settings in a TOML file.

    Raises
    ------
    SettingsError
        If it is no TOML, or a key or value is not as documented.
    """
    try:
        given = tomllib.loads(file.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"settings {file}: {error}") from error
    return settings_of(given, str(file))


def settings_of(given: Mapping[str, Any], where: str = "settings") -> Settings:
    """Return settings from plain values.

    >>> settings_of({"roots": {"reservoir": "mirror"}}).roots
    {'reservoir': 'mirror'}
    """
    sections = {"schedule": Schedule, "run": Run, "venue": Venue}
    values: dict[str, Any] = {}
    for key, value in given.items():
        _known(key, [one.name for one in fields(Settings)], where)
        if key in sections and value is not None:
            values[key] = _section(sections[key], value, f"{where} [{key}]")
        elif key == "roots":
            values[key] = {
                name: _typed(place, str, f"{where} roots.{name}")
                for name, place in _typed(value, dict, f"{where} [roots]").items()
            }
        elif key == "lake":
            values[key] = _typed(value, str, f"{where} lake")
    return Settings(**values).check()


def _section(kind: type, given: Any, where: str) -> Any:
    known = {one.name: one for one in fields(kind)}
    values = {}
    for key, value in _typed(given, dict, where).items():
        _known(key, known, where)
        values[key] = _typed(value, type(known[key].default), f"{where} {key}")
    return kind(**values)


def _typed(value: Any, kind: type, where: str) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise SettingsError(f"{where}: must be {kind.__name__}, is {value!r}")
    return value


def _known(key: str, known: Any, where: str) -> None:
    if key not in known:
        near = difflib.get_close_matches(key, list(known), n=1)
        hint = f"; did you mean {near[0]}" if near else f"; known: {', '.join(known)}"
        raise SettingsError(f"{where}: {key} is not known{hint}")
