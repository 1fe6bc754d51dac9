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
    edges
        Those of these that are not drawn: the first and the last of each coin, and entries at
        the closes before these.
    """

    entries: int
    reached: int
    edges: int

    def missed(self, share: float = RARE) -> float | None:
        """Return the chance that no cut follows an entry in which a leak shows.

        Parameters
        ----------
        share
            Of the entries that show the leak, at least one; anywhere among those that are
            drawn, each with the same chance.

        Returns
        -------
        float or None
            Null: there was no entry.  0 where so many cannot lie among those alone.

        Examples
        --------
        Of 100 entries one shows it, and 6 were looked behind, the first and the last too:

        >>> round(Power(100, 6, 2).missed(), 2), Power(100, 100, 2).missed()
        (0.96, 0.0)
        >>> Power(0, 0, 0).missed()
        """
        if not self.entries:
            return None
        shown = math.ceil(share * self.entries)
        among, drawn = self.entries - self.edges, self.reached - self.edges
        if shown > among:
            return 0.0
        return math.comb(among - shown, drawn) / math.comb(among, drawn)

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
            f"{said}: a leak that shows in {100 * RARE:g} % of entries, and not in those that "
            f"every proof looks behind, would be missed with a chance of {_percent(chance)}."
        )


def _percent(chance: float) -> str:
    """Return a chance, one that is above 0 and below 1 as such.

    >>> _percent(1.0), _percent(0.9996), _percent(0.92), _percent(1e-5), _percent(0.0)
    ('100 %', 'above 99 %', '92 %', 'below 1 %', '0 %')
    """
    if chance in (0, 1):
        return f"{100 * chance:g} %"
    if chance > 0.995:
        return "above 99 %"
    return "below 1 %" if chance < 0.005 else f"{round(100 * chance)} %"
