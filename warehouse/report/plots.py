"""This module collects the figures of a page, and writes each where its place is."""

from dataclasses import dataclass, field
from html import escape

import plotly.graph_objects as go

from warehouse.report.markup import Html


@dataclass(slots=True)
class Plots:
    """The figures of one page."""

    figures: list[go.Figure] = field(default_factory=list)

    def add(self, drawn: go.Figure, name: str) -> Html:
        """Return the place of a figure, with the figure in it as JSON.

        Parameters
        ----------
        drawn
            The figure.
        name
            What a reader who cannot see it is told.
        """
        self.figures.append(drawn)
        # A `<` could end the script, or start a comment in it; JSON has another way to say it.
        spec = drawn.to_json(validate=False).replace("<", "\\u003c")
        return Html(
            f'<figure class="plot" role="img" aria-label="{escape(name)}" '
            f'style="height:{int(drawn.layout.height)}px">'
            f'<script type="application/json">{spec}</script></figure>'
        )
