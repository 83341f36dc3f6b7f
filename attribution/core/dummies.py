r"""The mean of the first rows in; artificial observations that keep unit roots in sight out.

With :math:`\bar y` the mean of the first ``lags`` rows and rows ordered as in ``niw.design``:

.. math::
    \text{sum of coefficients:}\quad & y = \mathrm{diag}(\bar y / \mu), &
        x &= [0,\ y, \ldots, y] \\
    \text{single unit root:}\quad & y = \bar y' / \delta, & x &= [1/\delta,\ y, \ldots, y]

The first says that a series that has stood still stays where it is, the second that all of them do
together unless the constants say otherwise; as μ or δ falls, they are imposed.  As published both
stand on the zero of the data: the first counts its tightness in the distance of the first rows from
it, the second meets the prior of the constants there.
"""

from __future__ import annotations

import numpy as np


def unit_root_dummies(
    level: np.ndarray,
    *,
    lags: int,
    constant: bool,
    sum_of_coefficients: float | None,
    single_unit_root: float | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return response (row, variable) and regressors (row, regressor); no row where both are None.

    Parameters
    ----------
    level : (variable,); mean of the first ``lags`` rows, unit of the variable.
    sum_of_coefficients, single_unit_root : μ and δ, positive; None leaves one out.

    References
    ----------
    giannone2015; sims1998
    """
    n = len(level)
    response, ones = np.zeros((0, n)), np.zeros((0, 1))
    if sum_of_coefficients is not None:
        response = np.diag(level / sum_of_coefficients)
        ones = np.zeros((n, 1))
    if single_unit_root is not None:
        response = np.concatenate([response, level[None] / single_unit_root])
        ones = np.concatenate([ones, [[1.0 / single_unit_root]]])
    parts = [ones] if constant else []
    return response, np.concatenate([*parts, *[response] * lags], axis=1)
