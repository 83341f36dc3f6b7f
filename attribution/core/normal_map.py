r"""Standard normal vectors in; draws of (B, Σ, Q) from a conjugate posterior out, as a fixed map.

The map lets any set of draws be reached by moving a normal vector about: Q is the orthogonal
factor of a matrix of normals, the squared diagonal of Bartlett's triangle is the quantile function
of a chi-square at the normal's probability, and the coefficients are linear in the rest.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammainccinv, gammaincinv, ndtr

from attribution.core.niw import NormalInverseWishart


def rotation(normals: np.ndarray) -> np.ndarray:
    """Orthogonal matrices (draw, n, n), uniform on O(n), from (draw, n n) normals."""
    draws, size = normals.shape
    n = round(float(np.sqrt(size)))
    q, r = np.linalg.qr(normals.reshape(draws, n, n))
    turned: np.ndarray = q * np.copysign(1.0, np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    return turned


def factor(of: NormalInverseWishart, normals: np.ndarray) -> np.ndarray:
    r"""Lower factors P of Σ (draw, n, n) from (draw, n (n + 1) / 2) normals, diagonal first.

    With :math:`\Sigma^{-1} = C^{-\prime} U U' C^{-1}`, C the factor of the scale and U upper
    triangular by Bartlett, :math:`P = C U^{-\prime}`.

    References
    ----------
    bartlett1933
    """
    n = len(of.scale)
    half = 0.5 * (of.dof - np.arange(n)[::-1])
    z = normals[:, :n]
    # each tail by the function that keeps its digits
    above, below = gammainccinv(half, ndtr(-z)), gammaincinv(half, ndtr(z))
    transposed = np.zeros((len(normals), n, n))
    transposed[:, np.arange(n), np.arange(n)] = np.sqrt(2.0 * np.where(z > 0, above, below))
    rows, columns = np.tril_indices(n, -1)
    transposed[:, rows, columns] = normals[:, n:]
    root = np.linalg.cholesky(of.scale)
    solved: np.ndarray = np.linalg.solve(
        transposed.swapaxes(1, 2), np.broadcast_to(root.T, transposed.shape)
    ).swapaxes(1, 2)
    return solved


def coefficients(of: NormalInverseWishart, root: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Coefficients (draw, regressor, n) from (draw, regressor n) normals and roots of Σ."""
    draws, n = root.shape[:2]
    k = len(of.mean)
    noise = normals.reshape(draws, k, n) @ root.swapaxes(1, 2)
    stacked = noise.transpose(1, 0, 2).reshape(k, draws * n)
    spread = solve_triangular(np.linalg.cholesky(of.precision), stacked, lower=True, trans="T")
    drawn: np.ndarray = of.mean + spread.reshape(k, draws, n).transpose(1, 0, 2)
    return drawn
