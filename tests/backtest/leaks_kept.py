"""What a leak keeps outside its own module."""

SEEN: list = []
