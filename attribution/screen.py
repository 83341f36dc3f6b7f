"""The one place where text reaches a terminal: what would steer it is written out instead."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)
"""Control characters but tab and line feed, and marks that turn the direction of writing."""


def visible(text: str) -> str:
    r"""Write control characters out, such as ``\x1b``: a terminal obeys none of them."""
    return _STEERING.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    r"""Write line feeds and tabs out too."""
    return visible(text).replace("\n", r"\n").replace("\t", r"\t")


def echo(text: str, *, err: bool = False) -> None:
    """Print a text and end the line."""
    typer.echo(visible(text), err=err)


def console_of() -> Console:
    """Return a screen that colours nothing by itself and shows control characters in words."""
    from rich.console import Console

    console = Console(highlight=False)
    console.push_render_hook(_hook())
    return console


def _hook() -> Any:
    from rich.console import ConsoleOptions, RenderHook
    from rich.segment import Segment

    class Written:
        """Something that rich prints, its own styles kept and the control of others written out."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
            for segment in console.render(self.inner, options):
                yield segment if segment.control else segment._replace(text=visible(segment.text))

    class Hook(RenderHook):
        def process_renderables(self, renderables: list[Any]) -> list[Any]:
            return [Written(renderable) for renderable in renderables]

    return Hook()


def teller(console: Console, *, talk: bool) -> Callable[[str], None]:
    """Return what tells a user who waits of each stage, or nothing."""
    from rich.markup import escape

    def tell(text: str) -> None:
        if talk:
            console.print(f"[dim]{escape(text)} …[/dim]")

    return tell


def forgiving() -> None:
    r"""Let streams that cannot write a letter write it as ``\u2212``, and not fail."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
