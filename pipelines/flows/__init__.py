"""This package orchestrates the verbs of :mod:`pipelines.steps` with Prefect."""
