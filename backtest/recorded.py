"""This module finds the study of a run in the lake."""

import json
import re
from typing import NamedTuple

import duckdb

NAME = re.compile(r"[0-9a-f]{1,64}")
SHOWN = 3
# More coins are counted, not named.
NAMED_COINS = 4


class Recorded(NamedTuple):
    """One row of ``backtest_studies``, as far as it takes to ask it again.

    Attributes
    ----------
    study_id
        Its name.
    question
        JSON, of :meth:`backtest.question.Question.as_json`.
    own, base
        Names of its runs, of the rule and of the one without the map.
    data_hash, code_hash
        Of the parts it read and the code that ran.
    trials
        JSON, of :meth:`backtest.trials.Trials.as_json`; null: not kept.
    title
        How it uses map or flow, and its coins, in words.
    """

    study_id: str
    question: str
    own: tuple[str, ...]
    base: tuple[str, ...]
    data_hash: str
    code_hash: str
    trials: str | None
    title: str

    @property
    def run_ids(self) -> tuple[str, ...]:
        """Return the names of its runs."""
        return (*self.own, *self.base)


def find_study(
    lake: duckdb.DuckDBPyConnection, name: str, command: str = "undertow report"
) -> Recorded:
    """Return the study that a name stands for.

    Parameters
    ----------
    lake
        Catalog of a lake.
    name
        ``study_id`` or ``run_id``, or the beginning of one that no other study has.
    command
        What was called with the name, so that the message can say how to call it.

    Raises
    ------
    LookupError
        If no study has it, or several do; the message names the newest three.
    ValueError
        If it is no such name.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"run {name!r} must be a study_id or run_id, or the beginning of one: "
            "digits and the letters a to f"
        )
    studies = [_recorded(*row) for row in lake.sql(STUDIES).fetchall()]
    for exact in (True, False):
        found = [one for one in studies if _has(one, name, exact)]
        if len(found) == 1:
            return found[0]
        if found:
            raise LookupError(
                f"{name} is a name of {len(found)} studies, newest first: {_listed(found)}; "
                f"name one: {command} {found[0].study_id}"
            )
    if not studies:
        raise LookupError("the lake holds no study; `undertow backtest run` makes one")
    raise LookupError(f"no study or run is named {name}; the lake holds {_listed(studies)}")


# Those that were answered together, as the command line does, were received at one moment.
STUDIES = """
    with received as (
        select part, max(received_ts) as received_ts
        from parts
        where table_name = 'backtest_studies'
        group by part
    )

    select study_id, question, runs, data_hash, code_hash, trials, variant, coins
    from backtest_studies
    left join received on study_id = part
    order by received_ts desc nulls last, end_ts desc, study_id
"""


def _has(study: Recorded, name: str, exact: bool) -> bool:
    if exact:
        # A run may be of several studies, which share the rule without the map.
        return name == study.study_id
    return any(one.startswith(name) for one in (study.study_id, *study.run_ids))


def _recorded(
    study_id: str,
    question: str,
    runs: str,
    data_hash: str,
    code_hash: str,
    trials: str | None,
    variant: str,
    coins: str,
) -> Recorded:
    named = json.loads(runs)
    own, base = (tuple(named[kind]) for kind in ("own", "base"))
    count = coins.count(",") + 1
    title = f"{variant} on {coins if count <= NAMED_COINS else f'{count} coins'}"
    return Recorded(study_id, question, own, base, data_hash, code_hash, trials, title)


def _listed(studies: list[Recorded]) -> str:
    shown = ", ".join(f"{one.study_id} ({one.title})" for one in studies[:SHOWN])
    more = len(studies) - SHOWN
    return shown + (f" and {more} more" if more > 0 else "")
