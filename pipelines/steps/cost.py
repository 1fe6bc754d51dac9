"""This module says what a pull costs before anything is read.

Who reads a requester-pays bucket pays for the requests and, outside the bucket's region, for
the transfer.  AWS, "Amazon S3 pricing", requests and data transfer out to the internet, first
tier, us-east-1 (read 2026-08); other regions and larger tiers differ, so it is an estimate.
"""

from typing import NamedTuple

USD_PER_GB = 0.09
USD_PER_1000_GETS = 0.0004
REQUESTS = 2  # a file read whole: s3fs asks for its head first (counted, 2026-11)
GB = 10**9
UNITS = ("B", "kB", "MB", "GB", "TB")


class TooDear(ValueError):
    """A pull would cost more than was allowed; nothing has been read."""


class Plan(NamedTuple):
    """What a pull would read.

    Attributes
    ----------
    files, bytes
        How much.
    held
        Files left out: the lake has landed them, and they have not changed.
    paid
        Reading costs money; a local folder costs none.
    """

    files: int
    bytes: int
    held: int
    paid: bool

    @property
    def usd(self) -> float:
        """Return the estimate.

        >>> round(Plan(24, 1_100_000_000, 0, paid=True).usd, 3)
        0.099
        """
        if not self.paid:
            return 0.0
        requests = self.files * REQUESTS / 1000 * USD_PER_1000_GETS
        return self.bytes / GB * USD_PER_GB + requests

    def __str__(self) -> str:
        """Return the plan as one line.

        >>> print(Plan(24, 1_100_000_000, 0, paid=True))
        plan: 24 files, 1.1 GB, about $0.10 (requester pays)
        >>> print(Plan(1, 2_300, 3, paid=False))
        plan: 1 file, 2.3 kB, free (a folder); 3 are in the lake already
        """
        price = (
            f"about {dollars(self.usd)} (requester pays)" if self.paid else "free (a folder)"
        )
        files = "1 file" if self.files == 1 else f"{self.files:,} files"
        held = f"; {self.held:,} are in the lake already" if self.held else ""
        return f"plan: {files}, {sized(self.bytes)}, {price}{held}"

    def allow(self, max_usd: float) -> "Plan":
        """Return the plan, or refuse it.

        >>> Plan(720, 80 * GB, 0, paid=True).allow(5)
        Traceback (most recent call last):
        pipelines.steps.cost.TooDear: reading 720 files, 80.0 GB, would cost about $7.20, more \
than $5.00: allow it with --max-usd 8, or ask for fewer days
        """
        if self.usd > max_usd:
            raise TooDear(
                f"reading {self.files:,} files, {sized(self.bytes)}, would cost about "
                f"{dollars(self.usd)}, more than {dollars(max_usd)}: allow it with --max-usd "
                f"{int(self.usd) + 1}, or ask for fewer days"
            )
        return self


def dollars(usd: float) -> str:
    """Return an amount for people.

    >>> dollars(0.004), dollars(1234.5), dollars(0)
    ('$0.01', '$1,234.50', '$0.00')
    """
    return f"${max(usd, 0.01) if usd else 0.0:,.2f}"


def sized(count: int) -> str:
    """Return a number of bytes for people.

    >>> sized(999), sized(1_100_000_000)
    ('999 B', '1.1 GB')
    """
    power = min(max(0, (len(str(count)) - 1) // 3), len(UNITS) - 1)
    return f"{count} B" if not power else f"{count / 1000**power:.1f} {UNITS[power]}"
