"""This package is the verb ``undertow backtest`` and those below it, one file each."""

import importlib

import click

# Verb -> its module and name there; imported when it is called.
VERBS = {
    "run": ("backtest.cli.run", "run"),
    "sweep": ("backtest.cli.sweep", "sweep"),
    "prove": ("backtest.cli.prove", "prove"),
    "reproduce": ("backtest.cli.prove", "reproduce"),
    "strategies": ("backtest.cli.strategies", "strategies"),
}


class Verbs(click.Group):
    """A group whose first word may be left out: then it is ``run``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``run`` before options that name no verb."""
        if args and args[0].startswith("-") and args[0] not in ("-h", "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in the order of use."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one verb."""
        if cmd_name not in VERBS:
            return None
        module, attribute = VERBS[cmd_name]
        return getattr(importlib.import_module(module), attribute)


@click.group(cls=Verbs)
def backtest() -> None:
    """Replay rules against what the map knew."""
