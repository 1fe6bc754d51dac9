"""This package holds accounts whose positions share a margin: what it is, and what follows."""
