"""This package keeps what maps are asked for again and again, binned ahead.

A mart is a table of the lake like others, derived from it: ``warehouse/marts/made_of.py`` says
from which files, and a connection shows only what is of the files that count now.
"""
