"""This package fetches rows from where they are and lands them in the lake."""
