"""This package holds one file per place that rows come from."""
