"""This package replays rules against what the lake knew at the time."""
