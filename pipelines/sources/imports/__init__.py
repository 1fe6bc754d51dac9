"""This package reads files that others wrote: a researcher's own tables, vendors' exports."""
