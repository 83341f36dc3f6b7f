"""Model files: a name, a path or a text in, a `ModelSpec` out, or one located sentence."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from attribution.content import content
from attribution.errors import SpecError, nearest
from attribution.limits import shown
from attribution.model.accept import check_model
from attribution.model.cell import said
from attribution.model.faults import each, gather, part
from attribution.model.grammar import Table, parse_toml, read_toml, refuse_document
from attribution.model.kinds import KINDS, QUIET, STUDIES, VARS
from attribution.model.names import refuse_name
from attribution.model.restriction import Identification
from attribution.model.scheme import ROTATION_INVARIANT, SCHEMES, Errors, Instrument, Scheme
from attribution.model.sections import (
    errors_of,
    event_of,
    expectation_of,
    exposure_of,
    minnesota_of,
    sample_of,
    structural_of,
    system_of,
)
from attribution.model.signs import signs_of
from attribution.model.spec import Event, Minnesota, ModelSpec, Sample, StructuralPrior, System
from attribution.model.study import StudySpec, parse_study
from attribution.model.table import (
    MORE_KEYS,
    TABLE_KEYS,
    extended,
    parse_table,
    read_table,
    refuse_reserved,
)

# The section [identification] in; the scheme, and the table of claims if there is one, out.

SCHEME_KEYS = ("scheme", "order", "shocks", "breaks", "instruments", "signs")
DEFAULTS = ("reason", "source")
"""Keys that stand for those of single claims; alone they make no table."""
UNORDERED = ("heteroskedasticity", "non_gaussian")
"""Schemes that need no name for a shock: the data tell the shocks apart, not what they are."""


def identification_of(
    section: Table,
    name: str,
    path: Path | None,
    *,
    variables: tuple[str, ...],
    law: str,
) -> tuple[Scheme, Identification | None]:
    """Type the section; it may hold its table, name a table in a file of its own, or need none.

    Parameters
    ----------
    law : of the errors; one a shock tells shocks apart, and then they need no table.
    """
    named = "table" in section.values
    keys = ("table", *SCHEME_KEYS, *(MORE_KEYS if named else TABLE_KEYS))
    part("keys of identification", lambda: section.known(keys), section)
    table = None
    if named:
        beside = None if path is None else path.parent
        table = extended(read_table(section.text("table"), beside), section)
    elif any(key in TABLE_KEYS and key not in DEFAULTS for key in section.values):
        table = parse_table(section.only(TABLE_KEYS), name, path)
    return _scheme(section, variables, law, table), table


def _scheme(
    section: Table, variables: tuple[str, ...], law: str, table: Identification | None
) -> Scheme:
    name = section.choice("scheme", SCHEMES, SCHEMES[0])
    instruments = each(section.many("instruments"), lambda row: _instrument(row, section))
    shocks = section.texts("shocks", ())
    refuse_reserved(shocks, f"{section.place}: shocks:")
    if table is None and not shocks:
        if name == "proxy":
            shocks = tuple(dict.fromkeys(instrument.channel for instrument in instruments))
            refuse_reserved(shocks, f"{section.place}: [[instruments]] channel")
        if name in UNORDERED or (name == SCHEMES[0] and law not in ROTATION_INVARIANT):
            shocks = tuple(f"shock_{number}" for number, _ in enumerate(variables, start=1))
    return Scheme(
        name=name,
        order=section.texts("order", ()),
        shocks=shocks,
        instruments=instruments,
        breaks=section.dates("breaks"),
        signs=signs_of(section.sub("signs")),
    )


def _instrument(table: Table, whole: Table) -> Instrument:
    table.known(("channel", "column", "reason", "start"))
    return Instrument(
        table.text("channel"),
        table.text("column"),
        said(table, "reason", whole),
        table.day("start") if "start" in table.values else None,
    )


TOP = (
    "schema",
    "kind",
    "title",
    "references",
    "sample",
    "event",
    "system",
    "errors",
    "prior",
    "structural",
    "identification",
    "exposures",
    "expectations",
)


def model_names() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(sorted(path.stem for path in content("models").glob("*.toml")))


def find_model(name: str | Path) -> Path:
    """Path of a shipped model or of the user's file."""
    if not isinstance(name, str | Path):
        raise SpecError(
            f"model {shown(name)}: neither a name nor a path; name a shipped model or a file ending"
            " in .toml"
        )
    path = Path(name)
    if path.suffix == ".toml" or isinstance(name, Path):
        if not os.path.exists(path):
            raise SpecError(f"model '{name}': no such file; check the path")
        return path
    if name not in model_names():
        raise SpecError(
            f"model '{name}': unknown{nearest(name, model_names())}; name a shipped model"
            " (attribution models) or a file ending in .toml"
        )
    return content("models") / f"{name}.toml"


