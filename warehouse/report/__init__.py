"""This package writes a lake's report: one HTML file that needs nothing else, no network."""

from warehouse.report.write import write_report

__all__ = ["write_report"]
