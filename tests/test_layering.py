"""The picture of the house, read from the source: imports point down, packages have one home."""

import ast
import importlib
import re
import sys
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "attribution"
FLOORS = (
    ("errors", "finding", "limits", "screen", "content", "folder"),
    ("sampling",),
    ("core",),
    ("core.rotations",),
    ("core.laws", "core.instruments"),
    ("mechanics",),
    ("model",),
    ("panel",),
    ("posterior",),
    ("allocate", "decompose"),
    ("runs",),
    ("var", "var.reduced"),
    ("var.estimate", "var.identify"),
    ("var.check",),
    ("var.kinds",),
    ("report",),
    ("fit",),
    ("studies",),
    ("audit", "compare", "listing"),
    ("validate",),
    ("cli", ""),
    ("__main__",),
)
"""Rooms from the ground up; a module imports its own floor and those below."""
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
ESTIMATORS = ("studies", "var.estimate")
HOMES = {
    "pymc": ("sampling", *ESTIMATORS),
    "pytensor": ("sampling", *ESTIMATORS),
    "nutpie": ("sampling",),
    "statsmodels": ESTIMATORS,
    "linearmodels": ESTIMATORS,
}
HEAVY = {*HOMES, "arviz", "matplotlib", "numba", "xarray"}
TABULAR = {"pandas", "numpy", "scipy"}
LONGEST = 450
TALLEST = 60
"""Lines of a function's body; its head and docstring are what a reader is shown of it."""
KERNELS = {"studies.event.loop:_days"}
"""Compiled loops over days whose terms and derivatives share most of what they compute."""
WIDEST = 35
"""Files of one folder."""
SHORT = 40
"""Lines under which a module with one reader belongs into that reader."""
ROOT = PACKAGE.parent
EXAMPLES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SCRIPTS = sorted((ROOT / "examples").rglob("*.py"))
"""What a reader runs: code on pages, and scripts."""


def module_name(path):
    """Dotted name inside the package; the face of the package is the empty name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def room(module):
    """The room of a module: the longest part of its name that stands on a floor."""
    parts = module.split(".")
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((name for name in names if name in FLOOR), parts[0])


def imported(source, *, module="", lazy=True):
    """Every name a source imports; without ``lazy`` only what runs when it is imported."""
    found = set()
    for node in _nodes(ast.parse(source), lazy):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import; name the module in full"
            found |= {_target(node.module, alias.name) for alias in node.names}
    return found - {"attribution.__version__"}  # a constant, not the face


def _target(package, name):
    """What ``from package import name`` loads: a module of ours where there is one."""
    full = f"{package}.{name}"
    inside = full.removeprefix("attribution.")
    if package == "attribution" and (name in FLOOR or name == "__version__"):
        return full
    return full if full != inside and inside in SOURCES else package


def _nodes(tree, lazy):
    """Walk a tree; without ``lazy`` skip function bodies and blocks for the type checker."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        if not lazy:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                stack.extend(node.orelse)
                continue
        stack.extend(ast.iter_child_nodes(node))


@cache
def imports(module, lazy=True):
    return frozenset(
        imported(SOURCES[module].read_text(encoding="utf-8"), module=module, lazy=lazy)
    )


def inner(names):
    """Modules of this package among imported names; its face is the empty name."""
    for name in names:
        if name == "attribution" or name.startswith("attribution."):
            yield name.removeprefix("attribution").removeprefix(".")


def outer(names):
    return {name.split(".")[0] for name in names} - {"attribution", "__future__"}


def upward(module, names):
    here = FLOOR[room(module)]
    return sorted(other for other in inner(names) if FLOOR[room(other)] > here)


def reached(module):
    """Outer packages and inner modules that importing a module loads, all the way down."""
    seen, stack, packages = set(), [module], set()
    while stack:
        here = stack.pop()
        parents = {".".join(here.split(".")[:n]) for n in range(1, here.count(".") + 1)}
        for name in {here, *parents} - seen:
            seen.add(name)
            packages |= outer(imports(name, lazy=False))
            stack.extend(other for other in inner(imports(name, lazy=False)) if other in SOURCES)
    return packages, seen


@pytest.mark.parametrize("module", SOURCES)
def test_every_module_stands_on_a_floor_and_imports_point_down(module):
    assert room(module) in FLOOR, f"give '{room(module)}' a floor"
    assert upward(module, imports(module)) == []


@pytest.mark.parametrize("module", [m for m in SOURCES if room(m) == "core"])
def test_the_ground_floor_knows_arrays_and_nothing_else(module):
    allowed = {"numpy", "scipy", "numba", *sys.stdlib_module_names}
    assert outer(imports(module)) <= allowed
    assert {room(other) for other in inner(imports(module))} <= {"core", "errors"}


@pytest.mark.parametrize("module", SOURCES)
def test_each_heavy_package_has_one_home(module):
    strays = {p for p in outer(imports(module)) & set(HOMES) if room(module) not in HOMES[p]}
    assert strays == set()


