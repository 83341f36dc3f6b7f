"""How many one-line faults does the suite see?  Drawn at random, planted one at a time.

    python tests/seed_faults.py --seed 1 --number 90 --out build/faults.json

Each fault changes one expression of the package in a copy of the checkout; the tests that reach
the module by imports run, the nearest first, until one fails.  What survives is for a reader: a
fault that changes no behaviour (an equivalent) is named in ``equivalent_faults.json`` with the
reason, and counts neither way.  Sizes on a page (constants of ``report``) are no behaviour and are
not drawn.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from reach import PACKAGE, ROOT, imports, sources

EQUIVALENT = Path(__file__).with_name("equivalent_faults.json")
COPIED = ("attribution", "data", "docs", "models", "tests", ".ci")
SECONDS = 420
"""Time of the tests of one fault; one that outlives them is run against the whole suite by hand."""
NO_TESTS = 5
"""What pytest returns where every test of the files is in another lane."""
NEAREST = 8
"""Test files that are collected alone, before the others that reach the module."""
SWAPPED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
SYMMETRIC = {"min", "max", "minimum", "maximum", "isclose", "allclose", "logaddexp", "hypot"}
NOT_NUMBERS = {"isinstance", "issubclass", "getattr", "print", "TypeVar", "cast"}
MIRRORED = {"min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax"}


@dataclass(frozen=True)
class Fault:
    """One expression and what stands in its place."""

    kind: str
    path: str
    line: int
    old: str
    new: str
    span: tuple[int, int]

    @property
    def key(self) -> str:
        """A name that outlives a move of the line."""
        text = f"{self.path}|{self.kind}|{self.old}|{self.new}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def variants(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """Every fault that one node offers: its kind and the node that stands in its place."""
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPPED and not _text(node):
        yield "operator", ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right)
        if isinstance(node.op, ast.Add | ast.Sub):
            yield "dropped term", node.left
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in SWAPPED:
        yield "comparison", ast.Compare(node.left, [SWAPPED[type(node.ops[0])]()], node.comparators)
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", node.value
    if isinstance(node, ast.Call):
        yield from _calls(node)
    if isinstance(node, ast.Constant) and type(node.value) is float and node.value != 0:
        yield "constant", ast.Constant(node.value * 1.1)
    if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
        yield "refusal", None


def _calls(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    plain = not any(isinstance(arg, ast.Starred) for arg in node.args)
    if name in MIRRORED and isinstance(node.func, ast.Attribute):
        func = ast.Attribute(node.func.value, MIRRORED[name], ast.Load())
        yield "mirrored", ast.Call(func, node.args, node.keywords)
    if len(node.args) > 1 and plain and name not in SYMMETRIC | NOT_NUMBERS:
        swapped = [node.args[1], node.args[0], *node.args[2:]]
        yield "swapped arguments", ast.Call(node.func, swapped, node.keywords)
    for place, word in enumerate(node.keywords):
        if (
            word.arg == "axis"
            and isinstance(word.value, ast.Constant)
            and word.value.value in (0, 1)
        ):
            other = ast.keyword("axis", ast.Constant(1 - word.value.value))
            words = [*node.keywords[:place], other, *node.keywords[place + 1 :]]
            yield "transpose", ast.Call(node.func, node.args, words)


def _text(node: ast.BinOp) -> bool:
    """Whether a sum is of texts or lists: no arithmetic."""
    sides = (node.left, node.right)
    return any(isinstance(s, ast.JoinedStr | ast.List | ast.Tuple) for s in sides) or any(
        isinstance(s, ast.Constant) and isinstance(s.value, str) for s in sides
    )


def faults_of(path: Path) -> list[Fault]:
    """Every fault that can be planted in a module, annotations and docstrings left alone."""
    text = path.read_text(encoding="utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    data, found = text.encode(), []
    for node in _code(ast.parse(text)):
        for kind, new in variants(node):
            first = starts[node.lineno - 1] + node.col_offset
            last = starts[node.end_lineno - 1] + node.end_col_offset
            put = "pass" if new is None else f"({ast.unparse(new)})"
            old = data[first:last].decode()
            name = str(path.relative_to(ROOT))
            if kind == "constant" and "/report/" in name:
                continue
            found.append(Fault(kind, name, node.lineno, old, put, (first, last)))
    return found


def _code(tree: ast.AST) -> Iterator[ast.AST]:
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            parts = value if isinstance(value, list) else [value]
            stack.extend(part for part in parts if isinstance(part, ast.AST))
            if isinstance(node, ast.JoinedStr):
                stack = [part for part in stack if part not in parts]


def draw(number: int, seed: int) -> list[Fault]:
    """Draw faults: kinds in turn, then a module by its lines, then a place in it."""
    rng = random.Random(seed)
    pool: dict[str, list[Fault]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for fault in faults_of(path):
            pool.setdefault(fault.kind, []).append(fault)
    kinds = sorted(pool)
    chosen: list[Fault] = []
    while len(chosen) < number:
        fault = rng.choice(pool[kinds[len(chosen) % len(kinds)]])
        if fault not in chosen:
            chosen.append(fault)
    return chosen


def users_of(path: str) -> dict[str, int]:
    """Modules that reach this one by imports, itself first, each with its distance."""
    files = sources()
    users: dict[str, set[str]] = {}
    for name, file in files.items():
        for used in imports(file):
            users.setdefault(used, set()).add(name)
    start = next(name for name, file in files.items() if str(file.relative_to(ROOT)) == path)
    distance, queue = {start: 0}, deque([start])
    while queue:
        here = queue.popleft()
        for user in users.get(here, set()) - set(distance):
            distance[user] = distance[here] + 1
            queue.append(user)
    return distance


def nearest_tests(path: str) -> list[str]:
    """Test files that reach a module by imports, the nearest first."""
    distance = users_of(path)
    ranked = []
    for test in sorted((ROOT / "tests").rglob("test_*.py")):
        reached = [distance[name] for name in imports(test) if name in distance]
        parent = test.parent.name == Path(path).parent.name
        named = Path(path).stem in test.stem
        if reached:
            ranked.append((min(reached), not named, not parent, str(test.relative_to(ROOT))))
        elif 'attribution("' in test.read_text(encoding="utf-8"):
            ranked.append((4, not named, not parent, str(test.relative_to(ROOT))))
    return [name for *_, name in sorted(ranked)]


def forget(path: str, folder: Path) -> None:
    """Drop compiled code of a module and its users: a cached caller keeps the callee it met."""
    for name in users_of(path):
        file = folder / sources()[name].relative_to(ROOT)
        for stored in (file.parent / "__pycache__").glob(f"{file.stem}.*.nb?"):
            stored.unlink()


def verdict(fault: Fault, folder: Path, seconds: float) -> dict[str, object]:
    """Plant a fault in a copy, run the tests, take it out again."""
    target = folder / fault.path
    whole = target.read_bytes()
    first, last = fault.span
    target.write_bytes(whole[:first] + fault.new.encode() + whole[last:])
    forget(fault.path, folder)
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-xq", "-p", "no:cacheprovider"]
    begun, caught, by = time.monotonic(), None, ""
    ranked = nearest_tests(fault.path)
    try:
        for some in filter(None, (ranked[:NEAREST], ranked[NEAREST:])):
            done = subprocess.run(
                [*command, *some],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=max(begun + seconds - time.monotonic(), 1.0),
                check=False,
            )
            lines = done.stdout.splitlines()
            failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
            caught, by = done.returncode not in (0, NO_TESTS), (failed or [""])[0][:200]
            if caught:
                break
    except subprocess.TimeoutExpired:
        caught, by = None, f"nothing failed within {seconds:.0f} s"
    finally:
        target.write_bytes(whole)
        forget(fault.path, folder)
    return {**asdict(fault), "key": fault.key, "caught": caught, "by": by} | {
        "seconds": round(time.monotonic() - begun, 1)
    }


def main() -> int:
    """Draw, plant, count; resumable, since every verdict is written as it comes."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--number", type=int, default=90)
    asked.add_argument("--seconds", type=float, default=SECONDS)
    asked.add_argument("--part", default="0/1", help="this part of the draw, such as 0/2")
    asked.add_argument("--out", type=Path, default=ROOT / "build" / "faults.json")
    given = asked.parse_args()
    part, parts = map(int, given.part.split("/"))
    folder = given.out.parent / f"faults-{given.seed}-{part}"
    shutil.rmtree(folder, ignore_errors=True)
    for name in COPIED:
        away = shutil.ignore_patterns("_build", "_generated")
        shutil.copytree(ROOT / name, folder / name, ignore=away, symlinks=True)
    for path in (*ROOT.glob("*.md"), *ROOT.glob("*.toml"), ROOT / "LICENSE"):
        shutil.copy2(path, folder)
    known = json.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.exists() else {}
    rows: list[dict[str, object]] = []
    if given.out.exists():
        rows = json.loads(given.out.read_text(encoding="utf-8"))
    done = {row["key"] for row in rows}
    for fault in draw(given.number, given.seed)[part::parts]:
        if fault.key in done or fault.key in known:
            continue
        row = verdict(fault, folder, given.seconds)
        rows.append(row)
        given.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
        word = {True: "caught", False: "SURVIVED", None: "OUTLIVED"}[row["caught"]]
        print(f"{word:9} {fault.kind:17} {fault.path}:{fault.line}  {fault.old[:50]!r}", flush=True)
    seen = Counter((row["kind"], row["caught"] is True) for row in rows)
    for kind in sorted({kind for kind, _ in seen}):
        print(f"{kind:18} {seen[kind, True]} of {seen[kind, True] + seen[kind, False]}")
    share = sum(row["caught"] is True for row in rows) / max(len(rows), 1)
    print(f"{share:.3f} of {len(rows)} faults are seen; {len(known)} equivalents are left out")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
