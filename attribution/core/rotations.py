"""A generator of random numbers in; orthogonal matrices, uniform on all of O(n), out."""

from __future__ import annotations

import numpy as np


def haar(n: int, draws: int, rng: np.random.Generator) -> np.ndarray:
    r"""Draw from the Haar measure on O(n), both signs of the determinant.

    .. math:: Z = QR,\ Z_{ij} \sim N(0, 1),\ \mathrm{diag}(R) > 0

    Without the sign convention Q would inherit that of the factorisation and not be uniform.
    Half of the matrices have determinant −1: rotations alone would make the result depend on the
    order in which shocks are named.

    Returns
    -------
    (draw, n, n).

    References
    ----------
    stewart1980; rubioramirez2010, Theorem 9
    """
    q, r = np.linalg.qr(rng.standard_normal((draws, n, n)))
    sign = np.copysign(1.0, np.diagonal(r, axis1=1, axis2=2))
    rotation: np.ndarray = q * sign[:, None, :]
    return rotation
