"""Clocks of tests: time stands still, or goes on by a step each time it is looked at."""

import sys
from datetime import UTC, datetime, timedelta


class AsDatetime(type):
    def __instancecheck__(cls, one):
        return isinstance(one, datetime)


class Frozen(datetime, metaclass=AsDatetime):
    """A moment that does not pass, so that even the ledger has the same bytes."""

    moment = datetime(2100, 1, 1, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.moment


def freeze(moment):
    """Let our modules see one moment from now on."""
    Frozen.moment = moment
    for module in list(sys.modules.values()):
        ours = getattr(module, "__name__", "").startswith(("pipelines.", "warehouse."))
        if ours and vars(module).get("datetime") is datetime:
            module.datetime = Frozen


def ticking(start, step):
    """Return a clock that is a step later each time it is looked at."""
    moment = start - step

    def now():
        nonlocal moment
        moment += step
        return moment

    return now


MINUTE = timedelta(minutes=1)
