"""Saved runs that an audit finds, and what those have already found themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from attribution.audit.sources import Sources, command_for
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.errors import IdentificationError, SpecError, nearest
from attribution.folder import manifest_of
from attribution.model.read import model_names, read_model, read_var
from attribution.model.spec import ModelSpec
from attribution.model.study import StudySpec
from attribution.runs.run import KEYS, MANIFEST, Run, digest_of, load_run
from attribution.var.check.rivals import refuse_rival, rival_names, with_rival

OPPOSITE = {"holds": "fails", "fails": "holds"}


@dataclass(frozen=True)
class FindingOf:
    """What a saved run found under a name; with ``denied``, the claim is the opposite."""

    run: str
    finding: str
    denied: bool = False


@dataclass(frozen=True)
class Rival:
    """A rival account is refuted (or, without ``denied``, confirmed) by a model that holds it.

    Where the series of the model cannot tell the rival from a channel, that is the answer.
    """

    model: str
    rival: str
    denied: bool = True


def finding_of(ask: FindingOf, sources: Sources) -> Tested:
    """Take a finding of a saved run as evidence."""
    return answer(findings(sources.run(ask.run)), ask.finding, ask.run, ask.denied)


def rival(ask: Rival, sources: Sources) -> Tested:
    """Ask the linear programmes whether a rival can be told apart, then a run that holds it."""
    spec = with_rival(read_var(ask.model), ask.rival)
    try:
        refuse_rival(spec)
    except IdentificationError as error:
        raise Untestable(str(error)) from None
    name = f"{ask.model}+{ask.rival}"
    found = sources.run(name).manifest["findings"]
    return answer(found, f"rival {ask.rival}", name, ask.denied)


def findings(run: Run) -> list[Mapping[str, Any]]:
    """Return findings that a run was saved with, and those that its draws still answer."""
    found = list(run.manifest["findings"])
    if run.tree.attrs.get("study") == "flows":
        from attribution.studies.flows.checks import findings_of

        known = {finding["name"] for finding in found}
        more = (finding.record() for finding in findings_of(run.tree)[0])
        found += [finding for finding in more if finding["name"] not in known]
    return found


def answer(found: Sequence[Mapping[str, Any]], name: str, run: str, denied: bool) -> Tested:
    """Return one finding of a run as what a test found.

    Raises
    ------
    Untestable
        If the run has no such finding.
    """
    for finding in found:
        if finding["name"] == name:
            break
    else:
        close = nearest(name, (str(one["name"]) for one in found))
        hint = close if close.startswith(" (nearest") else ""  # all names would fill the screen
        raise Untestable(f"the run of '{run}' has no finding '{name}'{hint}")
    said = f"{run}, {name}: {finding['evidence']}"
    chance = finding.get("probability")
    if chance is not None:
        error = float(finding.get("error") or 0.0)
        return by_chance(said, 1.0 - float(chance) if denied else float(chance), error)
    verdict = str(finding["verdict"])
    return Tested(said, OPPOSITE.get(verdict, verdict) if denied else verdict)


# Claims about the sign of a flow, held against the prediction of a run of kind ``flows``.


@dataclass(frozen=True)
class PredictedFlow:
    """The row of an asked day was to be above a level; with ``denied``, it was not.

    Attributes
    ----------
    day : as a text, one of the days that the model asks about.
    reading : how the row is dated: ``same day``, ``previous day`` or ``averaged``.
    above : USD million.
    """

    run: str
    day: str
    reading: str
    above: float = 0.0
    denied: bool = False


def predicted_flow(ask: PredictedFlow, sources: Sources) -> Tested:
    """Ask how probable a flow above a level was, the row itself unseen."""
    from attribution.studies.flows.dating_checks import asked_days

    tree = sources.run(ask.run).tree
    if tree.attrs.get("study") != "flows":
        raise Untestable(f"the run of '{ask.run}' predicts no flows; give one of kind 'flows'")
    days = {day.day: day for day in asked_days(tree)}
    if ask.day not in days:
        raise Untestable(f"the run of '{ask.run}' does not ask about {ask.day}")
    day = days[ask.day]
    if ask.reading not in day.readings:
        raise Untestable(f"no reading '{ask.reading}'{nearest(ask.reading, day.readings)}")
    flow = day.draws(day.focus, ask.reading)
    low, middle, high = day.weighted.quantiles(flow, (0.05, 0.5, 0.95))
    above = (np.asarray(flow) > ask.above).astype(float)
    chance = day.weighted.mean(above)
    return by_chance(
        f"{day.focus}, row of {ask.day}, {ask.reading}: predicted {middle:+,.0f} (90 % {low:+,.0f}"
        f" to {high:+,.0f}) USD million by {ask.run}; above {ask.above:+,.0f} with probability"
        f" {chance:.2f}; published {day.published(day.focus):+,.1f}",
        1.0 - chance if ask.denied else chance,
        day.weighted.error(above),
    )


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
