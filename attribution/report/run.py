"""A run as a session holds it: its headline, tables, draws, findings and pictures at hand."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cached_property, partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attribution.errors import DiagnosticsError, SpecError, nearest
from attribution.finding import Finding
from attribution.runs import run as record

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from attribution.report.style import Picture


class Run(record.Run):
    """A fitted model, with what one asks of it.

    Attributes
    ----------
    tree : every draw, by group; see the page on reading results.
    manifest : what made it: digests, versions, seed, settings, checks, findings.
    """

    def __repr__(self) -> str:
        said = f"unconverged: {self.unconverged}" if self.unconverged else self.headline
        model, title = (str(self.tree.attrs[key]) for key in ("model", "title"))
        return f"<Run of {model}: {title.removeprefix(f'{model}: ')}>\n{said}"

    def _repr_html_(self) -> str:
        """Show the headline, the waterfall and the table in a notebook; no script."""
        title = f"<strong>{escape(str(self.tree.attrs['title']))}</strong>"
        if self.unconverged:
            return f"<div>{title}<p>unconverged: {escape(self.unconverged)}</p></div>"
        shown = f"<p>{escape(self.headline)}</p>"
        if "waterfall" in dir(self.plot):
            shown += _image(self.plot.picture("waterfall"))
        return f"<div>{title}{shown}{_grid(self)}</div>"

    @cached_property
    def headline(self) -> str:
        """The answer in a sentence or two, with its numbers and units."""
        from attribution.report.results import opening

        return opening(self, self.tables)

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Every table by its name, as the report and ``tables/*.csv`` hold them.

        Raises
        ------
        DiagnosticsError
            If the draws failed their diagnostics, so that there is nothing to quote.
        """
        if self.unconverged:
            raise DiagnosticsError(
                f"run of '{self.tree.attrs['model']}': it is unconverged ({self.unconverged}) and"
                " has no tables; fit again with more draws, or look at run.tree"
            )
        from attribution.report.run_tables import tables

        return tables(self)

    def summary(self, window: str | None = None) -> pd.DataFrame:
        """Return the table of a window; of a study its answers, without an event the responses.

        Parameters
        ----------
        window : its name; the first if None.

        Returns
        -------
        One row a channel, then ``unattributed``, ``baseline`` and ``observed``, in the unit of the
        outcome; see :func:`attribution.window_table`.

        Raises
        ------
        SpecError
            If the run has no such window.
        DiagnosticsError
            If the draws failed their diagnostics.
        """
        found = self.tables
        return found[self._window(window) or next(iter(found))].copy()

    def draws(self, window: str | None = None) -> pd.DataFrame:
        """Return draws of the contributions to a window, one column a channel, with the baseline.

        Of a study, and of a run without an event, every column is a parameter or an element of one.
        Draws weigh the same, and each row of contributions adds up to the observed move.

        Parameters
        ----------
        window : its name; the first if None.

        Returns
        -------
        Rows (chain, draw); unit of the outcome, of a parameter its own.

        Raises
        ------
        SpecError
            If the run has no such window, or its kind draws nothing.
        """
        import pandas as pd

        from attribution.runs.arviz_groups import parameter_columns

        chosen = self._window(window)
        if not chosen:
            return parameter_columns(self.tree)
        moves = self.tree["posterior"].to_dataset().sel(window=chosen)
        parts = moves["contribution"].transpose("chain", "draw", "channel")
        index = pd.MultiIndex.from_product(
            [parts["chain"].to_numpy(), parts["draw"].to_numpy()], names=["chain", "draw"]
        )
        names = [str(name) for name in parts["channel"].to_numpy()]
        table = pd.DataFrame(parts.to_numpy().reshape(-1, len(names)), index, names)
        return table.assign(
            baseline=moves["baseline"].transpose("chain", "draw").to_numpy().ravel()
        )

    @property
    def findings(self) -> pd.DataFrame:
        """Checks, one a row: name, question, evidence, verdict, probability and its error."""
        import pandas as pd

        names = [field.name for field in fields(Finding)]
        return pd.DataFrame(list(self.manifest.get("findings", ())), columns=names)

    @property
    def plot(self) -> Pictures:
        """The pictures that the run has: ``run.plot.waterfall()``; ``dir(run.plot)`` lists them."""
        return Pictures(self)

    def without(self, *mechanisms: str) -> pd.DataFrame:
        """Tabulate the move without some mechanisms, all off at once.

        Parameters
        ----------
        mechanisms : names, such as ``"liquidations", "notes"``.

        Raises
        ------
        DataError
            If the run holds no coalitions of mechanisms; runs of kind ``event`` do.
        SpecError
            If a mechanism is unknown, or none is named.
        """
        from attribution.report.switched import table
        from attribution.runs.switch_off import switched_off

        return table(switched_off(self, mechanisms))

    def save(self, folder: str | Path) -> Path:
        """Write draws, manifest and numbers into a folder, whole or not at all; return it.

        An unconverged run goes beside one that converged, not over it.
        """
        from attribution.report import deliver

        place = _folder(folder)
        if self.unconverged:
            return deliver.write_unconverged(self, place)
        deliver.write_run(self, self.tables, place, report=False)
        return place

    def report(self, folder: str | Path) -> Path:
        """Write tables, figures and the page into a folder; return the path of the page."""
        from attribution.report import deliver

        place = _folder(folder)
        deliver.draw_report(self, self.tables, place)
        return place / "report.html"

    def to_arviz(self) -> Any:
        """Return the draws as ArviZ holds them: an ``InferenceData`` or, from 1.0 on, a tree.

        ``posterior`` has the contributions or, without an event, the system; ``prior``,
        ``log_prior``, ``log_likelihood`` (by date), ``posterior_predictive``, ``observed_data`` and
        ``sample_stats`` are there where the kind of model has them.
        """
        from attribution.runs.arviz_groups import arviz_groups
        from attribution.sampling.engine import inference_data

        return inference_data(arviz_groups(self.tree, self.manifest))

    @property
    def _windows(self) -> list[str]:
        from attribution.report.draws import windows
        from attribution.runs import is_study

        return [] if is_study(self.tree) else windows(self.tree)

    def _window(self, asked: str | None) -> str:
        """Return the name of a window, empty where the run has none."""
        known = self._windows
        if asked is None:
            return known[0] if known else ""
        if asked not in known:
            why = nearest(asked, known) if known else ", nor any other; leave it out"
            raise SpecError(f"run of '{self.tree.attrs['model']}': no window '{asked}'{why}")
        return asked


