r"""A frame of columns and their cones in; the largest contribution of one of them out.

Maximise :math:`\pm q_k' M q_k` over orthogonal Q whose named columns stay inside their cones: an
interior-point method on O(n).  A logarithmic barrier keeps the frame inside; each Newton step is
taken in the n(n−1)/2 angles around the current frame and walked along a Cayley transform, which is
orthogonal to machine precision.  The same steps, with the barrier set back by a margin that
shrinks, find a first admissible frame where there is one near.

Kernels that call each other stay in one file: the compiler's cache looks at no other.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

STAGES = 7
SHRINK = 0.2
"""The barrier's weight falls by this factor a stage, to about 2e-5 of the unrestricted range."""
STEPS = 12


@njit(cache=True, nogil=True)
def _height(values, bounds, form, k, tau, margin):  # type: ignore[no-untyped-def]
    """Objective with its barrier; minus infinity outside the cones."""
    total, product = tau * form[k, k], 1.0
    for c in range(bounds.shape[0] - 1):
        for r in range(bounds[c], bounds[c + 1]):
            inside = values[r, c] + margin
            if inside <= 0.0:
                return -math.inf
            product *= inside
            if product < 1e-200:
                total += math.log(product)
                product = 1.0
    return total + math.log(product)


@njit(cache=True, nogil=True)
def _derivatives(values, bounds, form, k, tau, margin, shift):  # type: ignore[no-untyped-def]
    """Gradient in the angles, and a positive definite stand-in for minus the Hessian.

    Column c moves by z_i along column i: what it feels is gathered first, then booked to the
    angle between i and c, which moves column i by the opposite amount.
    """
    n = form.shape[0]
    size = n * (n - 1) // 2
    slope, bend = np.zeros(size), np.zeros((size, size))
    pull, curve = np.empty(n), np.empty((n, n))
    place, side = np.empty(n, dtype=np.int64), np.empty(n)
    for c in range(n):
        named = c + 1 < bounds.shape[0]
        if not named and c != k:
            continue
        for i in range(n):
            pull[i] = 0.0
            for j in range(n):
                curve[i, j] = 0.0
        if named:
            for r in range(bounds[c], bounds[c + 1]):
                steep = 1.0 / (values[r, c] + margin)
                ease = max(values[r, c] * steep, 0.0)
                for i in range(n):
                    x = values[r, i] * steep
                    pull[i] += x
                    curve[i, i] += ease
                    for j in range(i + 1):
                        curve[i, j] += x * values[r, j] * steep
        if c == k:
            for i in range(n):
                pull[i] += 2.0 * tau * form[i, k]
                curve[i, i] += 2.0 * tau * shift
                for j in range(i + 1):
                    curve[i, j] -= 2.0 * tau * form[i, j]
        for i in range(n):
            low, high = min(i, c), max(i, c)
            place[i] = high * (high - 1) // 2 + low
            side[i] = 1.0 if i < c else -1.0
        for i in range(n):
            if i != c:
                slope[place[i]] += side[i] * pull[i]
                for j in range(i + 1):
                    if j != c:
                        high, low = max(place[i], place[j]), min(place[i], place[j])
                        bend[high, low] += side[i] * side[j] * curve[i, j]
    return slope, bend


@njit(cache=True, nogil=True)
def _newton(slope, bend):  # type: ignore[no-untyped-def]
    """Solve bend x = slope by Cholesky in place (lower half).

    A pivot below zero is turned over: the step then still climbs where the objective bends up.
    """
    m = slope.shape[0]
    x = slope.copy()
    for i in range(m):
        for j in range(i + 1):
            total = bend[i, j]
            for l in range(j):  # noqa: E741
                total -= bend[i, l] * bend[j, l]
            if i == j:
                bend[i, i] = math.sqrt(max(abs(total), 1e-6 * abs(bend[i, i]), 1e-12))
            else:
                bend[i, j] = total / bend[j, j]
    for i in range(m):
        for j in range(i):
            x[i] -= bend[i, j] * x[j]
        x[i] /= bend[i, i]
    for i in range(m - 1, -1, -1):
        x[i] /= bend[i, i]
        for j in range(i):
            x[j] -= bend[i, j] * x[i]
    return x


