"""This module lands everything of one closed day."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pipelines.landed import Landed
from pipelines.steps.fills import land_node_fills
from pipelines.steps.market import land_market
from pipelines.steps.positions import land_reservoir

Verb = Callable[[], list[Landed]]
Progress = Callable[[str, int, int], None]


class NightError(ValueError):
    """Some verbs of a night failed; what the others landed is in the lake."""


class Roots(NamedTuple):
    """Where a nightly job reads: folders or ``s3://`` URLs; None: not read."""

    market: str | None = None
    positions: str | None = None
    fills: str | None = None

    def check(self) -> "Roots":
        """Return the roots, or raise if there is nothing to read."""
        if not any(self):
            raise ValueError("nightly: give at least one of --market, --positions, --fills")
        return self


def closed_day(now: datetime | None = None) -> date:
    """Return the newest UTC day that has ended.

    >>> closed_day(datetime(2026, 2, 6, 0, 1, tzinfo=UTC))
    datetime.date(2026, 2, 5)
    """
    return (now or datetime.now(UTC)).date() - timedelta(days=1)


def verbs_of(roots: Roots, lake: Path, day: date) -> Iterator[tuple[str, Verb]]:
    """Yield the verbs that land ``day``, market first: margins need its instruments."""
    end = day + timedelta(days=1)
    if roots.market:
        yield "market", partial(land_market, roots.market, lake, day, end)
    if roots.positions:
        yield "positions", partial(land_reservoir, roots.positions, lake, day, end)
    if roots.fills:
        yield "fills", partial(_land_fills, roots.fills, lake, day, end)


def land_day(
    roots: Roots, lake: Path, day: date, progress: Progress | None = None
) -> list[Landed]:
    """Land ``day``, one verb after the other; safe to repeat.

    ``progress`` is called with the verb that starts, how many are done, and of how many.

    Raises
    ------
    NightError
        If verbs failed, naming each; the others have run all the same.
    """
    landed: list[Landed] = []
    failed: dict[str, Exception] = {}
    verbs = list(verbs_of(roots.check(), lake, day))
    for done, (name, verb) in enumerate(verbs):
        if progress:
            progress(name, done, len(verbs))
        try:
            landed += verb()
        except (ValueError, OSError) as error:
            failed[name] = error
    raise_failures(day, failed)
    return landed


def raise_failures(day: date, failed: dict[str, Exception]) -> None:
    """Raise what failed in a night as one error, if anything did."""
    if failed:
        said = "; ".join(f"{name}: {error}" for name, error in failed.items())
        raise NightError(f"nightly {day}: {said}") from next(iter(failed.values()))


def is_passing(error: BaseException) -> bool:
    """Return whether trying again may help: not with what a source or a user got wrong."""
    return not isinstance(error, ValueError | FileNotFoundError)


def _land_fills(root: str, lake: Path, since: date, until: date) -> list[Landed]:
    return [land_node_fills(root, lake, since, until)]
