"""This package holds one file per trading idea, its claim in the docstring."""
