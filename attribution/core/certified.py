r"""Cones and quadratic forms in; ends that no admissible column can pass, out.

Over :math:`\{q : Gq \ge 0, \lVert q \rVert = 1\}` the products :math:`(Gq)_i (Gq)_j` are not
negative, so that for every symmetric N without negative entries

.. math:: q' M q \;\le\; q'(M + G'NG)q \;\le\; \lambda_{\max}(M + G'NG).

The best N solves the dual of a semidefinite relaxation; an alternating direction method finds one
near it, and whichever it finds, the right-hand side holds.  A search from starts inside stops
short of the true end; this bound never does.  The other columns, to which q is orthogonal, are
left out: the bound may lie beyond what they allow.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

ROUNDS = 300
"""Steps of the search for N."""
MARGIN = 0.01
"""Share of the no-assumption range by which a range must be clear of zero for its sign to count."""


def clear_of_zero(
    values: np.ndarray, bounds: np.ndarray, form: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Distance from zero that no admissible rotation can undercut, (case, window, channel).

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
