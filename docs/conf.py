"""Sphinx configuration; the generated pages are written by ``pages.py`` when the build starts."""

from __future__ import annotations

import sys
from pathlib import Path
from types import GenericAlias

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

import formulas  # noqa: E402
import pages  # noqa: E402

project = "attribution"
author = "The attribution developers"
copyright = "The attribution developers"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build", "_generated", "paper", "results"]
suppress_warnings = ["config.cache"]

html_theme = "pydata_sphinx_theme"
html_title = "attribution"
html_static_path = ["_static"]
html_css_files = ["formulas.css"]
html_extra_path = ["_generated/files"]
html_math_renderer = "typeset"
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": False,
    "navbar_end": ["theme-switcher"],
    "navigation_with_keys": False,
}
html_sidebars = {"**": ["sidebar-nav-bs"]}

autosummary_generate = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
numpydoc_show_class_members = False
numpydoc_validation_checks: set[str] = set()
myst_heading_anchors = 2
myst_enable_extensions = ["colon_fence", "deflist"]

(DOCS / "_generated" / "files").mkdir(parents=True, exist_ok=True)


def write_pages(app: Sphinx) -> None:
    """Write the paper and the generated tables; a number that is missing stops the build."""
    try:
        pages.write_pages(DOCS / app.config.results_folder, DOCS / "_generated")
    except pages.PageError as error:
        sys.exit(f"docs: {error}")  # Sphinx would wrap an exception into a page of its own state


def skip_aliases(
    app: Sphinx, what: str, name: str, value: object, skip: bool, options: object
) -> bool | None:
    """Leave out names of types, such as a tuple of floats: autodoc takes them for classes."""
    return True if isinstance(value, GenericAlias) else None


def setup(app: Sphinx) -> None:
    """Register the formulas and the generated pages."""
    app.add_config_value("results_folder", "results", "env", str)
    formulas.register(app)
    app.connect("builder-inited", write_pages)
    app.connect("autodoc-skip-member", skip_aliases)
