"""The plain sections of a model file: a TOML table of each in, its typed part out."""

from __future__ import annotations

from typing import Any

from attribution.errors import SpecError, nearest
from attribution.model.faults import each
from attribution.model.grammar import Table
from attribution.model.kinds import QUIET
from attribution.model.scheme import LAWS, Errors
from attribution.model.spec import (
    INFERRED,
    Event,
    Expectation,
    Exposure,
    Minnesota,
    Sample,
    StructuralPrior,
    System,
    Window,
)

SIGNS = {"+": 1, "-": -1}
TABLES = ("known only as a sum", "ledger", "responses", "transitory part", "variance shares")
"""Names that tables of a run bear beside those of its windows."""


def sample_of(table: Table) -> Sample:
    """Which panel, and its days; without a panel the data must be handed over."""
    table.known(("panel", "start", "end"))
    panel = table.text("panel") if "panel" in table.values else ""
    return Sample(panel, table.day("start"), table.day("end"))


def event_of(table: Table, kind: str) -> Event:
    """Read the event; its outcome is empty where an event that need not be is silent about it."""
    table.known(("name", "outcome", "hold_out", "windows"))
    whole = [row for row in table.many("windows") if row.flag("whole_sample", False)]
    if whole:
        return _whole(table, whole[0], kind)
    windows = each(table.many("windows"), _window)
    if not windows and kind not in QUIET:
        raise SpecError(f"{table.place}: no window; add [[event.windows]] with name, start and end")
    if len({window.name for window in windows}) != len(windows):
        raise SpecError(f"{table.place}: two windows share a name; rename one")
    if not windows:
        if "hold_out" in table.values:
            raise SpecError(
                f"{table.place}: hold_out without a window holds out days for no question; add"
                " [[event.windows]] or remove hold_out"
            )
        return Event(table.text("name", ""), table.text("outcome", ""), ())
    if "hold_out" in table.values:
        first, last = table.days("hold_out", 2)
    else:
        first, last = min(w.start for w in windows), max(w.end for w in windows)
    return Event(table.text("name"), table.text("outcome"), windows, (first, last))


def _whole(table: Table, row: Table, kind: str) -> Event:
    """Read an event that is the whole sample; it has no other window and holds nothing out."""
    row.known(("name", "whole_sample"))
    if kind not in QUIET:
        raise SpecError(
            f"{row.place}: whole_sample belongs to kind {' or '.join(QUIET)}, the model is of kind"
            f" '{kind}', which must hold its event out; give start and end"
        )
    if len(table.many("windows")) > 1 or "hold_out" in table.values:
        raise SpecError(
            f"{row.place}: whole_sample holds nothing out and stands alone; remove hold_out and the"
            " other windows"
        )
    return Event(table.text("name"), table.text("outcome"), (), whole=row.text("name"))


def _window(table: Table) -> Window:
    table.known(("name", "start", "end", "whole_sample"))
    window = Window(table.text("name"), table.day("start"), table.day("end"))
    if window.end < window.start:
        raise SpecError(f"{table.place}: it ends before it starts; swap the two dates")
    if window.name.casefold() in TABLES:
        raise SpecError(
            f"{table.place}: '{window.name}' is a table of every run; rename the window"
        )
    return window


def system_of(table: Table) -> System:
    """Read the variables, the lags and the horizons that are reported."""
    table.known(System.__dataclass_fields__)
    system = System(
        variables=table.texts("variables"),
        lags=table.integer("lags", at_least=1),
        constant=table.flag("constant", True),
        auxiliary=table.texts("auxiliary", ()),
        tests=table.texts("tests", ()),
        horizons=table.integer("horizons", System.horizons),
        levels=variables_in(table, "levels", table.texts("variables")),
        cumulated=variables_in(table, "cumulated", table.texts("variables")),
    )
    if not system.variables:
        raise SpecError(f"{table.place}: variables is empty; name the series of the model")
    for name in system.cumulated:
        if name in system.levels:
            raise SpecError(
                f"{table.place}: '{name}' is in levels and cumulated; a level has been summed"
                " already: drop one of the two"
            )
    return system


def variables_in(table: Table, key: str, variables: tuple[str, ...]) -> tuple[str, ...]:
    """Read a key that lists some of the variables."""
    found = table.texts(key, ())
    for name in found:
        if name not in variables:
            raise SpecError(
                f"{table.place}: {key} names '{name}', which is not among variables"
                f"{nearest(name, variables)}; correct it"
            )
    return found


def minnesota_of(table: Table) -> Minnesota:
    """Read the prior on lag coefficients."""
    default = Minnesota()
    known = default.__dataclass_fields__.items()
    table.known(name for name, entry in known if "key" not in entry.metadata)
    listed = isinstance(table.values.get("hierarchical"), list | tuple)
    return Minnesota(
        tightness=table.number("tightness", default.tightness, above=0),
        decay=table.number("decay", default.decay, above=-1e-12),
        own_lag=table.number("own_lag", default.own_lag),
        own_lags=tuple(table.numbers("own_lags").items()),
        intercept_scale=table.number("intercept_scale", default.intercept_scale, above=0),
        flat=table.flag("flat", default.flat),
        hierarchical=listed or table.flag("hierarchical", default.hierarchical),
        inferred=_inferred(table) if listed else (),
        sum_of_coefficients=_if_given(table, "sum_of_coefficients"),
        single_unit_root=_if_given(table, "single_unit_root"),
        residual_scales=tuple(table.numbers("residual_scales").items()),
    )


def _inferred(table: Table) -> tuple[str, ...]:
    """Names of the hyperparameters that are integrated over, where they are listed."""
    names = table.texts("hierarchical", among=INFERRED)
    for name in names:
        if name not in INFERRED:
            raise SpecError(
                f"{table.place}: hierarchical names '{name}', which is none of"
                f" {', '.join(INFERRED)}{nearest(name, INFERRED)}; correct it"
            )
    if not names:
        raise SpecError(f"{table.place}: hierarchical is an empty list; name one, or write false")
    return names


def _if_given(table: Table, key: str, *, above: float = 0.0) -> float | None:
    return table.number(key, above=above) if key in table.values else None


def errors_of(table: Table) -> Errors:
    """Read the law of the errors."""
    table.known(("law", "dof", "outliers"))
    return Errors(
        law=table.choice("law", LAWS, LAWS[0]),
        dof=_if_given(table, "dof", above=2.0),  # below two a variance does not exist
        outliers=table.dates("outliers"),
    )


def structural_of(table: Table) -> StructuralPrior:
    """Read the settings of the structural prior."""
    default = StructuralPrior()
    names = {"unnamed", "scale_columns"}
    numbers = [key for key in default.__dataclass_fields__ if key not in names]
    table.known((*numbers, *names))
    given: dict[str, Any] = {
        key: table.number(key, getattr(default, key), above=0) for key in numbers
    }
    return StructuralPrior(
        **given,
        unnamed=table.texts("unnamed", ()),
        scale_columns=table.texts("scale_columns", ()),
    )


def expectation_of(table: Table) -> Expectation:
    """Read what a channel should do to a test series."""
    table.known(("series", "channel", "sign", "reason"))
    sign = table.sign("sign", SIGNS)
    return Expectation(
        table.text("series"), table.text("channel"), SIGNS[sign], table.text("reason")
    )


def exposure_of(table: Table) -> Exposure:
    """Read which column marks the days of another variance."""
    table.known(("channel", "column", "reason"))
    return Exposure(table.text("channel"), table.text("column"), table.text("reason"))
