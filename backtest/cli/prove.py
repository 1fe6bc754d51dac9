"""This module is the verbs ``undertow backtest prove`` and ``undertow backtest reproduce``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from warehouse.cli import json_option, lake_option
from warehouse.terminal import print_json, progress_bar, say

if TYPE_CHECKING:
    from backtest.question import Question
    from backtest.recorded import Recorded

Verb = Callable[..., Any]
FAILED = 2


def recorded_options(verb: Verb) -> Verb:
    """Give a verb the name of a study, and the lake it is in."""
    argument = click.argument("run")
    outside = click.option(
        "--outside",
        is_flag=True,
        help="Import the module of a strategy of your own, which runs what it says.",
    )
    return argument(outside(lake_option(json_option(verb))))


def asked_again(lake: str, run: str, outside: bool) -> tuple[Recorded, Question]:
    """Return a study of the lake and the question it answered."""
    from functools import partial

    from backtest.question import asked
    from backtest.recorded import find_study
    from backtest.strategies.catalogue import from_parameters
    from warehouse import open_lake

    with open_lake(lake) as con:
        recorded = find_study(con, run, click.get_current_context().command_path)
    if follows_a_series(json.loads(recorded.question)["strategy"]):
        raise ValueError(
            f"study {recorded.study_id} follows a series of signals, of which a lake keeps the "
            "hash alone; from Python, with recorded = backtest.recorded.find_study(con, name) "
            "and question = backtest.question.asked(recorded.question, lambda _: "
            "Signals(series, ...)): backtest.prove.prove(lake, question) or "
            "backtest.reproduce.reproduce(lake, recorded, question). That the series did not "
            "look ahead neither shows; a Strategy with decide() can be shown"
        )
    return recorded, asked(recorded.question, partial(from_parameters, outside=outside))


def follows_a_series(rule: dict[str, Any]) -> bool:
    """Return whether a rule is a series of signals, or wraps one.

    >>> follows_a_series({"strategy": "asymmetry_filter", "entry": {"strategy": "signals"}})
    True
    """
    inner = [one for one in rule.values() if isinstance(one, dict)]
    return rule["strategy"] == "signals" or any(map(follows_a_series, inner))


@click.command()
@recorded_options
@click.option(
    "--cuts",
    type=click.IntRange(min=1),
    help="Moments, of each coin, at which the future is taken away.  [default: 8]",
)
@click.option(
    "--every-entry",
    is_flag=True,
    help="Cut after every entry, however many there are, and of a coin without any after 8 "
    "closes; what it takes is said first.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Of moments and garbage; left out: the study's own.",
)
@click.option(
    "--allow-io",
    is_flag=True,
    help="You answer for what the rule reads and writes: files, another lake, the network.",
)
def prove(
    run: str,
    outside: bool,
    lake: str,
    as_json: bool,
    cuts: int | None,
    every_entry: bool,
    seed: int | None,
    allow_io: bool,
) -> None:
    """Play study RUN again without its future, and with a garbled one.

    RUN is a study_id or run_id, or the beginning of one.  Nothing that was decided or traded
    before may change, and the rule may open no file and change nothing outside; where it does,
    the first difference or what it touched is printed and the status is 2.
    """
    from time import monotonic

    from backtest.proof.cuts import CUTS
    from backtest.prove import prove as proven

    if every_entry and cuts is not None:
        raise click.UsageError("--cuts and --every-entry: give one of them")
    recorded, question = asked_again(lake, run, outside)
    began = monotonic()

    def plan(replays: int, done: int) -> None:
        if every_entry:
            say(cost(replays, (monotonic() - began) / done))

    with progress_bar("prove") as progress:
        found = proven(
            lake,
            question,
            None if every_entry else cuts or CUTS,
            seed,
            progress,
            allow_io=allow_io,
            plan=plan,
        )
    said = None if found.difference is None else found.difference.as_dict()
    if as_json:
        row = {
            "study_id": recorded.study_id,
            "proven": found.proven,
            "cuts": found.cuts,
            "replays": found.replays,
            "decisions": found.decisions,
            "trades": found.trades,
            "entries_moved": found.entries_moved,
            "made_anew": found.made_anew,
            "entries": found.power.entries,
            "entries_reached": found.power.reached,
            "chance_missed": found.power.missed(),
            "touched": [str(touch) for touch in found.touched],
            "difference": said,
        }
        print_json(list(row), [tuple(row.values())])
    else:
        click.echo(f"{recorded.study_id}: {found}")
    if not found.proven:
        raise SystemExit(FAILED)


def cost(replays: int, seconds: float) -> str:
    """Return what it takes to play so many worlds, at so many seconds each, as a sentence.

    >>> cost(1200, 2.5)
    '1,200 replays at some 2.5 s each: about 50 min.'
    """
    minutes = replays * seconds / 60
    about = f"{minutes:.0f} min" if minutes >= 1 else f"{minutes * 60:.0f} s"
    return f"{replays:,} replays at some {seconds:.1f} s each: about {about}."


@click.command()
@recorded_options
def reproduce(run: str, outside: bool, lake: str, as_json: bool) -> None:
    """Play study RUN again and compare all that it left, verdict too, byte by byte.

    RUN is a study_id or run_id, or the beginning of one.  Where anything differs, the first
    difference is printed and the status is 2.
    """
    from backtest.reproduce import reproduce as reproduced

    recorded, question = asked_again(lake, run, outside)
    with progress_bar("reproduce") as progress:
        found = reproduced(lake, recorded, question, progress)
    if as_json:
        row = {
            "study_id": recorded.study_id,
            "same_bytes": found.difference is None,
            "same_data": found.same_data,
            "same_code": found.same_code,
            "changed": list(found.changed),
            "files": found.files,
            "rows": found.rows,
            "difference": found.difference and found.difference._asdict(),
            "today": found.today,
        }
        print_json(list(row), [tuple(row.values())])
    else:
        for sentence in found.sentences():
            click.echo(sentence)
    if found.difference is not None:
        raise SystemExit(FAILED)
