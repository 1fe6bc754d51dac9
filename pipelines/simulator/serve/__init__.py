"""This package answers for a simulated world as the venue's own server does.

What it knows at the end of a minute is a ``Venue``, which never changes; ``answers`` turns it
and a request's body into what the venue would say.  Only ``app``, ``sockets`` and ``run`` know
that there is a network.
"""
