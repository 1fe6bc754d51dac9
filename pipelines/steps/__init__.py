"""This package holds the verbs of the pipeline as plain functions; none knows of Prefect."""
