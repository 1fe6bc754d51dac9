"""This module spoils lines of fills, each fault by itself and each noted."""

from typing import Any

import numpy as np
import orjson

from pipelines.simulator.archive.fault_plan import FaultPlan
from pipelines.simulator.archive.hours import HOUR_MS

ONE_BLOCK_TWICE, ONE_BLOCK_LATE, ONE_FILE = 100, 100, 120
NEW_FIELD = b',"feeTier":2'
_BEFORE = b',"feeToken":'
_TEXTS, _NUMBERS = ("px", "sz", "fee", "startPosition"), ("time", "oid", "tid")
_IN_A_LINE = ("truncated-json", "wrong-types", "null-numbers")


class FillFaults:
    """What is done to the fills of a world.

    Parameters
    ----------
    plan
        Which faults, and where they are noted.
    start_ms, hours
        When the world begins, and how many hours it lasts.
    """

    def __init__(self, plan: FaultPlan, start_ms: int, hours: int) -> None:
        self._plan, self._end = plan, start_ms + hours * HOUR_MS
        each = range(start_ms, self._end, HOUR_MS)
        self._hours = {name: plan.places(name, each, ONE_FILE) for name in _IN_A_LINE}
        # Somewhere in the middle half.
        inner = each[hours // 4 : max(hours // 4 + 1, hours * 3 // 4)]
        self._new_from = min(plan.places("new-field", inner, len(inner)), default=self._end)
        # An hour without a line passes what should have befallen it on to the next.
        self._due = dict.fromkeys(_IN_A_LINE, 0)

    def arrivals(self, hours: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        """Return the hours in whose files blocks lie, from those they would have lain in."""
        name = "late-rows"
        if name not in self._plan.seeds:
            return hours
        drawn = self._plan.draws(name, blocks)
        later = hours + HOUR_MS * (2 + (drawn >> np.uint64(32)) % np.uint64(4)).astype(np.int64)
        hit = (drawn % np.uint64(ONE_BLOCK_LATE) == 0) & (later < self._end)
        for block, hour, instead in zip(blocks[hit], hours[hit], later[hit], strict=True):
            self._plan.note(name, block=int(block), file_ms=int(instead), due_ms=int(hour))
        return np.where(hit, later, hours)

    def lines(self, path: str, hour_ms: int, lines: list[bytes]) -> list[bytes]:
        """Return the lines of an hour's file as they are after all that befalls them."""
        plan = self._plan
        if lines and hour_ms >= self._new_from and "new-field" in plan.seeds:
            if not plan.done["new-field"]:
                plan.note("new-field", path=path, field="feeTier")
            lines = [line.replace(_BEFORE, NEW_FIELD + _BEFORE) for line in lines]
        if "duplicate-rows" in plan.seeds:
            lines = self._doubled(path, lines)
        for name in _IN_A_LINE:
            self._due[name] += hour_ms in self._hours[name]
            if lines and self._due[name]:
                self._due[name] = 0
                lines = self._spoilt(name, path, hour_ms, lines)
        return lines

    def _doubled(self, path: str, lines: list[bytes]) -> list[bytes]:
        blocks = [int(line.split(b'"block_number":', 1)[1].split(b",", 1)[0]) for line in lines]
        drawn = self._plan.draws("duplicate-rows", np.array(blocks, np.int64))
        out = []
        for line, block, bits in zip(lines, blocks, drawn.tolist(), strict=True):
            out.append(line)
            if bits % ONE_BLOCK_TWICE == 0:
                out.append(line)
                self._plan.note("duplicate-rows", path=path, block=block)
        return out

    def _spoilt(self, name: str, path: str, hour_ms: int, lines: list[bytes]) -> list[bytes]:
        drawn = int(self._plan.draws(name, np.array([hour_ms]), "line")[0])
        place = drawn % len(lines)
        line = lines[place]
        if name == "truncated-json":
            line, field = line[: 1 + (drawn >> 32) % (len(line) - 2)] + b"\n", None
        else:
            block = orjson.loads(line)
            events = block["events"]
            field = _SPOIL[name](events[(drawn >> 16) % len(events)][1], drawn >> 32)
            line = orjson.dumps(block) + b"\n"
        self._plan.note(name, path=path, line=place + 1, field=field)
        return [*lines[:place], line, *lines[place + 1 :]]


def _retyped(fill: dict[str, Any], drawn: int) -> str:
    """Make a text of a number or the reverse, and return the field's name."""
    name = (*_TEXTS, *_NUMBERS)[drawn % (len(_TEXTS) + len(_NUMBERS))]
    fill[name] = float(fill[name]) if name in _TEXTS else str(fill[name])
    return name


def _emptied(fill: dict[str, Any], drawn: int) -> str:
    """Make null of a number, and return the field's name."""
    name = _TEXTS[drawn % len(_TEXTS)]
    fill[name] = None
    return name


_SPOIL = {"wrong-types": _retyped, "null-numbers": _emptied}
