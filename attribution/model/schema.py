"""What readers ask for in; a JSON Schema of a kind of file, or rows of a page of keys, out.

What a key means, and its unit, stand in ``keys.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attribution.model.asked import ANY, DAY, Form, Key, Node, Nodes, Place, asked_of
from attribution.model.kinds import VARS
from attribution.model.names import LABEL
from attribution.model.table import KIND as CLAIMS

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@cache
def _words() -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name("keys.toml")
    found: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def meanings(kind: str) -> dict[str, str]:
    """Return what each key of a kind means, with its unit, under its dotted place.

    The two numbers of a law in braces, and its source, mean the same everywhere.
    """
    words, nodes = _words(), asked_of(kind)
    if kind == CLAIMS:
        shared = {k.removeprefix(f"{CLAIMS}."): word for k, word in words["var"].items()}
        own = {k: word for k, word in shared.items() if k.partition(".")[0] in nodes[()].keys}
    else:
        own = {**words["all"], **(words["var"] if kind in VARS else words["study"] | words[kind])}
    for path, node in nodes.items():
        if _is_law(node):
            own |= {".".join((*path, name)): words["law"][name] for name in node.keys}
    return own


def _is_law(node: Node) -> bool:
    return bool(node.keys) and set(node.keys) <= set(_words()["law"])


def json_schema(kind: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the files of a kind.

    Dates of TOML stand as texts in it, as editors hand them over.

    Raises
    ------
    SpecError
        If there is no such kind.
    """
    nodes, words = asked_of(kind), meanings(kind)
    label = LABEL.replace("(?:", "(").replace("\\d", "[0-9]")
    return {
        "$schema": DRAFT,
        "title": f"attribution: a file of kind '{kind}'",
        **_object(nodes, (), words, {"schema": {"const": 1}, "kind": {"const": kind}}),
        "$defs": {
            "day": {
                "type": "string",
                "pattern": f"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{label})$",
                "description": "a date without quotes, or the label of a month, quarter or year",
            }
        },
    }


def _object(nodes: Nodes, path: Place, words: Mapping[str, str], fixed: Mapping[str, Form]) -> Form:
    node = nodes.get(path, Node())
    named = [name for name in node.keys if name != ANY]
    properties = {
        name: {**_property(nodes, (*path, name), node.keys[name], words), **fixed.get(name, {})}
        for name in named
    }
    other = node.keys.get(ANY)
    beside = False if other is None else _property(nodes, (*path, ANY), other, words)
    needed = [name for name in named if node.required(name)]
    return {
        "type": "object",
        **({"properties": properties} if properties else {}),
        **({"required": needed} if needed else {}),
        "additionalProperties": beside,
    }


def _property(nodes: Nodes, path: Place, key: Key, words: Mapping[str, str]) -> Form:
    forms = [_form(nodes, form, words) for form in key.forms]
    said = words.get(".".join(path), "")
    shown = default_of(key)
    return {
        **({"description": said} if said else {}),
        **(forms[0] if len(forms) == 1 else {"anyOf": forms}),
        **({} if shown is None else {"default": shown}),
    }


def _form(nodes: Nodes, form: Form, words: Mapping[str, str]) -> Form:
    if "table" in form:
        return _object(nodes, form["table"], words, {})
    if "rows" in form:
        rest = {name: value for name, value in form.items() if name != "rows"}
        return {"type": "array", "items": _object(nodes, form["rows"], words, {}), **rest}
    return form


def default_of(key: Key) -> Any:
    """Return the one default that says something; None where nothing stands in for the key."""
    said = [value for value in key.defaults if value not in ((), "", None) and value != {}]
    return said[0] if len(said) == 1 and len(key.defaults) == 1 and said[0] != [] else None


# The tables of keys of the documentation.


def rows(kind: str, section: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield key, type, default and meaning of every key of a kind, or of one of its sections."""
    nodes, words = asked_of(kind), meanings(kind)
    start: Place = tuple(section.split(".")) if section else ()
    yield from _rows(nodes, start, len(start), words)


def _rows(
    nodes: Nodes, path: Place, skip: int, words: Mapping[str, str]
) -> Iterator[tuple[str, str, str, str]]:
    node = nodes.get(path, Node())
    for name, key in node.keys.items():
        place = (*path, name)
        shown = default_of(key)
        default = "needed" if node.required(name) else "" if shown is None else _plain(shown)
        shape = " or ".join(dict.fromkeys(map(_shape, key.forms)))
        law = _is_law(nodes.get(place, Node()))
        if law:
            shape = "law in " + ", ".join(f"`{one}`" for one in nodes[place].keys)
        yield ".".join(place[skip:]), shape, default, words.get(".".join(place), "")
        for form in key.forms[:1]:
            below = form.get("table", form.get("rows"))
            if below is not None and not law:
                yield from _rows(nodes, below, skip, words)


def _plain(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shape(form: Form) -> str:
    """Say in a word or two what may stand there."""
    if "table" in form or "rows" in form:
        return "table" if "table" in form else "tables"
    if "enum" in form:
        return ", ".join(f"`{word}`" for word in form["enum"])
    if "description" in form:
        return str(form["description"])
    if form == DAY:
        return "date"
    if form["type"] == "array":
        inner = form["items"]
        if "enum" in inner:
            return "of " + ", ".join(f"`{word}`" for word in inner["enum"])
        many = "dates" if inner == DAY else f"{inner['type']}s".replace("strings", "texts")
        return f"{form['minItems']} {many}" if form.get("minItems") else many
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    word = words.get(form["type"], form["type"])
    if "exclusiveMinimum" in form:
        return f"{word} above {form['exclusiveMinimum']:g}"
    return f"{word} from {form['minimum']}" if "minimum" in form else str(word)
