"""The readers of model files run on a table that holds nothing; what they ask of it out.

What each call asks for (a key, its type, bounds, choices, default) is what a file may say, so that
the readers are the one source of the schema and of the documentation's tables of keys.  A reader
goes different ways for different files: it is run many times, what is there and what it says drawn
by a generator with a fixed seed, and the union is kept.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from attribution.errors import AttributionError, SpecError, nearest
from attribution.limits import most
from attribution.model.faults import CONSEQUENCES, gather
from attribution.model.grammar import REQUIRED, Table
from attribution.model.kinds import KINDS
from attribution.model.read import parse_model
from attribution.model.table import KIND as CLAIMS
from attribution.model.table import parse_table

WRITTEN = (*KINDS, CLAIMS)
"""Kinds of files that have a schema: models, and tables of claims in files of their own."""
RUNS = 500
"""Readings of a kind at least; there are more until every key that a reader knows was asked for."""
MOST_RUNS = 20000
ANY = "*"
"""Stands for a name that the user chooses."""
NAMES = ("x", "y", "z")
OFTEN = ("x",) * 5
"""Most names are the same one, so that many of them name something that is there; a default is
answered as often."""
DAY = {"$ref": "#/$defs/day"}
Form = dict[str, Any]
Place = tuple[str, ...]


@dataclass
class Key:
    """What the readers ask of one key.

    Attributes
    ----------
    forms : JSON Schemas of what it may be, in the order in which they were met.
    defaults : that were named where it is left out.
    optional : whether a reader can do without it.
    """

    forms: list[Form] = field(default_factory=list)
    defaults: list[Any] = field(default_factory=list)
    optional: bool = False

    def add(self, form: Form) -> None:
        """Take up what the key may be; of two of one type the wider stands for both."""
        like = next((one for one in self.forms if _alike(one, form)), None)
        if like is None:
            self.forms.append(dict(form))
        elif "enum" in form:
            like["enum"] += [word for word in form["enum"] if word not in like["enum"]]
        else:
            for bound in ("minLength", "minimum", "exclusiveMinimum"):
                if bound in like and bound not in form:
                    del like[bound]
                elif bound in like:
                    like[bound] = min(like[bound], form[bound])


def _alike(one: Form, other: Form) -> bool:
    scalar = one.get("type") == other.get("type") in ("string", "integer", "number")
    return one == other or scalar or ("enum" in one and "enum" in other)


@dataclass
class Node:
    """One table of a file: its keys, and the lists of them that readers refuse all others of."""

    keys: dict[str, Key] = field(default_factory=dict)
    known: list[frozenset[str]] = field(default_factory=list)
    visits: list[list[str]] = field(default_factory=list)

    @property
    def missed(self) -> bool:
        """Whether a key that readers know has not been asked for."""
        asked = {name for name, key in self.keys.items() if key.forms}
        return any(names - asked for names in self.known)

    def required(self, name: str) -> bool:
        """Whether every reading that gets so far needs the key."""
        key, visits = self.keys[name], self.visits
        if key.optional or name == ANY or any(name not in names for names in self.known):
            return False
        after = {k for visit in visits if name in visit for k in visit[visit.index(name) + 1 :]}
        return not any(after & set(visit) for visit in visits if name not in visit)


Nodes = dict[Place, Node]


@dataclass
class _Run:
    """One reading: what was asked so far, by place, and the generator that answers."""

    nodes: Nodes
    draw: random.Random
    fixed: Mapping[str, Any]
    there: dict[tuple[Place, str], bool] = field(default_factory=dict)

    def has(self, place: Place, key: str) -> bool:
        return self.there.setdefault((place, key), self.draw.random() < 0.5)


class _Values(Mapping[str, Any]):
    """Keys of a table that may or may not be there."""

    def __init__(self, run: _Run, path: Place) -> None:
        self.run, self.path = run, path

    def __contains__(self, key: object) -> bool:
        found = self.run.nodes.setdefault(self.path, Node()).keys.setdefault(str(key), Key())
        found.optional = True
        return self.run.has(self.path, str(key))

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(key)
        return self.run.draw.choice(("x", ["x"]))

    def __iter__(self) -> Iterator[str]:
        known = self.run.nodes.setdefault(self.path, Node()).known
        if not known:
            return iter(NAMES[: self.run.draw.randint(1, 2)])
        return iter([key for key in sorted(frozenset.union(*known)) if key in self])

    def __len__(self) -> int:
        return self.run.draw.randint(0, 1)


class _Asked(Table):
    """A table that notes what it is asked for, and answers with something of the right type."""

    def __init__(self, run: _Run, path: Place) -> None:
        object.__setattr__(self, "run", run)
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "taken", [])
        super().__init__(".".join(path), _Values(run, path))
        self.node.visits.append(self.taken)

    run: _Run
    path: Place
    taken: list[str]

    @property
    def node(self) -> Node:
        return self.run.nodes.setdefault(self.path, Node())

    def _note(self, key: str, form: Form, default: Any = REQUIRED) -> None:
        name = self._named(key)
        self.taken.append(name)
        found = self.node.keys.setdefault(name, Key())
        found.add(form)
        if default is not REQUIRED:
            found.optional = True
            if default not in found.defaults:
                found.defaults.append(default)

    def _named(self, key: str) -> str:
        return ANY if key in NAMES and not self.node.known else key

    def _answer(self, key: str, *answers: Any) -> Any:
        if not self.path and key in self.run.fixed:
            return self.run.fixed[key]
        return self.run.draw.choice(answers)

    def known(self, names: Iterable[str]) -> Table:
        names = frozenset(names)
        if names not in self.node.known:
            self.node.known.append(names)
        return self

    def only(self, names: Iterable[str]) -> Table:
        return self

    def _below(self, key: str) -> Place:
        return (*self.path, self._named(key))

    def sub(self, key: str, *, required: bool = False) -> Table:
        path = self._below(key)
        self._note(key, {"table": path}, REQUIRED if required else {})
        return _Asked(self.run, path)

    def many(self, key: str) -> list[Table]:
        path = self._below(key)
        self._note(key, {"rows": path}, [])
        return [_Asked(self.run, path) for _ in range(self.run.draw.randint(0, 2))]

    def some(self, key: str) -> list[Table]:
        path = self._below(key)
        self._note(key, {"table": path})
        self._note(key, {"rows": path, "minItems": 1})
        return [_Asked(self.run, path)]

    def text(self, key: str, default: Any = REQUIRED) -> str:
        form: Form = {"type": "string", **({"minLength": 1} if default is REQUIRED else {})}
        self._note(key, form, default)
        usual = OFTEN if default is REQUIRED else (default,) * len(OFTEN)
        return str(self._answer(key, *usual, *NAMES))

    def choice(self, key: str, known: Iterable[str], default: Any = REQUIRED) -> str:
        self._note(key, {"enum": list(known)}, default)
        return str(self._answer(key, *known))

    def sign(self, key: str, known: Iterable[str], default: Any = REQUIRED) -> str:
        return self.choice(key, known, default)

    def number(self, key: str, default: Any = REQUIRED, *, above: float = float("-inf")) -> float:
        low: Form = {} if above < -1e200 else {"exclusiveMinimum": above}
        if -1e-6 < above < 0.0:  # as bounds are written that let zero in
            low = {"minimum": 0}
        self._note(key, {"type": "number", **low}, default)
        least = max(above, 0.0)
        return float(self._answer(key, least + 0.25, least + 0.5, least + 1.0))

    def integer(self, key: str, default: Any = REQUIRED, *, at_least: int = 0) -> int:
        self._note(key, {"type": "integer", "minimum": at_least, "maximum": most(key)}, default)
        usual = at_least if default is REQUIRED else default
        return int(self._answer(key, usual, usual, at_least, at_least + 1, at_least + 3))

    def flag(self, key: str, default: bool) -> bool:
        self._note(key, {"type": "boolean"}, default)
        return bool(self._answer(key, True, False))

    def pair(self, key: str) -> tuple[float, float]:
        ends = {"type": "number"}
        self._note(key, {"type": "array", "items": ends, "minItems": 2, "maxItems": 2})
        return 0.25, 0.75

    def day(self, key: str) -> date:
        self._note(key, DAY)
        return _some_day(self.run.draw)

    def days(self, key: str, count: int) -> tuple[date, ...]:
        self._note(key, {"type": "array", "items": DAY, "minItems": count, "maxItems": count})
        return tuple(sorted(_some_day(self.run.draw) for _ in range(count)))

    def dates(self, key: str) -> tuple[date, ...]:
        self._note(key, {"type": "array", "items": DAY}, [])
        return tuple(sorted({_some_day(self.run.draw) for _ in range(self.run.draw.randint(0, 2))}))

    def texts(
        self, key: str, default: Any = REQUIRED, *, among: Iterable[str] = ()
    ) -> tuple[str, ...]:
        known = list(among)
        items: Form = {"enum": known} if known else {"type": "string"}
        self._note(key, {"type": "array", "items": items, "uniqueItems": True}, default)
        return NAMES[: self.run.draw.randint(0, len(NAMES))]

    def raw(self, key: str, default: Any, form: Mapping[str, Any]) -> Any:
        self._note(key, dict(form), default)
        return self._answer(key, *form["examples"])


def _some_day(draw: random.Random) -> date:
    return date(2020, 1, 1) + timedelta(days=draw.randint(0, 9))


@cache
def asked_of(kind: str) -> Nodes:
    """Every table and key that the readers of a kind of file ask for.

    Returns
    -------
    Node of each place, the whole file's under the empty one.

    Raises
    ------
    SpecError
        If there is no such kind.
    """
    if kind not in WRITTEN:
        raise SpecError(
            f"kind '{kind}': unknown{nearest(kind, WRITTEN)}; choose {', '.join(WRITTEN)}"
        )
    nodes: Nodes = {}
    draw = random.Random(0)
    for run in range(MOST_RUNS):
        if run >= RUNS and not any(node.missed for node in nodes.values()):
            break
        table = _Asked(_Run(nodes, draw, {"schema": 1, "kind": kind}), ())
        _read(table, kind)
    for node in nodes.values():
        allowed = frozenset.union(*node.known) if node.known else frozenset(node.keys)
        node.keys = {n: key for n, key in node.keys.items() if key.forms and n in allowed}
    return nodes


def _read(table: Table, kind: str) -> None:
    """Read what makes no whole; that its parts do not fit together is no news."""
    try:
        if kind == CLAIMS:
            gather(lambda: parse_table(table, CLAIMS, None))
        else:
            parse_model(table, kind, None)
    except (AttributionError, *CONSEQUENCES):
        return