def read_model(name: str | Path) -> ModelSpec | StudySpec:
    """Read a shipped model by its name, or a model file by its path.

    Raises
    ------
    SpecError
        With the file, the key and the remedy, if the file cannot be accepted.
    IdentificationError
        If its claims contradict each other, or leave two channels exchangeable.
    """
    path = find_model(name)
    return parse_model(Table(path.name, read_toml(path)), path.stem, path)


def read_var(name: str) -> ModelSpec:
    """Read a model that is a VAR.

    Raises
    ------
    SpecError
        As `read_model` does, and if it is of another kind.
    """
    spec = read_model(name)
    if isinstance(spec, StudySpec):
        raise SpecError(
            f"model '{spec.name}': kind '{spec.kind}' has no shocks to identify; name a model of"
            f" kind {', '.join(VARS)}"
        )
    return spec


def model_from(source: Mapping[str, Any] | str, name: str = "model") -> ModelSpec | StudySpec:
    """Read a model from the text of a model file, or from a mapping with the same keys.

    Parameters
    ----------
    source : TOML, or what TOML parses to.
    name : stands where a file's name would.

    Raises
    ------
    SpecError, IdentificationError
        As for a file; a table in a file of its own is sought from the working directory.
    """
    refuse_name(name, "model: the name")
    if isinstance(source, str):
        source = parse_toml(source.removeprefix("\ufeff"), name)
    elif isinstance(source, Mapping):
        refuse_document(source, name)
    else:
        raise SpecError(
            f"{name}: {shown(source)} is no model; give the text of a model file, or a mapping with"
            " its keys (a file is read by read_model)"
        )
    return parse_model(Table(name, source), name, None)


def parse_model(table: Table, name: str, path: Path | None) -> ModelSpec | StudySpec:
    """Type a model file and check that its parts fit together.

    Raises
    ------
    SpecError, IdentificationError
        With every fault that was found, a sentence a line; a check is made where all that it needs
        could be read.
    """
    if table.integer("schema", at_least=1) != 1:
        raise SpecError(
            f"{table.place}: schema {table.values['schema']} is unknown; use schema = 1"
        )
    kind = table.choice("kind", tuple(KINDS))
    parse = parse_study if kind in STUDIES else _var
    spec: ModelSpec | StudySpec = gather(lambda: parse(table, kind, name, path))
    refuse_names(spec)
    return spec


def refuse_names(spec: ModelSpec | StudySpec) -> None:
    """Refuse names that paths, pages and screens cannot bear, of the model and what it names."""
    refuse_name(spec.name, "model: the name")
    if isinstance(spec, StudySpec):
        named = {"column": spec.question.columns}
    else:
        windows = tuple(window.name for window in spec.event.windows)
        named = {"column": spec.columns, "channel": spec.channels, "window": windows}
    for what, names in named.items():
        for name in names:
            refuse_name(name, f"{spec.name}: {what}")


def _var(table: Table, kind: str, name: str, path: Path | None) -> ModelSpec:
    table.known(TOP)
    system = part("system", lambda: system_of(table.sub("system", required=True)), System((), 1))
    event = part(
        "event",
        lambda: event_of(table.sub("event", required=kind not in QUIET), kind),
        Event("", "", ()),
    )
    errors = part("errors", lambda: errors_of(table.sub("errors")), Errors())
    unread: tuple[Scheme, Identification | None] = (Scheme(), None)
    scheme, claims = part(
        "identification",
        lambda: identification_of(
            table.sub("identification"),
            name,
            path,
            variables=system.variables,
            law=errors.law,
        ),
        unread,
    )
    # who names an outcome once need not name it again
    outcome = event.outcome or (claims.outcome if claims else "") or (*system.variables, "")[0]
    if claims is not None and not claims.outcome:
        claims = replace(claims, outcome=outcome)
    spec = ModelSpec(
        name=name,
        kind=kind,
        title=part("title", lambda: table.text("title"), ""),
        references=part("title", lambda: table.texts("references", ()), ()),
        sample=part(
            "sample",
            lambda: sample_of(table.sub("sample", required=True)),
            Sample("", date.min, date.max),
        ),
        event=replace(event, outcome=outcome),
        system=system,
        path=path,
        prior=part("prior", lambda: minnesota_of(table.sub("prior")), Minnesota()),
        structural=part(
            "structural", lambda: structural_of(table.sub("structural")), StructuralPrior()
        ),
        identification=claims,
        scheme=scheme,
        errors=errors,
        exposures=part("exposures", lambda: each(table.many("exposures"), exposure_of), ()),
        expectations=part(
            "expectations", lambda: each(table.many("expectations"), expectation_of), ()
        ),
    )
    refuse_reserved(spec.channels, f"{name}: shock")
    check_model(spec)
    return spec
