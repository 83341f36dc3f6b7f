"""Closed-form market mechanics: prices, Greeks and hedge flows; arrays in, arrays out."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Enter a room when it is first asked for: ``mechanics.gamma``."""
    if name not in __dir__():
        raise AttributeError(f"module 'attribution.mechanics' has no attribute '{name}'")
    return import_module(f"attribution.mechanics.{name}")


def __dir__() -> list[str]:
    return [module.name for module in iter_modules(__path__)]
