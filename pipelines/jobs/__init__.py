"""This package says what a job does: which verbs, of which sources, in which order.

Jobs know nothing of Prefect: :mod:`pipelines.flows` runs them with retries and a schedule,
``--plain`` runs them one after the other.
"""
