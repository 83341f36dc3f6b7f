"""What leaves a verb by the wrong door: its sentence on standard error, and its exit code."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from traceback import walk_tb
from typing import Any

from typer.core import TyperGroup

from attribution.errors import AttributionError, SpecError
from attribution.screen import echo, one_line

INPUT, MACHINE, ARITHMETIC, FAULT = 2, 6, 7, 70
INTERRUPTED, NO_READER = 130, 141
"""Exit codes beside those of refusals; the last two are what a shell gives for the signals."""
_PACKAGE = Path(__file__).resolve().parents[1]
_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space, or name another folder"),
    **dict.fromkeys(
        (errno.EACCES, errno.EPERM, errno.EROFS), "name another place, or give yourself the right"
    ),
    errno.ENAMETOOLONG: "shorten it",
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "close some programs, or raise ulimit -n"),
}


class Verbs(TyperGroup):
    """The verbs; an interruption and a reader who has left are ours to tell."""

    def invoke(self, ctx: Any) -> Any:
        """Run a verb."""
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, BrokenPipeError) as error:
            raise leave(error) from None


def leave(error: BaseException) -> SystemExit:
    """Say what went wrong, in one line, and return the way out with its exit code."""
    if isinstance(error, BrokenPipeError):
        _silence()
        return SystemExit(NO_READER)
    said, code = told(error)
    for one in getattr(error, "faults", ()) or (said,):  # each fault of a file on a line of its own
        echo(f"attribution: {one_line(str(one))}", err=True)
    return SystemExit(code)


def told(error: BaseException) -> tuple[str, int]:
    """Return the sentence and the exit code of anything that was raised."""
    if isinstance(error, AttributionError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; what a folder held before is still there", INTERRUPTED
    if isinstance(error, UnicodeError):
        return f"a text is not UTF-8 ({error}); save the file again in UTF-8", INPUT
    if isinstance(error, OSError):
        return _of_system(error), MACHINE
    if isinstance(error, MemoryError):
        more = f" ({error})" if str(error) else ""
        return f"out of memory{more}; ask for fewer draws, horizons or days", MACHINE
    if isinstance(error, RecursionError):
        return f"nested too deeply{_where(error)}; flatten the file", MACHINE
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"LinAlgError", "ArithmeticError"}:  # NumPy is not loaded at the door
        return (
            f"arithmetic failed{_where(error)} ({error}); rescale the columns, drop one that hardly"
            " moves or repeats another, or use fewer lags",
            ARITHMETIC,
        )
    return (
        f"a fault of this program{_where(error)} ({type(error).__name__}: {error}); please report"
        " this line with the command and its files",
        FAULT,
    )


def flushed() -> None:
    """Write what is still held back, while a failure can still be told."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def refuse_words(words: list[str]) -> None:
    """Refuse words that would steer the terminal on which they are repeated.

    Raises
    ------
    SpecError
        With the word, control characters written out.
    """
    for word in words:
        if one_line(word) != word:
            raise SpecError(f"'{one_line(word)}' holds a control character; type it without")


def _of_system(error: OSError) -> str:
    names = " -> ".join(f"'{name}'" for name in (error.filename, error.filename2) if name)
    place = names or f"a file{_where(error)}"
    why = error.strerror or str(error) or type(error).__name__
    remedy = _REMEDIES.get(error.errno or 0, "check the path")
    return f"{place}: {why}; {remedy}"


def _where(error: BaseException) -> str:
    """Name the innermost line of this package that was running."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(error.__traceback__)]
    ours = [(Path(name), line) for name, line in frames if Path(name).is_relative_to(_PACKAGE)]
    if not ours:
        return ""
    path, line = ours[-1]
    return f" at {path.relative_to(_PACKAGE.parent)}:{line}"


def _silence() -> None:
    """Give standard output nowhere to go, so that nothing is left to fail when Python ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return
