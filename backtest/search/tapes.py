"""This module reads the tape of a coin and period once in a process, whoever asks for it.

A search falls into chunks, and all those of one coin and period replay the same bars, payments
and slippage.
"""

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from threading import Lock

from backtest.question import Question
from backtest.tape import Tape, load_tape
from backtest.terms import AT_ONCE
from warehouse import open_lake

# Of a year of minutes a tape is some 170 MB, most of it slippage; five coins of them fit.
MOST_BYTES = 2**30


@dataclass(slots=True)
class _Held:
    """A tape, or none yet, and who may read it now."""

    lock: Lock = field(default_factory=Lock)
    tape: Tape | None = None
    bytes: int = 0


class Tapes:
    """The tapes that were asked for last.

    Parameters
    ----------
    most_bytes
        How much is held; what was asked for last is held whatever it takes.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._lock = Lock()
        self._held: OrderedDict[tuple[object, ...], _Held] = OrderedDict()

    def of(self, lake: str, name: str, asked: Question, warmup: int) -> Tape:
        """Return the tape of a question of one coin, read now or before.

        Its connection is closed: who asks it for maps or flow gives it another.

        Parameters
        ----------
        lake
            Where the lake lies.
        name
            Of the search, which hangs on the lake's rows: of other rows it is another.
        asked
            Coin, period and terms.
        warmup
            Bars before the period.

        Raises
        ------
        LookupError, ValueError
            As :func:`backtest.tape.load_tape`; nothing is held then.
        """
        key = lake, name, warmup, asked.as_json()
        with self._lock:
            held = self._held.setdefault(key, _Held())
            self._held.move_to_end(key)
        with held.lock:
            if held.tape is None:
                held.tape = _read(lake, asked, warmup)
                held.bytes = _bytes(held.tape)
                self._forget()
            return held.tape

    def clear(self) -> None:
        """Forget all tapes."""
        with self._lock:
            self._held.clear()

    def _forget(self) -> None:
        """Forget the tapes that were asked for longest ago, until the others fit."""
        with self._lock:
            while len(self._held) > 1 and self._sum() > self.most_bytes:
                self._held.popitem(last=False)

    def _sum(self) -> int:
        return sum(held.bytes for held in self._held.values())


# One a process; threads share it, and so do the tasks of a worker.
TAPES = Tapes()


def _read(lake: str, asked: Question, warmup: int) -> Tape:
    (coin,) = asked.coins
    with open_lake(lake) as con:
        tape = load_tape(
            con,
            coin,
            *asked.period,
            asked.terms,
            interval=asked.interval,
            venue=asked.venue,
            warmup=warmup,
            knowable=asked.knowable,
            live_flow=asked.live_flow,
        )
    # Finer bars are asked only by the drilled reading, or by orders that travel.
    return tape if asked.terms.latency > AT_ONCE else replace(tape, fine=None)


def _bytes(tape: Tape) -> int:
    bars = (tape.bars,) if tape.fine is None else (tape.bars, tape.fine)
    columns = [one.start.nbytes * 7 for one in bars]
    return sum(columns) + tape.slippage.curves.nbytes + 3 * tape.bars.start.nbytes
