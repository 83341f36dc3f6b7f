"""The one place where text reaches a terminal: what would steer it is written out instead.

Of what libraries would say there, nothing is let through; who waits sees one live line.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from time import monotonic
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


class Line:
    """One live line on standard error; nothing where that is no terminal, and nothing left behind.

    It holds the stage, how many chains have ended, the share of iterations made, divergent
    transitions among kept draws, and the time that is left at the pace so far; where a sampler
    says nothing of its pace, the time since the stage began.
    """

    def __init__(self, *, talk: bool = True) -> None:
        self._stage, self._pace = "", ""
        self._began, self._reported = monotonic(), 0.0
        self._first, self._last, self._since = 0, 0, 0.0
        self._live: Any = None
        if talk and (sys.stderr is not None and sys.stderr.isatty()):
            from rich.console import Console
            from rich.live import Live

            console = Console(stderr=True, highlight=False)
            self._live = Live(self, console=console, transient=True, redirect_stdout=False)

    def __enter__(self) -> Line:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __rich__(self) -> Any:
        from rich.text import Text

        return Text(self.text(), style="dim", no_wrap=True, overflow="ellipsis")

    def text(self) -> str:
        """Return the line as it stands now."""
        waited = self._pace or clock(monotonic() - self._began)
        return f"{self._stage} · {waited}" if self._stage else ""

    def stage(self, text: str) -> None:
        """Begin a stage."""
        self._stage, self._pace, self._began = one_line(text), "", monotonic()

    def step(self, done: int, total: int, *, chains: str, divergences: int | None = None) -> None:
        """Say how far a sampler is.

        Parameters
        ----------
        done, total : iterations over all chains.
        chains : how many have ended, in words.
        divergences : among kept draws; None where the sampler has none.
        """
        now = monotonic()
        if not self._pace or done < self._last:  # another sampler begins
            self._first, self._since = done, now
        elif now - self._reported < 0.1 and done < total:  # a step may take microseconds
            return
        self._last, self._reported = done, now
        left = (now - self._since) * (total - done) / max(done - self._first, 1)
        bad = "" if divergences is None else f" · {divergences} divergences"
        self._pace = f"{chains} · {100 * done // max(total, 1)} %{bad} · {clock(left)} left"


_LINE: ContextVar[Line | None] = ContextVar("line", default=None)


@contextlib.contextmanager
def live(*, talk: bool = True) -> Iterator[Line]:
    """Give the live line that is open, or open one."""
    here = _LINE.get()
    if here is not None:
        yield here
        return
    line = Line(talk=talk)
    token = _LINE.set(line)
    try:
        with line:
            yield line
    finally:
        _LINE.reset(token)


def told(done: int, total: int, what: str) -> None:
    """Say on the live line, if one is open, how many of what a sampler makes are made."""
    line = _LINE.get()
    if line is not None:
        line.step(min(done, total), total, chains=what)


def clock(seconds: float) -> str:
    """Write a span of time as minutes and seconds, or hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Let no warning and no log of a library through, but warnings of ours; Python's -W decides."""
    import logging
    import warnings

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
                warnings.filterwarnings("always", "run '", UserWarning)  # of a run that is old
            yield
    finally:
        logging.disable(before)


def forgiving() -> None:
    r"""Let streams that cannot write a letter write it as ``\u2212``, and not fail."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
