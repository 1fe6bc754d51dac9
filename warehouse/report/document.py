"""This module makes a whole page of its body and figures, and puts it in its place."""

import os
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from warehouse.report.markup import Html
from warehouse.report.plots import Plots

HERE = files("warehouse.report")


def document(title: str, body: Html, plots: Plots) -> str:
    """Return a page that needs nothing else: style, words, figures and what draws them.

    Parameters
    ----------
    title
        Of the window.
    body
        All that is seen, with the places of the figures in it.
    plots
        The figures.
    """
    # Without a figure there is nothing for 4.6 MB of plotting to do.
    return Template(HERE.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(title),
        style=HERE.joinpath("page.css").read_text(encoding="utf-8"),
        body=body,
        plotly=get_plotlyjs() if plots.figures else "",
        script=HERE.joinpath("page.js").read_text(encoding="utf-8"),
    )


def put(path: Path, html: str) -> None:
    """Write a draft beside ``path``, flush it to the disk and rename it over ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.parent / f".{path.name}.{os.getpid()}.draft"
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(html)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
