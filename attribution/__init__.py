"""Attribute a market event: which mechanism moved the price, by how much, and how surely."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attribution.decompose import (
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
    from attribution.fit import Settings, fit
    from attribution.model import model_from, read_model
    from attribution.model.spec import ModelSpec
    from attribution.panel import Panel, panel_of, read_frame, read_panel
    from attribution.runs import structural_of
    from attribution.runs.run import load_run

__all__ = [
    "AttributionError",
    "DataError",
    "DiagnosticsError",
    "EventError",
    "IdentificationError",
    "ModelSpec",
    "Panel",
    "Settings",
    "SpecError",
    "__version__",
    "decompose",
    "fit",
    "historical_decomposition",
    "load_run",
    "long_run_shares",
    "model_from",
    "panel_of",
    "read_frame",
    "read_model",
    "read_panel",
    "structural_of",
    "variance_shares",
]

__version__ = "0.1.0"
_ERRORS = [name for name in __all__ if name.endswith("Error")]
_HOMES = {
    **dict.fromkeys(_ERRORS, "errors"),
    **dict.fromkeys(("Settings", "fit"), "fit"),
    **dict.fromkeys(("model_from", "read_model"), "model"),
    **dict.fromkeys(("Panel", "panel_of", "read_frame", "read_panel"), "panel"),
    "ModelSpec": "model.spec",
    **dict.fromkeys(
        ("decompose", "historical_decomposition", "long_run_shares", "variance_shares"),
        "decompose",
    ),
    "load_run": "runs.run",
    "structural_of": "runs",
}
"""Where each public name lives; a room is entered when something in it is first asked for."""


class _Face(ModuleType):
    """The package; a function wins over the module of its name, whichever is loaded first."""

    def __setattr__(self, name: str, value: Any) -> None:
        loaded = isinstance(value, ModuleType) and _HOMES.get(name) == name
        super().__setattr__(name, getattr(value, name) if loaded else value)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'attribution' has no attribute '{name}'")
    value = getattr(import_module(f"attribution.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]


sys.modules[__name__].__class__ = _Face
