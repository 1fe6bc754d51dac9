"""This module says whether the code that ran a study is the code that is here."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from backtest.card import code_hash
from backtest.rule_code import file_of


def same_code(written: str, question: Mapping[str, object]) -> bool | None:
    """Return whether the code has not changed since a study, a rule's from outside included.

    Parameters
    ----------
    written
        Its ``code_hash``.
    question
        Of its JSON.

    Returns
    -------
    bool or None
        None: the package's is the same, and the file of a rule from outside is not to be found
        here, or it never had one.
    """
    if written != code_hash():
        return False
    rules = question.get("code")
    known = [
        None if there is None or (file := file_of(name)) is None else _hash(file) == there
        for name, there in (rules.items() if isinstance(rules, Mapping) else ())
    ]
    if False in known:
        return False
    return None if None in known else True


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
