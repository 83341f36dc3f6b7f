"""Pages that the build writes: the paper, and tables read from models/, data/ and saved results."""

from __future__ import annotations

import json
import re
import shutil
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
TABLE = ROOT / "models" / "tables" / "bitcoin.toml"

# What the paper reads: a name per level; "*" stands for every name that is there.
REQUIRED = (
    "model",
    "event",
    "windows.crash",
    "windows.*.observed",
    *(f"windows.*.rows.*.{key}" for key in ("mean", "q05", "q95")),
    "findings",
    *(f"diagnostics.{k}" for k in ("max_rhat", "min_ess_bulk", "divergences", "draws", "chains")),
    *(f"manifest.{key}" for key in ("model_digest", "data_digest", "seed", "version")),
    *(f"event_in.{treatment}.crash.*.mean" for treatment in ("out", "scale", "in")),
    "companions.*.windows.crash.rows.*.mean",
    "frozen_commit",
)
CALIBRATION = "calibration.json"
BESIDE = ("studies.json", "claims.json", CALIBRATION)
"""What the paper reads beside the results: studies with their checks, the audit, calibration."""
COMBINING = {
    "'": "\u0301",
    "`": "\u0300",
    '"': "\u0308",
    "c": "\u0327",
    "v": "\u030c",
    "r": "\u030a",
}
"""Accent of a bibliography -> combining character."""
VAR_SECTIONS = (
    *("sample", "event", "system", "errors", "prior", "structural", "exposures", "expectations"),
    *("identification.cells.*.*", "identification.rankings", "identification.variance_shares"),
    *("identification.narratives", "identification.instruments", "identification.signs.*"),
)
"""Sections of a model that is a VAR with a table of keys each on the page of model files."""
FINDING = ("name", "question", "evidence", "verdict")


class PageError(Exception):
    """A page that cannot be written; the message is one sentence with a remedy."""


def read_results(path: Path) -> dict[str, Any]:
    """Read the saved numbers, or say which of them are missing."""
    if not path.is_file():
        raise PageError(
            f"{path.name}: no such file in {path.parent}; copy it there from a saved run"
        )
    results = json.loads(path.read_text(encoding="utf-8"))
    missing = [key for name in REQUIRED for key in _missing(results, name.split("."))]
    for number, finding in enumerate(results.get("findings", [])):
        missing += [f"findings.{number}.{key}" for key in FINDING if key not in finding]
    if missing:
        listed = ", ".join(dict.fromkeys(missing))
        raise PageError(f"{path.name}: lacks {listed}; save the results of a complete run again")
    return results


def _missing(values: Any, names: list[str], place: str = "") -> Iterator[str]:
    if not names:
        return
    head, *rest = names
    if head == "*":
        for key in values:
            yield from _missing(values[key], rest, f"{place}{key}.")
    elif not isinstance(values, Mapping) or head not in values:
        yield f"{place}{head}"
    else:
        yield from _missing(values[head], rest, f"{place}{head}.")


def write_paper(results: Path, folder: Path) -> None:
    """Compile the paper to ``paper.pdf`` and to ``paper.html``, a fragment without a head."""
    import typst

    read_results(results)
    stage = folder / "paper"
    stage.mkdir(parents=True, exist_ok=True)
    beside = [results.with_name(name) for name in BESIDE]
    for path in beside:
        if not path.is_file():
            raise PageError(f"{path.name}: no such file in {path.parent}; run docs/save_results.py")
    parts = sorted((DOCS / "paper").glob("*.typ"))
    for source in (*parts, DOCS / "refs.bib", results, *beside):
        shutil.copyfile(source, stage / ("results.json" if source == results else source.name))
    _trim_calibration(stage / CALIBRATION)
    shutil.copyfile(TABLE, stage / "table.toml")
    settings: dict[str, Any] = {"root": str(stage), "ignore_system_fonts": True}
    pdf = typst.compile(str(stage / "paper.typ"), format="pdf", **settings)
    page = typst.compile(str(stage / "paper.typ"), format="html", **settings).decode()
    (folder / "files").mkdir(exist_ok=True)
    (folder / "files" / "paper.pdf").write_bytes(pdf)
    (folder / "paper.html").write_text(_fragment(page), encoding="utf-8")


def _trim_calibration(path: Path) -> None:
    """Keep what the paper reads: other designs have infinite settings, which are no JSON there."""
    found = json.loads(path.read_text(encoding="utf-8"))
    kept = {"event": found["designs"]["event"], "null": found["coverage"]["event-null"]}
    path.write_text(json.dumps(kept, allow_nan=False), encoding="utf-8")


def _fragment(page: str) -> str:
    """Body of a page, its headings moved one level down: the site has a title of its own."""
    body = re.search(r"<body[^>]*>(.*)</body>", page, flags=re.DOTALL)
    if body is None:
        raise PageError("paper.typ: the HTML has no body; check the version of typst")
    deeper = [f"h{min(int(level) + 1, 6)}" for level in "123456"]
    return re.sub(r"(</?)h([1-6])", lambda m: m[1] + deeper[int(m[2]) - 1], body[1])


