"""Folders in; the runs that they hold, each under the name of its model, out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from attribution.audit.sources import command_for
from attribution.errors import SpecError
from attribution.folder import manifest_of
from attribution.model.read import model_names, read_model, read_var
from attribution.model.spec import ModelSpec
from attribution.model.study import StudySpec
from attribution.runs.run import KEYS, MANIFEST, Run, digest_of, load_run
from attribution.var.check.rivals import rival_names, with_rival


@dataclass(frozen=True)
class Collected:
    """Runs that are evidence, and those that are not.

    Attributes
    ----------
    runs : by name of the model, with ``+`` and its rival where it holds one.
    left_out : name -> a sentence that says which run, why it is no evidence, and what to do.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def collect(folders: list[Path]) -> Collected:
    """Load runs, and leave out those that bear a shipped model's name and are not of it.

    Claims are held against what the shipped models say.  A run of that name whose model file,
    table or event is another answers another question; its digest tells.  Names that are not
    shipped are those of a user's own models, which only a user's own table can ask for.

    Raises
    ------
    SpecError
        If two folders hold runs of the same model.
    DataError
        If a folder holds no run.
    """
    found = Collected()
    places: dict[str, Path] = {}
    for folder in folders:
        run = load_run(folder)
        name = name_of(run)
        if name in places:
            raise SpecError(
                f"claims: '{places[name]}' and '{folder}' are both runs of '{name}'; name one"
            )
        places[name] = folder
        why = not_shipped(name, run)
        if why:
            model, _, rival = name.partition("+")
            how = command_for(name if rival in rival_names() else model)
            found.left_out[name] = f"run '{folder}' is left out: {why}; fit it again: {how}"
        else:
            found.runs[name] = run
    return found


def not_shipped(name: str, run: Run) -> str:
    """Say in which way a run that bears a shipped model's name is not of it; empty if it is."""
    model, _, rival = name.partition("+")
    if model not in model_names():
        return ""
    if rival and rival not in rival_names():
        return "the rival that it holds is not shipped"
    try:
        spec = _shipped(model, rival)
    except SpecError as error:
        return f"no shipped model makes a run of '{name}' ({error})"
    said, wanted = str(run.manifest["digests"].get("model", "")), digest_of(spec)
    if said != wanted:
        return (
            f"its model is not the shipped '{name}' (digest {said[:12] or 'missing'}, shipped"
            f" {wanted[:12]})"
        )
    if isinstance(spec, ModelSpec):
        asked = {window.name: f"{window.start} to {window.end}" for window in spec.event.windows}
        held = run.manifest.get("settings", {}).get("windows", {})
        if held != asked:
            return f"it was fitted to another event than that of the shipped '{name}'"
    return ""


def _shipped(model: str, rival: str) -> ModelSpec | StudySpec:
    return with_rival(read_var(model), rival) if rival else read_model(model)


def name_of(run: Run) -> str:
    """Name of a run's model, with ``+`` and its rival where it holds one."""
    named = [str(finding["name"]) for finding in run.manifest["findings"]]
    rivals = [name.removeprefix("rival ") for name in named if name.startswith("rival ")]
    return "+".join([str(run.manifest["model"]), *rivals])


def below(folder: Path) -> list[Path]:
    """Folders directly below one that hold a run and bear the name of its model."""
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(one.parent for one in folder.glob(f"*/{MANIFEST}")):
        manifest = manifest_of(path / MANIFEST, KEYS)
        if manifest["model"] == path.name.partition("+")[0]:
            found.append(path)
    return found
