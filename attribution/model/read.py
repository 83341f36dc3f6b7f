"""Model files: a name or a path in, a `ModelSpec` out, or one located sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attribution.content import content
from attribution.errors import SpecError, nearest
from attribution.model.accept import check_model
from attribution.model.grammar import Table, read_toml
from attribution.model.spec import (
    Event,
    Expectation,
    Exposure,
    Identification,
    Minnesota,
    ModelSpec,
    Sample,
    StructuralPrior,
    System,
    Window,
)
from attribution.model.table import parse_table, read_table

KINDS = ("bvar", "bvar_signs", "var")
TOP = (
    "schema",
    "kind",
    "title",
    "references",
    "sample",
    "event",
    "system",
    "prior",
    "structural",
    "identification",
    "exposures",
    "expectations",
)


def model_names() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(sorted(path.stem for path in content("models").glob("*.toml")))


def find_model(name: str) -> Path:
    """Path of a shipped model or of the user's file."""
    path = Path(name)
    if path.suffix == ".toml":
        if not path.is_file():
            raise SpecError(f"model '{name}': no such file; check the path")
        return path
    if name not in model_names():
        raise SpecError(
            f"model '{name}': unknown{nearest(name, model_names())}; name a shipped model"
            " (attribution models) or a file ending in .toml"
        )
    return content("models") / f"{name}.toml"


def read_model(name: str) -> ModelSpec:
    """Read a shipped model by its name, or a model file by its path.

    Raises
    ------
    SpecError
        With the file, the key and the remedy, if the file cannot be accepted.
    """
    path = find_model(name)
    return parse_model(Table(path.name, read_toml(path)), path)


def parse_model(table: Table, path: Path) -> ModelSpec:
    """Type a model file and check that its parts fit together."""
    table.known(TOP)
    if table.integer("schema", at_least=1) != 1:
        raise SpecError(
            f"{table.place}: schema {table.values['schema']} is unknown; use schema = 1"
        )
    kind = table.text("kind")
    if kind not in KINDS:
        raise SpecError(
            f"{table.place}: kind '{kind}' is unknown{nearest(kind, KINDS)}; correct it"
        )
    spec = ModelSpec(
        name=path.stem,
        kind=kind,
        title=table.text("title"),
        references=table.texts("references", ()),
        sample=_sample(table.sub("sample", required=True)),
        event=_event(table.sub("event", required=True)),
        system=_system(table.sub("system", required=True)),
        path=path,
        prior=_minnesota(table.sub("prior")),
        structural=_structural(table.sub("structural")),
        identification=_identification(table, path),
        exposures=tuple(_exposure(row) for row in table.many("exposures")),
        expectations=tuple(_expectation(row) for row in table.many("expectations")),
    )
    check_model(spec)
    return spec


def _sample(table: Table) -> Sample:
    table.known(("panel", "start", "end"))
    return Sample(table.text("panel"), table.day("start"), table.day("end"))


def _event(table: Table) -> Event:
    table.known(("name", "outcome", "hold_out", "windows"))
    windows = tuple(_window(row) for row in table.many("windows"))
    if not windows:
        raise SpecError(f"{table.place}: no window; add [[event.windows]] with name, start and end")
    if len({window.name for window in windows}) != len(windows):
        raise SpecError(f"{table.place}: two windows share a name; rename one")
    if "hold_out" in table.values:
        first, last = table.days("hold_out", 2)
    else:
        first, last = min(w.start for w in windows), max(w.end for w in windows)
    return Event(table.text("name"), table.text("outcome"), windows, (first, last))


def _window(table: Table) -> Window:
    table.known(("name", "start", "end"))
    window = Window(table.text("name"), table.day("start"), table.day("end"))
    if window.end < window.start:
        raise SpecError(f"{table.place}: it ends before it starts; swap the two dates")
    if "/" in window.name:
        raise SpecError(f"{table.place}: name '{window.name}' holds a slash; rename it")
    return window


def _system(table: Table) -> System:
    table.known(("variables", "lags", "constant", "auxiliary", "tests"))
    return System(
        variables=table.texts("variables"),
        lags=table.integer("lags", at_least=1),
        constant=table.flag("constant", True),
        auxiliary=table.texts("auxiliary", ()),
        tests=table.texts("tests", ()),
    )


def _minnesota(table: Table) -> Minnesota:
    table.known(("tightness", "decay", "own_lag", "own_lags", "intercept_scale", "flat"))
    default = Minnesota()
    return Minnesota(
        tightness=table.number("tightness", default.tightness, above=0),
        decay=table.number("decay", default.decay, above=-1e-12),
        own_lag=table.number("own_lag", default.own_lag),
        own_lags=tuple(table.numbers("own_lags").items()),
        intercept_scale=table.number("intercept_scale", default.intercept_scale, above=0),
        flat=table.flag("flat", default.flat),
    )


def _structural(table: Table) -> StructuralPrior:
    default = StructuralPrior()
    names = {"unnamed", "scale_columns"}
    numbers = [key for key in default.__dataclass_fields__ if key not in names]
    table.known((*numbers, *names))
    given: dict[str, Any] = {
        key: table.number(key, above=0) for key in numbers if key in table.values
    }
    return StructuralPrior(
        **given,
        unnamed=table.texts("unnamed", ()),
        scale_columns=table.texts("scale_columns", ()),
    )


def _identification(table: Table, path: Path) -> Identification | None:
    if "identification" not in table.values:
        return None
    section = table.sub("identification")
    if "table" in section.values:
        return read_table(section.known(("table",)).text("table"), path.parent)
    return parse_table(section, path.stem, path)


def _expectation(table: Table) -> Expectation:
    table.known(("series", "channel", "sign", "reason"))
    sign = table.text("sign")
    if sign not in ("+", "-"):
        raise SpecError(f"{table.place}: sign = {sign!r} is not '+' or '-'; correct it")
    return Expectation(
        table.text("series"),
        table.text("channel"),
        1 if sign == "+" else -1,
        table.text("reason"),
    )


def _exposure(table: Table) -> Exposure:
    table.known(("channel", "column", "reason"))
    return Exposure(table.text("channel"), table.text("column"), table.text("reason"))
