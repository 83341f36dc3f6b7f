r"""What a window's contributions can be before any prior on rotations is chosen.

For an outcome o, a window of days s = 1 ... S, any square root P of Σ, and Q orthogonal,

.. math::
    C_k = q_k' M q_k, \qquad M = \mathrm{sym} \sum_s a_s b_s', \qquad
    a_s = P' \Big(\sum_{j \le S-s} \Psi_j\Big)' e_o, \quad b_s = P^{-1} u_s

so that (1) contributions add up because a trace is invariant, (2) without assumptions each lies
between the extreme eigenvalues of M, and (3) a uniform rotation gives every shock
:math:`\mathrm{tr}(M)/n` on average, whatever the data: adding a variable dilutes every channel.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from attribution.core import propagate
from attribution.core.rotations.frame_ascent import enter_all, extremes

AGREEMENT = 0.02
"""Independent starts must agree within this share of the no-assumption range."""


def window_form(
    lag_coefficients: np.ndarray, root: np.ndarray, errors: np.ndarray, outcome: int
) -> np.ndarray:
    r"""Return M, the quadratic form of the contributions to the outcome, summed over the window.

    Parameters
    ----------
    lag_coefficients : (..., lag, variable, regressor).
    root : (..., variable, variable), P; any root of Σ.  An impact matrix is one, and then the
        diagonal of M holds the contributions themselves.
    errors : (..., time, variable), u; one-step errors of the window; unit of the variable.
    outcome : index of the outcome.

    Returns
    -------
    (..., variable, variable), symmetric; unit of the outcome.
    """
    days, n = errors.shape[-2:]
    one = np.broadcast_to(np.eye(n), (*lag_coefficients.shape[:-3], n, n))
    psi = propagate.responses(lag_coefficients, one, days - 1)[..., outcome, :]
    reach = np.cumsum(psi, axis=-2)[..., ::-1, :]
    a = reach @ root
    b = np.linalg.solve(root[..., None, :, :], errors[..., None])[..., 0]
    product = a.swapaxes(-1, -2) @ b
    form: np.ndarray = 0.5 * (product + product.swapaxes(-1, -2))
    return form


def contribution(form: np.ndarray, columns: np.ndarray) -> np.ndarray:
    r"""Contribution :math:`q_k' M q_k` of each column of a rotation (..., column)."""
    parts: np.ndarray = np.einsum("...ik,...ij,...jk->...k", columns, form, columns)
    return parts


def no_assumption(form: np.ndarray) -> np.ndarray:
    """Smallest and largest contribution of any one shock, over all rotations (..., 2)."""
    values: np.ndarray = np.linalg.eigvalsh(form)[..., [0, -1]]
    return values


def dilution(form: np.ndarray) -> np.ndarray:
    """Return what a uniform rotation books to every shock on average, tr(M)/n (...,)."""
    share: np.ndarray = np.trace(form, axis1=-2, axis2=-1) / form.shape[-1]
    return share


def uniform_spread(form: np.ndarray, weight: np.ndarray) -> np.ndarray:
    r"""Sd of a contribution under uniform rotations without restrictions, (window,).

    Given M it has mean :math:`t/n` and variance
    :math:`2 (n\, \mathrm{tr} M^2 - t^2) / (n^2 (n + 2))`, with :math:`t = \mathrm{tr} M`, the same
    for every channel; over draws the variances average and the means spread.

    Parameters
    ----------
    form : (draw, window, variable, variable), M.
    weight : (draw,).
    """
    n = form.shape[-1]
    trace = np.trace(form, axis1=-2, axis2=-1)
    square = (form**2).sum((-2, -1))
    variance = 2.0 * (n * square - trace**2) / (n**2 * (n + 2))
    share = weight / weight.sum()
    mean = trace / n
    found: np.ndarray = np.sqrt(share @ variance + share @ (mean - share @ mean) ** 2)
    return found


def identification_strength(lower: np.ndarray, upper: np.ndarray, form: np.ndarray) -> np.ndarray:
    r"""Share of the no-assumption range that the restrictions rule out.

    .. math:: IS_k = 1 - \frac{U_k - L_k}{\lambda_{\max}(M) - \lambda_{\min}(M)}

    Zero: the restrictions say nothing about this contribution.  One: they fix it.

    Parameters
    ----------
    lower, upper : (..., channel).
    form : (..., variable, variable).
    """
    ends = no_assumption(form)
    strength: np.ndarray = 1.0 - (upper - lower) / (ends[..., 1] - ends[..., 0])[..., None]
    return strength


def admissible(
    root: np.ndarray, guess: np.ndarray, rows: np.ndarray, ends: np.ndarray, *, rounds: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Turn a guess into an impact matrix of the given Σ whose columns lie in their cones.

    The guess, an impact matrix of some other Σ, is first rotated to the nearest impact matrix of
    this one and then led inside.  A frame that is returned proves that the set is not empty; a
    search that fails proves nothing.

    Parameters
    ----------
    root : (case, variable, variable), P with Σ = PP'.
    guess : (case, variable, shock).
    rows : (row, variable); cones of all named columns, stacked; named columns come first.
    ends : (channel,) int; where each channel's rows end.

    Returns
    -------
    Whether a frame was found (case,), and the impact matrix (case, variable, shock).
    """
    left, _, right = np.linalg.svd(np.linalg.solve(root, guess))
    values = _values(root @ left @ right, rows)
    n = root.shape[-1]
    unit = np.broadcast_to(np.eye(n), (len(root), n, n))
    found, turn = enter_all(np.concatenate([values, unit], axis=1), _bounds(ends), rounds)
    return found, root @ left @ right @ turn


