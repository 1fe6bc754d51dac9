"""This package holds what every table of the lake promises."""
