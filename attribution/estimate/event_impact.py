r"""A law of impact as a scale by day: what one unit of the law's own parameter does to the price.

.. math:: I_t(F) = e^a\, b_t\, F\,(F^2 + F_0^2)^{(p-1)/2}

with b from :mod:`~attribution.mechanics.impact` at one unit; only the square root's depends on p.
What enters: days and a law; what leaves: its parts, numbers or draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from attribution.estimate.event_rows import EventRows
from attribution.mechanics.functions import Array
from attribution.mechanics.impact import Response, inelastic, invariance, linear, square_root
from attribution.model.event_priors import ImpactLaws

EVERY = slice(None)


def unit_impact(
    law: str, rows: EventRows, exponent: Array = 1.0, day: int | slice = EVERY
) -> np.ndarray:
    """Coefficient of the law at one unit of its parameter, on every day or on one."""
    if law == "square_root":
        return square_root(1.0, rows.sigma[day], rows.volume[day], exponent).coefficient
    if law == "inelastic":
        return inelastic(1.0, rows.capitalisation[day]).coefficient
    if law == "invariance":
        return invariance(1.0, rows.sigma[day], rows.volume[day]).coefficient
    return np.broadcast_to(linear(1.0).coefficient, np.shape(rows.move[day]))


def response(
    prior: ImpactLaws,
    law: str,
    rows: EventRows,
    draws: Mapping[str, Any],
    day: int | slice = EVERY,
) -> Response:
    """Law of impact of one day under draws of one law, or of every day under one draw.

    Parameters
    ----------
    draws : ``log_impact`` and ``exponent``: of one shape, or numbers where ``day`` is every one.
    day : position in the rows.
    """
    power = np.asarray(draws["exponent"], dtype=float)
    coefficient = np.exp(draws["log_impact"]) * unit_impact(law, rows, power, day)
    return Response(coefficient, power, np.full(power.shape, prior.crossover))
