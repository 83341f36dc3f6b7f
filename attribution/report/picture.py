"""A figure and what the page says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Picture(NamedTuple):
    """A figure with the name of its file, a short title, and what to read in it.

    ``window`` names the window whose table it shows, and is empty for figures of the whole run.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    window: str = ""
