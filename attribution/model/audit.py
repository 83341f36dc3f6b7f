"""An audit table: claims about an event, each with the tests that decide it; no verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attribution.content import content
from attribution.errors import SpecError, nearest
from attribution.model.grammar import Table, read_toml

SCHEMA, KIND = 1, "audit"
TOP = ("schema", "kind", "title", "about", "claims")
CLAIM = ("id", "claim", "quantity", "combine", "reason", "parts")
PART = ("name", "test", "with", "variants")
COMPUTED = ("verdict", "probability", "evidence", "sensitivity")
"""What an audit finds out; a table that states one is refused."""
COMBINE = ("all", "any")


@dataclass(frozen=True)
class Variant:
    """The same test with some parameters changed.

    ``place`` is where it stands, ``say`` what is different, ``changes`` the parameters.
    """

    place: str
    say: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """One test of a claim.

    Attributes
    ----------
    place : where it stands, for messages.
    name : what this part says, in a few words.
    test : name of a test of the audit.
    parameters : of the test, as they stand in the table.
    variants : under which the verdict is asked again.
    """

    place: str
    name: str
    test: str
    parameters: Mapping[str, Any]
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class AuditedClaim:
    """A claim about an event.

    Attributes
    ----------
    id : short and unique, such as ``C3``.
    claim : what is said, in our words.
    quantity : the number that decides it.
    combine : ``all`` if every part must hold, ``any`` if one is enough.
    reason : why these tests, and what they cannot see.
    parts : the tests; at least one.
    """

    id: str
    claim: str
    quantity: str
    combine: str
    reason: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Audit:
    """Claims of one account of an event, in their order."""

    name: str
    title: str
    about: str
    claims: tuple[AuditedClaim, ...]
    path: Path | None = None


def audit_names() -> tuple[str, ...]:
    """Names of the shipped audit tables."""
    return tuple(sorted(path.stem for path in (content("models") / "claims").glob("*.toml")))


def read_audit(name: str) -> Audit:
    """Read a shipped audit table by its name, or a user's file by its path.

    Raises
    ------
    SpecError
        With the file, the key and the remedy, if the table cannot be accepted.
    """
    if Path(name).suffix == ".toml":
        path = Path(name)
    elif name in audit_names():
        path = content("models") / "claims" / f"{name}.toml"
    else:
        raise SpecError(
            f"claims '{name}': unknown{nearest(name, audit_names())}; name a shipped table or a"
            " file ending in .toml"
        )
    return parse_audit(Table(path.name, read_toml(path)), path.stem, path)


def parse_audit(table: Table, name: str, path: Path | None = None) -> Audit:
    """Type an audit table.

    Raises
    ------
    SpecError
        If a key is unknown or missing, a name stands twice, or a verdict is written down.
    """
    table.known(TOP)
    if table.integer("schema") != SCHEMA or table.text("kind") != KIND:
        raise SpecError(
            f'{table.place}: no audit table; it needs schema = {SCHEMA} and kind = "{KIND}"'
        )
    claims = tuple(_claim(row) for row in table.many("claims"))
    if not claims:
        raise SpecError(f"{table.place}: it has no claim; add one as [[claims]]")
    _once(table.place, "claim", [claim.id for claim in claims])
    return Audit(name, table.text("title"), table.text("about", ""), claims, path)


def _claim(table: Table) -> AuditedClaim:
    named = table.values.get("id")
    if isinstance(named, str) and named:
        table = Table(f"{table.place} ('{named}')", table.values)
    _refuse_computed(table)
    table.known(CLAIM)
    parts = tuple(_part(row) for row in table.many("parts"))
    if not parts:
        raise SpecError(f"{table.place}: it has no test; add one as [[claims.parts]]")
    _once(table.place, "part", [part.name for part in parts])
    return AuditedClaim(
        id=table.text("id"),
        claim=table.text("claim"),
        quantity=table.text("quantity"),
        combine=table.choice("combine", COMBINE, "all"),
        reason=table.text("reason", ""),
        parts=parts,
    )


def _part(table: Table) -> Part:
    _refuse_computed(table)
    table.known(PART)
    variants = tuple(_variant(row) for row in table.many("variants"))
    _once(table.place, "variant", [variant.say for variant in variants])
    given = table.sub("with")
    _refuse_computed(given)
    return Part(table.place, table.text("name"), table.text("test"), given.values, variants)


def _variant(table: Table) -> Variant:
    _refuse_computed(table)
    changes = {key: value for key, value in table.values.items() if key != "say"}
    if not changes:
        raise SpecError(f"{table.place}: it changes nothing; give a parameter a new value")
    return Variant(table.place, table.text("say"), changes)


def _refuse_computed(table: Table) -> None:
    for key in COMPUTED:
        if key in table.values:
            raise SpecError(
                f"{table.place}: key '{key}' is what the audit finds, and no table may state it;"
                " remove it"
            )


def _once(place: str, what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise SpecError(f"{place}: {what} '{name}' stands twice; rename one")
