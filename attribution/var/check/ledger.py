r"""Spreads before and after the data in; what each contribution rests on out.

.. math::
    \mathrm{contraction} = 1 - \sigma^2_{posterior} / \sigma^2_{prior}, \qquad
    \mathrm{informativeness} = 1 - \frac{\text{width of the credible interval}}
        {\text{width of the robust region}}

Contraction says how much of the prior's spread the data removed.  Informativeness says how much of
the robust region, which holds for every prior on rotations, the one prior that was chosen removed;
no data ever revise it.

A contribution's class is the first that applies:

=============  ====================================================================================
bookkeeping    adding up fixes it: given the observed move, its sd is below a twentieth of the
               move before any series has said which channel it was
prior-only     the data left its variance within a tenth of the prior's, or the unrevisable prior
               removed nine tenths of the robust region
data           the data removed three quarters of its variance, the posterior does not move with
               the priors (sensitivity below 0.05), and less than half of the robust region was
               removed by an unrevisable prior
partial        otherwise; also where the data widened the spread: they moved it and settled nothing
=============  ====================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from attribution.core.moves import chances, leading
from attribution.finding import Finding
from attribution.model.spec import UNATTRIBUTED
from attribution.sampling.pareto import LIMIT

FIXED = 0.05
"""Sd under the prior, as a share of the move, below which adding up alone fixes a contribution."""
TAUGHT, UNTAUGHT = 0.75, 0.1
"""Contraction from which the data speak, and within which of zero they are silent."""
CHOSEN, HALF = 0.9, 0.5
"""Informativeness from which the unrevisable prior speaks alone, and below which it does not."""
CLASSES = ("bookkeeping", "prior-only", "data", "partial")


def ledger(
    names: Sequence[str],
    prior_sd: np.ndarray,
    posterior_sd: np.ndarray,
    *,
    move: float,
    sensitivity: np.ndarray | None = None,
    informativeness: np.ndarray | None = None,
) -> pd.DataFrame:
    """Tabulate what every contribution of a window rests on.

    Parameters
    ----------
    names : of the contributions.
    prior_sd, posterior_sd : (contribution,); the first given the event, under the prior of
        everything but the lags, or, for restrictions alone, under uniform rotations without
        restrictions.
    move : the outcome's move over the window, in the same unit.
    sensitivity : (contribution,); to a power of the priors, largest over their parts; None where
        no part was scaled.
    informativeness : (contribution,); None for a posterior without an unrevisable prior.

    Returns
    -------
    Index ``names``; ``prior_sd``, ``posterior_sd``, ``contraction``, ``sensitivity``,
    ``informativeness`` (NaN where not known) and ``class``.

    References
    ----------
    giacomini2021; kallioinen2024
    """
    unknown = np.full(len(names), np.nan)
    moved = unknown if sensitivity is None else np.asarray(sensitivity, float)
    chosen = unknown if informativeness is None else np.asarray(informativeness, float)
    before, after = np.asarray(prior_sd, float), np.asarray(posterior_sd, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        contraction = np.where(before > 0, 1.0 - (after / before) ** 2, np.nan)
    bookkeeping = before < FIXED * abs(move)
    silent = (np.abs(contraction) < UNTAUGHT) | (chosen >= CHOSEN)
    taught = (contraction >= TAUGHT) & ~(moved >= LIMIT) & ~(chosen >= HALF)
    return pd.DataFrame(
        {
            "prior_sd": before,
            "posterior_sd": after,
            "contraction": contraction,
            "sensitivity": moved,
            "informativeness": chosen,
            "class": np.select([bookkeeping, silent, taught], CLASSES[:3], CLASSES[3]),
        },
        index=pd.Index(list(names)),
    )


def spread(draws: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Weighted standard deviation of draws (draw, contribution), (contribution,)."""
    share = np.full(len(draws), 1.0 / len(draws)) if weight is None else weight / weight.sum()
    found: np.ndarray = np.sqrt(share @ (draws - share @ draws) ** 2)
    return found


def informativeness(
    draws: np.ndarray, weight: np.ndarray, region: np.ndarray, *, level: float = 0.9
) -> np.ndarray:
    """Share of the robust region that the one prior on rotations removed, (contribution,).

    Parameters
    ----------
    draws : (draw, contribution); under that prior.
    weight : (draw,).
    region : (contribution, 2); robust region at the same ``level``.

    References
    ----------
    giacomini2021
    """
    low = 0.5 * (1.0 - level)
    ends = np.quantile(draws, [low, 1.0 - low], axis=0, weights=weight, method="inverted_cdf")
    width = region[:, 1] - region[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        found: np.ndarray = np.where(width > 0, 1.0 - (ends[1] - ends[0]) / width, np.nan)
    return found


# Contributions under the prior in; whether the prior takes sides out.


def neutral(prior: xr.DataArray, observed: float) -> Finding:
    """Ask whether the prior alone would name a culprit.

    Parameters
    ----------
    prior : (draw, channel); contributions to the first window under the prior, given the event.
    observed : the move of the outcome over that window.

    Returns
    -------
    A finding that holds if every channel's prior probability of being the largest lies between
    half and twice the neutral one.
    """
    named = [str(name) for name in prior["channel"].to_numpy() if name != UNATTRIBUTED]
    draws = prior.sel(channel=named).transpose("draw", "channel").to_numpy()
    chance = chances(leading(draws, observed), len(named))
    fair = 1.0 / len(named)
    inside = (chance >= fair / 2) & (chance <= 2 * fair)
    said = ", ".join(f"{name} {p:.2f}" for name, p in zip(named, chance, strict=True))
    return Finding(
        name="prior importance",
        question="Is the prior, given the size of the event, neutral on who is the largest?",
        evidence=(
            f"prior probability of being the largest: {said}; neutral is {fair:.2f}, and"
            f" {fair / 2:.2f} to {2 * fair:.2f} is called neutral"
        ),
        verdict="holds" if inside.all() else "fails",
    )