@pytest.mark.parametrize("module", [m for m in SOURCES if room(m) == "report"] or [""])
def test_a_saved_run_is_rendered_without_the_estimators(module):
    packages, modules = reached(module)
    assert not packages & {"pymc", "pytensor", "statsmodels", "linearmodels"}
    if room(module) == "report":
        assert not outer(imports(module)) & set(HOMES)
        assert not {room(other) for other in modules} & {"studies", "fit", "var.estimate"}


@pytest.mark.parametrize("module", [m for m in SOURCES if room(m) in ("", "cli", "__main__")])
def test_the_door_opens_without_loading_the_house(module):
    packages, _ = reached(module)
    assert not packages & (HEAVY | TABULAR)


@pytest.mark.parametrize("module", [m for m in SOURCES if room(m) in ("model", "panel")])
def test_reading_a_question_or_its_evidence_loads_no_heavy_package(module):
    packages, _ = reached(module)
    assert not packages & HEAVY


@pytest.mark.parametrize("module", SOURCES)
def test_no_module_outgrows_its_subject(module):
    assert len(SOURCES[module].read_text(encoding="utf-8").splitlines()) <= LONGEST


def height(function):
    """Lines of a function's body, without its docstring."""
    said = ast.get_docstring(function, clean=False) is not None
    before = function.body[0].end_lineno if said else function.body[0].lineno - 1
    return function.end_lineno - before


@pytest.mark.parametrize("module", SOURCES)
def test_a_function_fits_a_screen(module):
    tree = ast.parse(SOURCES[module].read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
    tall = {f"{module}:{f.name}": height(f) for f in functions if height(f) > TALLEST}
    assert {name: lines for name, lines in tall.items() if name not in KERNELS} == {}


def test_no_folder_holds_more_than_one_can_read_through():
    files = Counter(path.parent for path in SOURCES.values())
    assert {str(folder): n for folder, n in files.items() if n > WIDEST} == {}


def test_no_fragment_stands_apart_from_its_only_reader():
    readers = defaultdict(set)
    for module in SOURCES:
        for other in set(inner(imports(module))) & set(SOURCES) - {module}:
            readers[other].add(module)
    short = {
        module
        for module, path in SOURCES.items()
        if path.name != "__init__.py" and len(path.read_text().splitlines()) < SHORT
    }
    assert sorted(module for module in short if len(readers[module]) == 1) == []


@cache
def named(module):
    """Modules that a module imports or names as text, as the table of kinds does."""
    source = SOURCES[module].read_text(encoding="utf-8")
    return set(inner(imports(module))) & set(SOURCES) | spelt(source)


def spelt(text):
    """Modules of ours whose dotted name stands in a text; the longest that is one."""
    found = set()
    for name in re.findall(r"\battribution\.([a-z_.]+)", text):
        parts = name.rstrip(".").split(".")
        heads = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
        found |= set([head for head in heads if head in SOURCES][:1])
    return found


def exemplified():
    """Modules that a documented example imports."""
    blocks = [
        block
        for page in EXAMPLES
        for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    ]
    texts = [*blocks, *(path.read_text(encoding="utf-8") for path in SCRIPTS)]
    return set().union(*(set(inner(imported(text))) & set(SOURCES) for text in texts))


def test_every_module_is_reached_from_a_verb_the_face_or_an_example():
    seen, stack = set(), ["cli", "__main__", "", *exemplified()]
    while stack:
        module = stack.pop()
        if module not in seen:
            seen.add(module)
            parts = module.split(".")
            stack += [".".join(parts[:n]) for n in range(1, len(parts))]
            stack += named(module)
    assert sorted(set(SOURCES) - seen) == []


def study(module):
    """The study that a module belongs to; nothing for a room that is none."""
    return ".".join(module.split(".")[:2]) if module.startswith("studies.") else ""


@pytest.mark.parametrize("module", [m for m in SOURCES if study(m)])
def test_no_study_imports_another(module):
    assert {study(other) for other in inner(imports(module))} <= {"", study(module)}


def test_every_public_name_exists():
    package = importlib.import_module("attribution")
    names = getattr(package, "__all__", ["__version__"])
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(package, name) is not None


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("core.propagate", "from attribution.posterior import Decomposition", ["posterior"]),
        ("core.propagate", "def f():\n    from attribution import decompose", ["decompose"]),
        ("decompose", "import attribution.core.propagate", []),
        ("decompose", "from attribution import __version__", []),
        ("decompose", "import attribution", [""]),
    ],
)
def test_an_import_that_points_upward_is_seen(module, source, expected):
    assert upward(module, imported(source, module=module)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import pymc as pm", {"pymc"}),
        ("def f():\n    import pymc", set()),
        ("if TYPE_CHECKING:\n    import pymc\nelse:\n    import arviz", {"arviz"}),
        ("try:\n    import pymc\nexcept ImportError:\n    pass", {"pymc"}),
    ],
)
def test_only_imports_that_run_at_import_time_count_as_loaded(source, expected):
    assert outer(imported(source, lazy=False)) == expected
