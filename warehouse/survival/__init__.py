"""This package says how long positions last until they are liquidated."""
