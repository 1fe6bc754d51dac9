"""This package takes the future away from a study, and looks whether its past changes."""
