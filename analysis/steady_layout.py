"""Constrained layout whose last bits do not hang on where Python's objects lie in memory."""

from typing import Any

from matplotlib.layout_engine import ConstrainedLayoutEngine

DECIMALS = 9  # of the figure's width or height; a pixel is about 1e-3


class SteadyLayout(ConstrainedLayoutEngine):
    """Matplotlib's constrained layout, rounded, so that the same figure gives the same bytes in every process.

    Its solver (kiwisolver) orders what it adds by address, and the axes' places differ in the last bits between
    processes. No pixel shows that, but an SVG names its clip paths after a hash of these very numbers.
    """

    def execute(self, fig: Any) -> Any:
        """Lays the figure out and rounds the place of its axes."""
        grids = super().execute(fig)
        for axes in fig.axes:
            if axes.get_in_layout():
                place = [round(length, DECIMALS) for length in axes.get_position(original=True).bounds]
                axes.set_position(place, which="original")
                axes.set_in_layout(True)  # set_position takes axes out of the layout
        return grids
