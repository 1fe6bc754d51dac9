"""This package measures what is promised."""
