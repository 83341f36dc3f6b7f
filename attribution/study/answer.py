"""Draws of an estimand, or its estimate and standard error, in; its row of a table out."""

from __future__ import annotations

from math import inf, isinf

import numpy as np
from scipy.stats import norm, t

Row = dict[str, object]
"""The columns of ``ANSWER``, and further ones after them."""


def of_draws(
    estimand: str, draws: np.ndarray, unit: str, *, mean: float | None = None, **more: object
) -> Row:
    """Summarise draws by their mean, standard deviation and central 90 % interval.

    Parameters
    ----------
    draws : of any shape, in ``unit``.
    mean : of the estimand, where it is known better than from draws.
    more : further columns.
    """
    found = spread(draws)
    centre = found["mean"] if mean is None else mean
    return of_interval(estimand, centre, found["sd"], (found["q05"], found["q95"]), unit, **more)


def of_error(
    estimand: str, mean: float, sd: float, unit: str, *, freedom: float = inf, **more: object
) -> Row:
    r"""Give an estimate with standard error ``sd`` its 90 % interval.

    .. math:: \hat\theta \pm t_{0.95}(\nu)\,\mathrm{se}(\hat\theta)

    Parameters
    ----------
    freedom : degrees of freedom of the t law; the normal law if it is infinite.
    more : further columns.
    """
    reach = float(norm.ppf(0.95) if isinf(freedom) else t.ppf(0.95, freedom))
    return of_interval(estimand, mean, sd, (mean - reach * sd, mean + reach * sd), unit, **more)


def of_interval(
    estimand: str,
    mean: float,
    sd: float,
    ends: tuple[float, float],
    unit: str,
    **more: object,
) -> Row:
    """Lay out an estimate whose 90 % interval was found elsewhere."""
    low, high = ends
    return {
        "estimand": estimand,
        "mean": float(mean),
        "sd": float(sd),
        "q05": float(low),
        "q95": float(high),
        "unit": unit,
        **more,
    }


def spread(draws: np.ndarray) -> dict[str, float]:
    """Return mean, standard deviation and central 90 % interval of draws of any shape."""
    drawn = np.ravel(draws)
    low, high = np.quantile(drawn, (0.05, 0.95))
    return {
        "mean": float(drawn.mean()),
        "sd": float(drawn.std(ddof=1)),
        "q05": float(low),
        "q95": float(high),
    }
