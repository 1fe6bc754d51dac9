"""This module notices that a venue has died in the middle of a sweep, which then ends early.

A question is asked several times before it counts as not answered.  Once so many in a row were
not, for so long, nobody new is asked: to go on would fill the hours of a night, and the budget
of the jobs that wait for it, with questions that nobody hears.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipelines.sources.errors import SourceError, UnreachableError
from pipelines.sources.info.client import AT_ONCE, InfoClient

IN_A_ROW = 2 * AT_ONCE  # two questions of each who asks, and six tries of each question
LASTING = timedelta(minutes=2)  # a server that is started anew is back before


@dataclass
class Silence:
    """How long a venue has not answered.

    Attributes
    ----------
    questions
        How many in a row it did not answer.
    since
        When the first of them was given up.
    """

    questions: int = 0
    since: datetime | None = None

    def lasts(self, now: datetime) -> bool:
        """Return whether nobody new is to be asked.

        >>> at = datetime(2026, 1, 5, 12)
        >>> [Silence(IN_A_ROW, at).lasts(at + LASTING), Silence(IN_A_ROW, at).lasts(at)]
        [True, False]
        """
        long = self.since is not None and now - self.since >= LASTING
        return long and self.questions >= IN_A_ROW

    @property
    def said(self) -> str:
        """Return it in words."""
        return f"the venue did not answer {self.questions} questions in a row"

    async def ask(
        self, client: InfoClient, body: dict[str, Any], now: Callable[[], datetime]
    ) -> Any:
        """Return the answer to a question, and note whether there was one.

        Raises
        ------
        SourceError
            If the venue does not understand the question; it has answered then.
        UnreachableError
            If it did not answer; it is not even asked while the silence lasts.
        """
        if self.lasts(now()):
            raise UnreachableError(f"not asked, as {self.said}")
        try:
            answer = await client.ask(body)
        except UnreachableError:
            self.since = self.since or now()
            self.questions += 1
            raise
        except SourceError:
            self._heard()
            raise
        self._heard()
        return answer

    def _heard(self) -> None:
        self.questions, self.since = 0, None
