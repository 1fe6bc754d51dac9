"""This module makes whole files go missing or be cut, and says which."""

from datetime import UTC, datetime

from pipelines.simulator.archive.fault_plan import FaultPlan
from pipelines.simulator.archive.hours import DAY_MS, HOUR_MS

ONE_HOUR, ONE_DAY, ONE_SNAPSHOT, ONE_FILE = 240, 30, 40, 120


class FileFaults:
    """What is done to the files of a world.

    Parameters
    ----------
    plan
        Which faults, and where they are noted.
    start_ms, hours
        When the world begins, and how many hours it lasts.
    snapshots
        When snapshots are due, ms.
    """

    def __init__(
        self, plan: FaultPlan, start_ms: int, hours: int, snapshots: list[int]
    ) -> None:
        self._plan = plan
        each = range(start_ms, start_ms + hours * HOUR_MS, HOUR_MS)
        days = range(start_ms, start_ms + hours * HOUR_MS, DAY_MS)
        # First and last are spared: what is missing there nobody could miss.
        self._without = plan.places("missing-hours", each[1:-1], ONE_HOUR)
        self._lost = plan.places("missing-days", days[1:-1], ONE_DAY)
        inner = snapshots[1:-1] or snapshots
        self._untaken = plan.places("missing-snapshots", inner, ONE_SNAPSHOT)
        self._cut = plan.places("cut-files", each, ONE_FILE)

    def hourly(self, path: str, hour_ms: int, body: bytes, fills: bool) -> bytes | None:
        """Return what is left of an hour's file; null: it is missing."""
        if self.loses(path, hour_ms):
            return None
        if hour_ms in self._without:
            self._plan.note("missing-hours", path=path)
            return None
        if fills and hour_ms in self._cut:
            # The end of a frame is short: half of it is always within.
            self._plan.note("cut-files", path=path, bytes=len(body) // 2, of=len(body))
            return body[: len(body) // 2]
        return body

    def loses(self, path: str, ms: int) -> bool:
        """Return whether a file of a day is missing with it."""
        if ms // DAY_MS * DAY_MS not in self._lost:
            return False
        day = datetime.fromtimestamp(ms / 1000, UTC)
        self._plan.note("missing-days", day=f"{day:%Y-%m-%d}", path=path)
        return True

    def was_taken(self, path: str, ms: int) -> bool:
        """Return whether a snapshot that was due was taken."""
        if ms in self._untaken:
            self._plan.note("missing-snapshots", path=path)
            return False
        return not self.loses(path, ms)
