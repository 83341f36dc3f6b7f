r"""The structural model of one day under one law of impact, as a PyMC model.

.. math::
    r_t = \mu + \beta' f_t + u_t + I_t\bigl(F_t(r_t)\bigr), \qquad
    F_t(r) = q_t + K_t(r) + G_t(r) + L_t(r)

with flows q from outside, K of notes, G of listed options, L of liquidations.  The move is data, so
no fixed point is solved: the density of r is that of u at what is left of r after drivers and
impact, times :math:`1 - g_t`, the Jacobian of the structural map, with loop gain
:math:`g_t = I_t'(F_t) F_t'(r_t)`.  Liquidations and volatility answer r as well; given their own
shocks the map is triangular, so no other derivative enters.  A day whose gain reaches one has no
density.  With a prior probability the market absorbs forced orders on all days, L is then zero, and
the density is the mixture of both (:mod:`~attribution.core.loop_mixture`).
:mod:`~attribution.estimate.event_density` says the same without gradients.

References: frey1997; schonbucher2000.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from attribution.estimate.event_constants import constants
from attribution.estimate.event_kernel import EventKernel
from attribution.estimate.event_layout import Layout
from attribution.estimate.event_parameters import layout
from attribution.estimate.event_rows import EventRows
from attribution.estimate.event_surface import NoteSurface
from attribution.estimate.kernel import operation
from attribution.model.event_priors import Law
from attribution.model.event_study import EventQuestion


@dataclass(frozen=True)
class LawModel:
    """A model to be sampled: its likelihood, and where its parameters stand.

    ``model`` is PyMC's, with variables ``z`` (standard normal) and ``shares`` (beta) which
    ``plan`` turns into parameters.
    """

    law: Law
    plan: Layout
    kernel: EventKernel
    model: Any


def law_model(question: EventQuestion, rows: EventRows, surface: NoteSurface, law: Law) -> LawModel:
    """Build the model: two random vectors and one potential."""
    import pymc as pm

    plan = layout(question, rows, law)
    days = constants(question, rows, surface, law.name)
    forced = question.liquidations
    kernel = EventKernel(plan, rows, days, forced.edge, forced.absorbed)
    p, q = (np.array([getattr(prior, key) for _, prior in plan.shares]) for key in ("p", "q"))
    with pm.Model() as model:
        z = pm.Normal("z", 0.0, 1.0, shape=plan.size)
        shares = pm.Beta("shares", p, q, shape=len(p))
        pm.Potential("likelihood", operation(kernel)(z, shares)[0])
    return LawModel(law, plan, kernel, model)