class Pictures:
    """The pictures of a run, each a function that returns a figure of matplotlib."""

    if TYPE_CHECKING:

        def waterfall(self, window: str | None = None) -> Figure: ...  # noqa: D102

    def __init__(self, run: Run) -> None:
        self._run = run

    def __dir__(self) -> list[str]:
        return self._names

    def __getattr__(self, name: str) -> Callable[..., Figure]:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self._names:
            model = self._run.tree.attrs["model"]
            raise Missing(f"run of '{model}': no picture '{name}'{nearest(name, self._names)}")
        return partial(self._draw, name)

    @cached_property
    def _names(self) -> list[str]:
        from attribution.report.figures import offered
        from attribution.runs import is_study

        if self._run.unconverged:
            return []
        return list(self._studied) if is_study(self._run.tree) else offered(self._run.tree)

    @cached_property
    def _studied(self) -> Mapping[str, Picture]:
        """A study's pictures, whose names are known when they are drawn."""
        from attribution.report.figures import study_pictures

        tree = self._run.tree
        kind = f"{tree.attrs['study']}_"
        return {p.name.removeprefix(kind): p for p in study_pictures(tree, self._run.tables)}

    def picture(self, name: str, window: str | None = None) -> Picture:
        """Draw a picture, with its title and what to read in it."""
        from attribution.report.figures import OF_WINDOWS, picture
        from attribution.runs import is_study

        run = self._run
        if window is not None and (is_study(run.tree) or name not in OF_WINDOWS):
            raise SpecError(f"run.plot.{name}: it is of no one window; leave window out")
        if is_study(run.tree):
            return self._studied[name]
        return picture(run.tree, run.tables, name, run._window(window))

    def _draw(self, name: str, window: str | None = None) -> Figure:
        from attribution.report.style import png_bytes

        drawn = self.picture(name, window)
        # a notebook shows a figure of no global state only if it knows how to draw itself
        figure: Any = drawn.figure
        figure._repr_png_ = partial(png_bytes, drawn.figure, title=drawn.title)
        return drawn.figure


class Missing(SpecError, AttributeError):
    """A picture that a run does not have; ``hasattr`` is false."""


def load_run(folder: Path | str, *, unconverged: bool = False) -> Run:
    """Read a saved run, and hold it against its record before a number is believed.

    Every file that is on record and there must have the bytes that were written; the contributions
    of every draw, with its baseline, must again add up to the move.

    Parameters
    ----------
    unconverged : whether draws that failed their diagnostics may be looked at.

    Raises
    ------
    DataError
        If the folder holds no run, a part of it cannot be read, was changed, or is of a newer
        version, or its parts do not add up.
    DiagnosticsError
        If its draws failed their diagnostics, and ``unconverged`` is not set.
    """
    found = record.load_run(folder, unconverged=unconverged)
    return Run(found.tree, found.manifest)


def _folder(given: str | Path) -> Path:
    from attribution.folder.plain import refuse_file

    place = Path(given)
    refuse_file(place)
    return place


def _image(picture: Picture) -> str:
    from attribution.report.style import png_bytes

    data = b64encode(png_bytes(picture.figure, title=picture.title)).decode()
    width = round(picture.figure.get_figwidth() * 96)
    return f'<img alt="{escape(picture.title)}" width="{width}" src="data:image/png;base64,{data}">'


def _grid(run: Run) -> str:
    """Set the first table as the page does, without styles of its own."""
    from attribution.report.page import grid_of

    grid = grid_of(run.tree, run.tables)
    heads = "".join(f"<th>{escape(heading)}</th>" for heading, _ in grid.headings)
    rows = "".join(
        f"<tr><th>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for name, cells in grid.rows
    )
    caption = f"<caption>{escape(grid.caption)}</caption>"
    return f"<table>{caption}<thead><tr><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
