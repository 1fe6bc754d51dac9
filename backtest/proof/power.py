"""This module says how rare a leak may be that a proof does not see."""

import math
from dataclasses import dataclass

RARE = 0.01


@dataclass(frozen=True, slots=True)
class Power:
    """How many of a rule's entries a proof has looked behind.

    Attributes
    ----------
    entries
        Closes of the period, of all coins, at which the rule decided to enter and could fill.
    reached
        Those of them that were compared with a future that differed from the next bar on.
    """

    entries: int
    reached: int

    def missed(self, share: float = RARE) -> float | None:
        """Return the chance that no cut follows an entry in which a leak shows.

        Parameters
        ----------
        share
            Of the entries that show the leak, at least one; anywhere among them.

        Returns
        -------
        float or None
            Null: there was no entry.

        Examples
        --------
        Of 100 entries one shows it, and 8 were looked behind:

        >>> Power(100, 8).missed(), Power(100, 100).missed(), Power(0, 0).missed()
        (0.92, 0.0, None)
        """
        if not self.entries:
            return None
        shown = math.ceil(share * self.entries)
        ways = math.comb(self.entries - shown, self.reached)
        return ways / math.comb(self.entries, self.reached)

    def __str__(self) -> str:
        """Return what was looked behind, and what may have been missed, as sentences."""
        chance = self.missed()
        if chance is None:
            return "No entry was decided, so none was looked behind."
        said = (
            f"Of {self.entries:,} entries {self.reached:,} were followed at once by a future "
            "that differed"
        )
        if self.reached == self.entries:
            return f"{said}: a leak in any of them had its cut."
        return (
            f"{said}: a leak that shows in {100 * RARE:g} % of entries would be missed with a "
            f"chance of {_percent(chance)}."
        )


def _percent(chance: float) -> str:
    """Return a chance that is above 0 and below 1 as such.

    >>> _percent(0.9996), _percent(0.92), _percent(1e-5)
    ('above 99 %', '92 %', 'below 1 %')
    """
    if chance > 0.995:
        return "above 99 %"
    return "below 1 %" if chance < 0.005 else f"{round(100 * chance)} %"
