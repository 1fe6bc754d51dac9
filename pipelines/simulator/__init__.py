"""This package is a simulated venue: a closed world that keeps the venue's own rules.

``kernels`` hold the rules, on whole numbers; ``world`` runs them; ``archive`` writes what
happened as the archives do, and ``serve`` answers for it as the venue's own server does.
"""
