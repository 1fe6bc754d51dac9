"""This module says how a source complains about what it was given."""


class SourceError(ValueError):
    """A source holds something that its documentation does not allow.

    The message is one line: which file, where in it, which field, what is allowed and what
    was found.  Nothing of the batch has been landed.
    """


class UnreachableError(SourceError):
    """An archive cannot be asked: no credentials, no permission, or no connection."""