@njit(cache=True, nogil=True)
def _cayley(x, length, n):  # type: ignore[no-untyped-def]
    """Rotate by the skew matrix of angles x, ``length`` of the way."""
    skew = np.zeros((n, n))
    for j in range(n):
        for i in range(j):
            half = 0.5 * length * x[j * (j - 1) // 2 + i]
            skew[i, j], skew[j, i] = half, -half
    return _unskew(skew)


@njit(cache=True, nogil=True)
def _unskew(skew):  # type: ignore[no-untyped-def]
    """Solve (1 − S) X = 1 + S; the symmetric part of 1 − S is one, so no pivot can vanish."""
    n = skew.shape[0]
    left, right = -skew, skew.copy()
    for i in range(n):
        left[i, i] += 1.0
        right[i, i] += 1.0
    for i in range(n):
        for l in range(i + 1, n):  # noqa: E741
            ratio = left[l, i] / left[i, i]
            for j in range(i + 1, n):
                left[l, j] -= ratio * left[i, j]
            for j in range(n):
                right[l, j] -= ratio * right[i, j]
    for i in range(n - 1, -1, -1):
        for l in range(i + 1, n):  # noqa: E741
            for j in range(n):
                right[i, j] -= left[i, l] * right[l, j]
        for j in range(n):
            right[i, j] /= left[i, i]
    return right


@njit(cache=True, nogil=True)
def _center(values, bounds, form, k, tau, margin, ends):  # type: ignore[no-untyped-def]
    """Newton steps to the top of one barrier problem, starting inside."""
    n = form.shape[0]
    height = _height(values, bounds, form, k, tau, margin)
    for _ in range(STEPS):
        slope, bend = _derivatives(values, bounds, form, k, tau, margin, form[k, k])
        x = _newton(slope, bend)
        gain, widest = 0.0, 0.0
        for i in range(x.shape[0]):
            gain += slope[i] * x[i]
            widest = max(widest, abs(x[i]))
        if gain < 0.02:
            break
        length = min(1.0, 1.0 / widest)
        moved = False
        for _ in range(25):
            turn = _cayley(x, length, n)
            new_values, new_form = values @ turn, turn.T @ form @ turn
            new_height = _height(new_values, bounds, new_form, k, tau, margin)
            if new_height > height + 0.05 * length * gain:
                values, form, height, moved = new_values, new_form, new_height, True
                break
            length *= 0.5
        if not moved:
            break
    return values, form


@njit(cache=True, nogil=True)
def _extreme(values, bounds, form, k, sign, ends):  # type: ignore[no-untyped-def]
    """Largest (sign 1) or smallest (−1) contribution of column k reached from a frame inside.

    The whole path first leads to the middle of the cones and then up, which forgets the start and
    finds the widest hill; its last stages alone stay on the hill of the start, however narrow.
    """
    best = form[k, k]
    for first in (0, STAGES // 2):
        here, own = values, form
        for stage in range(first, STAGES):
            tau = 3.0 / (ends[1] - ends[0]) / SHRINK**stage
            here, own = _center(here, bounds, own, k, sign * tau, 0.0, ends)
            if sign * own[k, k] > sign * best:
                best = own[k, k]
    return best


@njit(cache=True, nogil=True)
def _enter(values, bounds, form, rounds):  # type: ignore[no-untyped-def]
    """Turn a frame into its cones: (whether it got in, values, form)."""
    ends = np.zeros(2)
    for _ in range(rounds):
        worst = math.inf
        for c in range(bounds.shape[0] - 1):
            for r in range(bounds[c], bounds[c + 1]):
                worst = min(worst, values[r, c])
        if worst > 0.0:
            return True, values, form
        values, form = _center(values, bounds, form, 0, 0.0, 1e-6 - 1.2 * worst, ends)
    return False, values, form


@njit(cache=True, nogil=True)
def enter_all(values, bounds, rounds):  # type: ignore[no-untyped-def]
    """Lead every frame inside; the last n rows of ``values`` are the identity and keep the turn."""
    cases, _, n = values.shape
    found, turn = np.zeros(cases, dtype=np.bool_), np.empty((cases, n, n))
    form = np.zeros((n, n))
    for d in range(cases):
        found[d], moved, _ = _enter(values[d], bounds, form, rounds)
        for i in range(n):
            for j in range(n):
                turn[d, i, j] = moved[moved.shape[0] - n + i, j]
    return found, turn


@njit(cache=True, nogil=True)
def extremes(values, form, bounds, ends):  # type: ignore[no-untyped-def]
    """Smallest and largest contribution reached (case, window, channel, 2)."""
    cases, windows = form.shape[:2]
    out = np.empty((cases, windows, bounds.shape[0] - 1, 2))
    for d in range(cases):
        for w in range(windows):
            for k in range(bounds.shape[0] - 1):
                out[d, w, k, 0] = _extreme(values[d], bounds, form[d, w], k, -1.0, ends[d, w])
                out[d, w, k, 1] = _extreme(values[d], bounds, form[d, w], k, 1.0, ends[d, w])
    return out
