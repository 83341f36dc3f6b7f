"""What each dating of a panel finds in; a finding for each event and one sentence out."""

from __future__ import annotations

from dataclasses import dataclass

from attribution.estimate.panel_ols import PanelFit
from attribution.estimate.placebo_dates import PlaceboDates
from attribution.finding import Finding
from attribution.model.panel_study import Dating, PanelQuestion, PlaceboEvent
from attribution.study.panel_design import Laid

SIZE = 0.05
"""Size of the test of an event."""


@dataclass(frozen=True)
class Reading:
    """What one dating finds."""

    dating: Dating
    laid: Laid
    fit: PanelFit
    events: dict[str, PlaceboDates]


def event_finding(reading: Reading, event: PlaceboEvent, unit: str) -> Finding:
    """Ask whether the event is beyond what like days show."""
    found = reading.events[event.name]
    sure, floor = found.p <= SIZE, 1 / (1 + found.placebos)
    evidence = (
        f"coefficient {found.coefficient:+.2f} {unit} ({found.low:+.2f} to {found.high:+.2f} not"
        f" rejected at 10 %); p = {found.p:.3f} among {found.placebos} like days (all visited;"
        f" no p below {floor:.3f} is possible), {found.p_all_days:.3f} among all days;"
        " a test that does not reject is no evidence of no effect"
    )
    days = ", ".join(map(str, event.days))
    return Finding(
        name=f"{event.name} ({reading.dating.name})",
        question=f"Does {exposed(event)} differ from the others on {days} by more than chance?",
        evidence=evidence,
        verdict="holds" if sure else "undecided",
    )


def panel_headline(readings: list[Reading], question: PanelQuestion, unit: str) -> str:
    """Say every event under every dating, or the first covariate where there is no event."""
    if not question.events:
        reading = readings[0]
        name = reading.laid.names[0]
        return (
            f"{name}: {reading.fit.coefficients[name]:+.3f} {unit} (standard error"
            f" {reading.fit.errors[name]:.3f}, clustered by entity and day)."
        )
    parts = [
        f"{row_label(e.name, r, question)} {round(r.events[e.name].coefficient, 1) + 0:+.1f}"
        f" (p = {r.events[e.name].p:.2f})"
        for e in question.events
        for r in readings
    ]
    names = " and ".join(dict.fromkeys(exposed(event) for event in question.events))
    return f"{names} against the others, {unit}, p by randomisation: {'; '.join(parts)}."


def row_label(name: str, reading: Reading, question: PanelQuestion) -> str:
    """Name a row, with its dating where there are several."""
    return f"{name} ({reading.dating.name})" if len(question.datings) > 1 else name


def exposed(event: PlaceboEvent) -> str:
    """Name who was exposed."""
    return " and ".join(event.entities) or f"exposure {event.exposure}"
