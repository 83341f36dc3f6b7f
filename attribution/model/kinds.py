"""The table of kinds: one row says what the program knows of a kind, and where its code is.

A row names code as ``module:name``; it is loaded when a file, a fit or a figure asks for it, so
that reading a question loads no estimator.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from attribution.limits import SAMPLERS

SEARCHES = ("accept", "gibbs", "slice")
"""How rotations that obey a table are found: by joint acceptance; by moves inside, where all claims
bound responses on impact; by slices inside any other set."""

HEADLINE = ("prior", "structural", "exposures", "auxiliary")
PARTS = (*HEADLINE, "unnamed", "expectations", "errors", "dummies", "scheme")
"""Parts of a VAR's file that not every kind reads; dummies are those of ``[prior]``."""


@dataclass(frozen=True)
class Kind:
    """One kind of model.

    Attributes
    ----------
    estimate : the function that estimates it, as ``module:name``.
    draws : kept draws over all chains, if the user names none; zero where nothing is drawn.
    samplers : values of ``--sampler``, the default first.
    scaled : whether the event's days may have a scale of their own (``--event-in scale``).
    determined : whether a day's data determine its shocks, one a variable.
    accepting : whether draws are accepted or weighed by the claims of a table.
    elastic : whether a table's cells are elasticities, with shocks of a series' own beside them.
    question : the module with ``SECTIONS`` and ``question_of`` of a study's file; a VAR has none.
    pictures : the module whose ``pictures`` draws a study.
    lagged : whether a study reads the rows before a row.
    reads : of a VAR's file, the parts that not every kind reads, among ``PARTS``.
    table : whether a VAR's table of claims is ``needed``, ``refused`` or ``optional``.
    quiet : whether a VAR may be asked for responses alone, without an event.
    replicates : whether draws are replicates of a bootstrap, which no chain produced.
    """

    estimate: str
    draws: int = 0
    samplers: tuple[str, ...] = SAMPLERS
    scaled: bool = False
    determined: bool = False
    accepting: bool = False
    elastic: bool = False
    question: str = ""
    pictures: str = ""
    lagged: bool = False
    reads: tuple[str, ...] = ("prior",)
    table: str = "needed"
    quiet: bool = False
    replicates: bool = False


KINDS: dict[str, Kind] = {
    "bvar": Kind(
        "attribution.var.kinds.bvar:bvar",
        6000,
        scaled=True,
        elastic=True,
        reads=(*HEADLINE, "unnamed", "expectations"),
    ),
    "bvar_signs": Kind(
        "attribution.var.kinds.bvar_signs:bvar_signs",
        4000,
        determined=True,
        accepting=True,
        reads=("prior", "expectations"),
    ),
    "factor": Kind(
        "attribution.var.kinds.factor:factor", 14000, scaled=True, elastic=True, reads=HEADLINE
    ),
    "svar": Kind(
        "attribution.var.kinds.svar:svar",
        4000,
        SEARCHES,
        scaled=True,
        determined=True,
        accepting=True,
        reads=("prior", "errors", "dummies", "scheme"),
        table="optional",
        quiet=True,
    ),
    "var": Kind(
        "attribution.var.kinds.var:var",
        4000,
        determined=True,
        reads=(),
        table="refused",
        quiet=True,
        replicates=True,
    ),
    "barrier": Kind(
        "attribution.studies.notes.answer:barrier_study",
        4000,
        question="attribution.studies.notes.question",
        pictures="attribution.studies.notes.pictures",
    ),
    "counterfactual": Kind(
        "attribution.studies.counterfactual.answer:counterfactual_study",
        4000,
        question="attribution.studies.counterfactual.question",
        pictures="attribution.studies.counterfactual.pictures",
        lagged=True,
    ),
    "event": Kind(
        "attribution.studies.event.answer:event_study",
        4000,
        question="attribution.studies.event.question",
        pictures="attribution.studies.event.pictures",
    ),
    "fama_macbeth": Kind(
        "attribution.studies.slopes.answer:fama_macbeth_study",
        question="attribution.studies.slopes.question",
        pictures="attribution.studies.slopes.pictures",
    ),
    "flows": Kind(
        "attribution.studies.flows.answer:flows_study",
        4000,
        question="attribution.studies.flows.question",
        pictures="attribution.studies.flows.pictures",
    ),
    "iv": Kind(
        "attribution.studies.instruments.answer:instrumental_study",
        question="attribution.studies.instruments.question",
        pictures="attribution.studies.instruments.pictures",
    ),
    "panel": Kind(
        "attribution.studies.panel.answer:panel_study",
        question="attribution.studies.panel.question",
        pictures="attribution.studies.panel.pictures",
    ),
    "projection": Kind(
        "attribution.studies.projection.answer:projection_study",
        4000,
        question="attribution.studies.projection.question",
        pictures="attribution.studies.projection.pictures",
        lagged=True,
    ),
}
VARS = tuple(name for name, kind in KINDS.items() if not kind.question)
"""Kinds that are a VAR, with shocks and a decomposition."""
STUDIES = tuple(name for name, kind in KINDS.items() if kind.question)
"""Kinds that are no VAR, with a question of their own."""
QUIET = tuple(name for name, kind in KINDS.items() if kind.quiet)
"""Kinds that may be asked for responses alone, without an event."""


def named(flag: str) -> tuple[str, ...]:
    """Names of the kinds for which a flag of the table is true."""
    return tuple(name for name, kind in KINDS.items() if getattr(kind, flag))


def loaded(where: str) -> Any:
    """Import what a row of the table names, as ``module`` or ``module:name``."""
    module, _, name = where.partition(":")
    found = import_module(module)
    return getattr(found, name) if name else found
