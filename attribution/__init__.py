"""Attribute a market event: which mechanism moved the price, by how much, and how surely."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attribution import allocate, mechanics
    from attribution.decompose import (
        History,
        decompose,
        historical_decomposition,
        long_run_shares,
        variance_shares,
    )
    from attribution.errors import (
        AttributionError,
        DataError,
        DiagnosticsError,
        EventError,
        IdentificationError,
        SpecError,
    )
    from attribution.finding import Finding
    from attribution.fit import Settings, fit, with_event
    from attribution.fit.rival import fit_with_rival
    from attribution.mechanics.impact import linear as linear_impact
    from attribution.model import model_from, model_names, read_model
    from attribution.model.spec import ModelSpec, Window
    from attribution.model.study import StudySpec
    from attribution.panel import Panel, data_sets, panel_of, read_frame, read_panel
    from attribution.posterior import Decomposition, StructuralPosterior
    from attribution.report.run import Run, load_run
    from attribution.runs import structural_of, study_tables, window_table
    from attribution.runs.switch_off import switched_off
    from attribution.studies.event.steps import PathFlows, implied_shock, stepped

__all__ = [
    "AttributionError",
    "DataError",
    "Decomposition",
    "DiagnosticsError",
    "EventError",
    "Finding",
    "History",
    "IdentificationError",
    "ModelSpec",
    "Panel",
    "PathFlows",
    "Run",
    "Settings",
    "SpecError",
    "StructuralPosterior",
    "StudySpec",
    "Window",
    "__version__",
    "allocate",
    "data_sets",
    "decompose",
    "fit",
    "fit_with_rival",
    "historical_decomposition",
    "implied_shock",
    "linear_impact",
    "load_run",
    "long_run_shares",
    "mechanics",
    "model_from",
    "model_names",
    "panel_of",
    "read_frame",
    "read_model",
    "read_panel",
    "stepped",
    "structural_of",
    "study_tables",
    "switched_off",
    "variance_shares",
    "window_table",
    "with_event",
]

__version__ = "0.1.0"
_ERRORS = [name for name in __all__ if name.endswith("Error")]
_HOMES = {
    **dict.fromkeys(_ERRORS, "errors"),
    "Finding": "finding",
    **dict.fromkeys(("Settings", "fit", "with_event"), "fit"),
    "fit_with_rival": "fit.rival",
    **dict.fromkeys(("model_from", "model_names", "read_model"), "model"),
    **dict.fromkeys(("Panel", "data_sets", "panel_of", "read_frame", "read_panel"), "panel"),
    **dict.fromkeys(("ModelSpec", "Window"), "model.spec"),
    "StudySpec": "model.study",
    **dict.fromkeys(("Decomposition", "StructuralPosterior"), "posterior"),
    **dict.fromkeys(
        ("History", "decompose", "historical_decomposition", "long_run_shares", "variance_shares"),
        "decompose",
    ),
    **dict.fromkeys(("Run", "load_run"), "report.run"),
    **dict.fromkeys(("structural_of", "study_tables", "window_table"), "runs"),
    "switched_off": "runs.switch_off",
    "linear_impact": "mechanics.impact:linear",
    **dict.fromkeys(("PathFlows", "implied_shock", "stepped"), "studies.event.steps"),
}
"""Where each public name lives; a room is entered when something in it is first asked for."""
_ROOMS = ("allocate", "mechanics")
"""Rooms that are public as they are."""


class _Face(ModuleType):
    """The package; a function wins over the module of its name, whichever is loaded first."""

    def __setattr__(self, name: str, value: Any) -> None:
        loaded = isinstance(value, ModuleType) and _HOMES.get(name) == name
        super().__setattr__(name, getattr(value, name) if loaded else value)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"attribution.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'attribution' has no attribute '{name}'")
    module, _, own = _HOMES[name].partition(":")
    value = getattr(import_module(f"attribution.{module}"), own or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES, *_ROOMS]


sys.modules[__name__].__class__ = _Face
