"""Claims about the sign of a flow, held against the prediction of a run of kind ``flows``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from attribution.audit.sources import Sources
from attribution.audit.tested import Tested, Untestable, by_chance
from attribution.errors import nearest


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
    from attribution.check.asked_rows import asked_days

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