def identification_page() -> str:
    """Return the identification table, cell by cell, as the estimator reads it."""
    from attribution.model.table import read_table

    table = read_table(TABLE.stem)
    lines = ["| channel | is |", "| --- | --- |"]
    lines += [f"| `{channel.name}` | {channel.title} |" for channel in table.channels]
    for variable in dict.fromkeys(cell.variable for cell in table.cells):
        lines += ["", f"## {variable}", "", "| channel | claim | reason | source |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [
            f"| `{cell.channel}` | {cell.claim} | {cell.reason} | {cell.source} |"
            for cell in table.cells
            if cell.variable == variable
        ]
    return "\n".join(lines) + "\n"


def keys_page(kind: str, section: str = "", *, own: bool = False) -> str:
    """Return the keys of a kind of file, or of one of its sections, as its readers ask for them.

    With ``own`` those that every model file has are left out.
    """
    from attribution.model.schema import rows
    from attribution.model.study import ALWAYS

    lines = ["| key | is | may be | if left out |", "| --- | --- | --- | --- |"]
    for key, shape, default, meaning in rows(kind, section):
        if own and key.partition(".")[0] in ALWAYS:
            continue
        shown = default if default in ("", "needed") else f"`{default}`"
        lines.append(f"| `{key}` | {meaning} | {shape} | {shown} |")
    return "\n".join(lines) + "\n"


def key_pages() -> dict[str, str]:
    """Return the pages of keys: one for each section of a VAR, and one for each other kind."""
    from attribution.model.kinds import STUDIES

    pages = {
        f"keys-{name.rstrip('.*').replace('.', '-')}.md": keys_page("svar", name)
        for name in VAR_SECTIONS
    }
    own = {f"keys-of-{kind}.md": keys_page(kind, own=True) for kind in STUDIES}
    return pages | own | {"keys-of-sample.md": keys_page(STUDIES[0], "sample")}


def cards_page() -> str:
    """Return what every shipped card defines for models, column by column."""
    from attribution.panel.card import read_card
    from attribution.panel.catalogue import cards_in

    lines = []
    for card in map(read_card, cards_in()):
        lines += [f"### {card.title}", "", f"`{card.file}`, read at: {card.clock}.", ""]
        rows = [(c.name, c.unit, c.transform, c.note) for c in card.columns.values()]
        raw = [(s.name, s.unit, "raw", s.note) for s in card.series.values()]
        lines += ["| column | unit | transform | note |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{name}` | {unit} | {transform} | {' '.join(note.split()).replace('|', '/')} |"
            for name, unit, transform, note in rows or raw
        ]
        lines.append("")
    return "\n".join(lines)


def mechanics_page() -> str:
    """Return a section for each module of the mechanics, in the order of their names."""
    lines: list[str] = []
    for path in sorted((ROOT / "attribution" / "mechanics").glob("[!_]*.py")):
        name = f"attribution.mechanics.{path.stem}"
        lines += [f"## {name}", "", "```{eval-rst}", f".. automodule:: {name}", "```", ""]
    return "\n".join(lines)


def references() -> dict[str, dict[str, str]]:
    """Entries of refs.bib: key to fields, accents and braces resolved."""
    entries: dict[str, dict[str, str]] = {}
    for block in re.split(r"^@", (DOCS / "refs.bib").read_text(encoding="utf-8"), flags=re.M)[1:]:
        key = re.match(r"\w+\{(\w+),", block)
        if key is None or key[1] in entries:
            raise PageError(f"refs.bib: entry '{block[:30]}' has no key of its own; give it one")
        fields = re.findall(r"(\w+)\s*=\s*\{((?:[^{}]|\{[^{}]*\})*)\}", block)
        entries[key[1]] = {name: _plain(value) for name, value in fields}
    return entries


def _plain(text: str) -> str:
    """Resolve accents and braces."""
    for mark, combining in COMBINING.items():
        accent = re.compile(rf"\{{\\{mark}\s?\\?([A-Za-z])\}}")
        text = accent.sub(lambda m, c=combining: unicodedata.normalize("NFC", m[1] + c), text)
    text = text.replace("{\\o}", "ø").replace("--", "–")
    return re.sub(r"[{}]", "", text)


def references_page() -> str:
    """Return the bibliography, one line an entry."""
    lines = []
    for key, entry in sorted(references().items()):
        parts = [entry.get("journal") or entry.get("publisher") or entry.get("note", "")]
        parts += [entry[name] for name in ("volume", "pages") if name in entry]
        link = f" [doi:{entry['doi']}](https://doi.org/{entry['doi']})" if "doi" in entry else ""
        people = entry["author"].replace(" and ", "; ")
        title = f"*{entry['title']}*"
        lines.append(f"- `{key}`: {people} ({entry['year']}). {title}. {', '.join(parts)}.{link}")
    return "\n".join(lines) + "\n"


def write_pages(results: Path, folder: Path) -> None:
    """Write every generated page into ``folder``."""
    import measured

    folder.mkdir(parents=True, exist_ok=True)
    write_paper(results / "results.json", folder)
    pages = {
        "identification.md": identification_page(),
        "performance.md": measured.table_of(results / "performance.json", measured.run_times),
        "engine.md": measured.table_of(results / "engine.json", measured.engine_rates),
        "calibration.md": measured.table_of(results / "calibration.json", measured.calibration),
        "coverage.md": measured.table_of(results / "calibration.json", measured.coverage),
        "references.md": references_page(),
        **key_pages(),
        "cards.md": cards_page(),
        "mechanics.md": mechanics_page(),
    }
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