def robust(
    impact: np.ndarray, form: np.ndarray, rows: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r"""Range of each channel's contribution over the admissible rotations, from several starts.

    .. math:: [L_k, U_k] = \Big[\min_Q q_k' M q_k, \max_Q q_k' M q_k\Big]
        \quad \text{s.t. every named column in its cone}

    The problem is not convex: each range is what the best start reached, an inner approximation.

    Parameters
    ----------
    impact : (case, start, variable, shock); admissible impact matrices of one Σ per case.
    form : (case, start, window, variable, variable); M with that impact matrix as root.
    rows, ends : see ``admissible``.

    Returns
    -------
    Lower and upper ends (case, window, channel, 2), and by how much the second-best start fell
    short of the best, as a share of the no-assumption range (case, window, channel); infinite with
    fewer than two starts.

    References
    ----------
    giacomini2021
    """
    cases, starts, n = impact.shape[:3]
    windows = form.shape[2]
    flat = impact.reshape(cases * starts, n, n)
    ends_free = no_assumption(form)
    reached = extremes(
        _values(flat, rows),
        form.reshape(cases * starts, windows, n, n),
        _bounds(ends),
        ends_free.reshape(cases * starts, windows, 2),
    ).reshape(cases, starts, windows, len(ends), 2)
    ordered = np.sort(reached * np.array([-1.0, 1.0]), axis=1)
    best = ordered[:, -1] * np.array([-1.0, 1.0])
    if starts < 2:
        return best, np.full(best.shape[:-1], np.inf)
    width = (ends_free[:, 0, :, 1] - ends_free[:, 0, :, 0])[..., None]
    return best, (ordered[:, -1] - ordered[:, -2]).max(-1) / width


def _bounds(ends: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], ends]).astype(np.int64)


