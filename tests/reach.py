"""Which modules of the package a file reaches by its imports, in functions too."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "attribution"


@cache
def sources() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(path: Path) -> frozenset[str]:
    """Modules of the package that a file names; ``from package import name`` may be one."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found & set(sources()))


def reached(files: Iterable[Path]) -> list[Path]:
    """Files of the package that these ones run, all the way down, with their packages."""
    seen: set[str] = set()
    stack = [name for path in files for name in imports(path)]
    while stack:
        name = stack.pop()
        if name in seen:
            continue
        seen.add(name)
        stack.extend(imports(sources()[name]))
        if name.count(".") > 1:  # its package; the face names everything and makes no number
            stack.append(name.rpartition(".")[0])
    return [sources()[name] for name in sorted(seen)]


@cache
def digest(test: Path) -> str:
    """SHA-256 of a test file, its neighbours that are no tests, and all that they reach."""
    beside = [path for path in test.parent.glob("*.py") if not path.name.startswith("test_")]
    own = [test, *sorted(beside), ROOT / "tests" / "constraints.txt"]
    whole = sha256()
    for path in (*own, *reached(path for path in own if path.suffix == ".py")):
        whole.update(path.relative_to(ROOT).as_posix().encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()
