"""This module says how a source complains about what it was given."""

import re

# Who asks, and what follows a question mark: no port, as in http://127.0.0.1:3001/@107.
_SECRET = re.compile(r"(?<=://)(?:[^\s/@]*|[^\s/@:]+:(?![0-9]+/)[^\s@'\"]*)@|\?[^\s:,;'\"]*")


class SourceError(ValueError):
    """A source holds something that its documentation does not allow.

    The message is one line: which file, where in it, which field, what is allowed and what
    was found.  Nothing of the batch has been landed.
    """


class UnreachableError(SourceError):
    """An archive cannot be asked: no credentials, no permission, or no connection."""


def one_line(text: object, longest: int = 200) -> str:
    r"""Return a text of others, a value or a library's complaint, as one short line to print.

    >>> one_line("a\n\x1b[31mb"), one_line("x" * 300, 5)
    ('a ?[31mb', 'xx...')
    """
    line = " ".join(str(text).split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def public(text: object) -> str:
    """Return a text without what may be a secret in the URLs it holds.

    >>> public("root s3://me:k/ey@bucket/a: cut"), public("https://h/info?token=t meta @107")
    ('root s3://bucket/a: cut', 'https://h/info meta @107')
    """
    return _SECRET.sub("", str(text))