def _values(impact: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of all rows on all columns, rows scaled to length one where Σ is the identity."""
    values = rows @ impact
    length: np.ndarray = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.ascontiguousarray(values / np.where(length > 0, length, 1.0))


# Cones and quadratic forms in; ends that no admissible column can pass, out.

ROUNDS = 300
"""Steps of the search for N."""
MARGIN = 0.01
"""Share of the no-assumption range by which a range must be clear of zero for its sign to count."""


def clear_of_zero(
    values: np.ndarray, bounds: np.ndarray, form: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    r"""Distance from zero that no admissible rotation can undercut, (case, window, channel).

    Over :math:`\{q : Gq \ge 0, \lVert q \rVert = 1\}` the products :math:`(Gq)_i (Gq)_j` are not
    negative, so that for every symmetric N without negative entries

    .. math:: q' M q \;\le\; q'(M + G'NG)q \;\le\; \lambda_{\max}(M + G'NG).

    The best N solves the dual of a semidefinite relaxation; an alternating direction method finds
    one near it, and whichever it finds, the right-hand side holds. A search from starts inside
    stops short of the true end; this bound never does. The other columns, to which q is orthogonal,
    are left out: the bound may lie beyond what they allow.

    Zero where the search itself found contributions of both signs, or where the bound leaves room
    for them.

    Parameters
    ----------
    values : (case, row, column); all rows on an orthogonal frame's columns, in which ``form`` is
        written.
    bounds : (channel + 1,); where each channel's rows start, and the last end.
    form : (case, window, column, column).
    ends : (case, window, channel, 2); range that a search from inside reached.
    """
    clear = np.zeros(ends.shape[:-1])
    for k, (start, stop) in enumerate(pairwise(bounds)):
        for way, beyond in ((1.0, ends[..., k, 1] < 0.0), (-1.0, ends[..., k, 0] > 0.0)):
            case, window = np.nonzero(beyond)
            end = outer_end(values[case, start:stop], way * form[case, window])
            clear[case, window, k] = np.maximum(-end, 0.0)
    return clear


def outer_end(rows: np.ndarray, form: np.ndarray) -> np.ndarray:
    r"""Return an upper bound of :math:`q' M q` over unit q with :math:`Gq \ge 0`, (case,).

    Parameters
    ----------
    rows : (case, row, variable), G.
    form : (case, variable, variable), M, symmetric.

    References
    ----------
    wen2010
    """
    n, m = form.shape[-1], rows.shape[1]
    best: np.ndarray = np.linalg.eigvalsh(form)[:, -1]
    if not len(form) or not m:
        return best
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    g = rows / np.where(length > 0, length, 1.0)
    size = np.maximum(np.abs(np.linalg.eigvalsh(form)).max(-1), 1e-300)[:, None, None]
    m_form = form / size
    i, j = np.triu_indices(m)
    # symmetric products of two rows, the identity first: every constraint is an inner product
    products = 0.5 * (g[:, i, :, None] * g[:, j, None, :] + g[:, j, :, None] * g[:, i, None, :])
    eye = np.broadcast_to(np.eye(n), (len(g), 1, n, n))
    flat = np.concatenate([eye, products], axis=1).reshape(len(g), -1, n * n)
    gram = flat @ flat.swapaxes(1, 2)
    gram[:, 1:, 1:] += np.eye(len(i))
    inverse = np.linalg.inv(gram + 1e-10 * np.eye(1 + len(i)))
    x, z = np.broadcast_to(np.eye(n) / n, form.shape), np.zeros((len(g), len(i)))
    s, t = np.zeros_like(m_form), np.zeros_like(z)
    found = best / size[:, 0, 0]
    for _ in range(ROUNDS):
        missed = (flat @ (x + s + m_form).reshape(len(g), -1, 1))[..., 0]
        missed[:, 0] -= 1.0
        missed[:, 1:] -= z + t
        y = -(inverse @ missed[..., None])[..., 0]
        pulled = (y[:, None] @ flat).reshape(form.shape)
        values, vectors = np.linalg.eigh(-m_form - pulled - x)
        s = (vectors * np.maximum(values, 0.0)[:, None]) @ vectors.swapaxes(1, 2)
        x = (vectors * np.maximum(-values, 0.0)[:, None]) @ vectors.swapaxes(1, 2)
        raw = y[:, 1:] - z
        t, z = np.maximum(raw, 0.0), np.maximum(-raw, 0.0)
        bound = (np.maximum(y[:, None, 1:], 0.0) @ flat[:, 1:]).reshape(form.shape)
        found = np.minimum(found, np.linalg.eigvalsh(m_form + bound)[:, -1])
    end: np.ndarray = found * size[:, 0, 0]
    return end
