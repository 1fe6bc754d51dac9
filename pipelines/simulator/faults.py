"""This module reads which faults are asked for; what they do is said where they are made."""

from collections.abc import Mapping, Sequence

import click

FIRST_SEED = 1


def parse_faults(texts: Sequence[str], known: Mapping[str, str]) -> dict[str, int]:
    """Return the seed of each fault that is asked for as ``NAME`` or ``NAME=SEED``.

    Parameters
    ----------
    texts
        What is asked for.  ``list`` among them prints ``known`` and ends the command.
    known
        Name -> what it does.

    Raises
    ------
    ValueError
        If a name is not known or comes twice, or a seed is no whole number of 0 or more.

    >>> parse_faults(["cut", "slow=9"], {"cut": "…", "slow": "…"})
    {'cut': 1, 'slow': 9}
    """
    if "list" in texts:
        width = max(map(len, known), default=0)
        for name, what in known.items():
            click.echo(f"{name:{width}}  {what}")
        raise click.exceptions.Exit(0)
    seeds: dict[str, int] = {}
    for text in texts:
        name, given, seed = text.partition("=")
        if name not in known:
            raise ValueError(f"fault {text!r}: unknown; there are {', '.join(known)}")
        if name in seeds:
            raise ValueError(f"fault {name}: asked for twice")
        # `isdigit` takes other scripts' digits too, which `int` reads; the rest it refuses.
        if given and not (seed.isascii() and seed.isdigit()):
            raise ValueError(f"fault {text!r}: its seed must be a whole number of 0 or more")
        seeds[name] = int(seed) if given else FIRST_SEED
    return seeds
