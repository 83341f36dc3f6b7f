r"""Two log likelihoods of every row in; the likelihood of the rows so far, dating integrated out.

The prior is that of ``studies.flows.dating`` over all rows, also those to come: a switch may lie
ahead.
After row t the paths are of four sorts, always at one reading so far or past the switch, and each
sort keeps its own sum:

.. math::
    S_t = S_{t-1}\, p_0(y_t) + w_s \prod_{u < t} p_1(y_u)\, p_{01}(y_t)

for the paths that have switched to the same day, whose first row holds both days, and likewise
back.  What is known of the reading
of a row, also of a later one, leaves out the paths that contradict it.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from attribution.studies.flows.dating import READINGS, DatingPrior, add_logs

LOST = 1e-150
"""Share of the likeliest path below which another is counted in logs."""


def running_likelihood(
    rows: np.ndarray, prior: DatingPrior, known: np.ndarray | None = None
) -> np.ndarray:
    """Return log likelihoods of the rows so far; differences are one-step predictions.

    Parameters
    ----------
    rows : (reading, series, time), log likelihood of each row under ``dating.READINGS``; zero for
        a row that says nothing.
    known : (time,), 0 or 1 where the reading of a row is known, -1 where it is not; nothing is
        known if it is left out.

    Returns
    -------
    (series, time + 1), given what is known; zero before the first row.

    Raises
    ------
    ValueError
        If no path has the readings that are known.
    """
    if np.ndim(rows) != 3 or len(rows) != len(READINGS):
        raise ValueError(f"log likelihoods {np.shape(rows)} are not those of {READINGS}")
    zero, one, both, neither = (np.ascontiguousarray(part, float) for part in rows)
    time = zero.shape[1]
    weight = prior.log_weights(time)
    told = np.full(time, -1) if known is None else np.asarray(known, np.int64)
    with np.errstate(divide="ignore"):
        ends, turns = (np.log(count) for count in _completions(told))
        start = np.log(told[0] != np.array([1, 1, 0, 0]))
    ways = np.array([ends[0, 0], start[1] + turns[0, 1], ends[1, 0], start[2] + turns[1, 1]])
    first = np.logaddexp.reduce(weight[[0, 3, 1, 2]] + ways)
    if first == -np.inf:
        raise ValueError("no path of the prior has the readings that are known")
    found: np.ndarray = _running((zero, one, both, neither), weight, told, ends, turns) - first
    found[:, 0] = 0.0
    return found


@nb.njit(cache=True)
def _completions(known):  # type: ignore[no-untyped-def]
    """Count the ways on from each reading and row (reading, time + 1), known rows permitting.

    ``ends`` counts the one without a switch, ``turns`` those whose first row after it is this one
    or a later one.
    """
    time = len(known)
    ends, turns = np.ones((2, time + 1)), np.zeros((2, time + 1))
    for t in range(time - 1, -1, -1):
        for reading in range(2):
            stays = known[t] < 0 or known[t] == reading
            ends[reading, t] = ends[reading, t + 1] if stays else 0.0
            turns[reading, t] = turns[reading, t + 1] if stays else 0.0
        for reading in range(2):
            if known[t] < 0:  # the first row after a switch has a reading of its own
                turns[reading, t] += ends[1 - reading, t + 1]
    return ends, turns


@nb.njit(cache=True, nogil=True)
def _running(rows, weight, known, ends, turns):  # type: ignore[no-untyped-def]
    """Carry every series forward; in logs where the sums themselves would lose a path."""
    series, time = rows[0].shape
    found = np.zeros((series, time + 1))
    own, end, turn = np.exp(weight), np.exp(ends), np.exp(turns)
    for i in range(series):
        each = rows[0][i], rows[1][i], rows[2][i], rows[3][i]
        if not _scaled(each, own, known, end, turn, found[i]):
            _in_logs(each, weight, known, ends, turns, found[i])
    return found


@nb.njit(cache=True, nogil=True)
def _scaled(rows, weight, known, ends, turns, found):  # type: ignore[no-untyped-def]
    """Carry the sums themselves, scaled; returns whether no path was lost that may come back.

    Of the paths that have switched only those may be lost that a later switch has overtaken.
    """
    zero, one, both, neither = rows
    all_same, all_previous, to_same, to_previous, total = 1.0, 1.0, 0.0, 0.0, 0.0
    for t in range(len(zero)):
        top = max(max(zero[t], one[t]), max(both[t], neither[t]))
        p0 = 0.0 if known[t] == 1 else np.exp(zero[t] - top)
        p1 = 0.0 if known[t] == 0 else np.exp(one[t] - top)
        to_same, to_previous = to_same * p0, to_previous * p1
        if t > 0 and known[t] < 0:
            to_same += weight[2] * all_previous * np.exp(both[t] - top)
            to_previous += weight[3] * all_same * np.exp(neither[t] - top)
        all_same, all_previous = all_same * p0, all_previous * p1
        mass = all_same * (weight[0] * ends[0, t + 1] + weight[3] * turns[0, t + 1])
        mass += all_previous * (weight[1] * ends[1, t + 1] + weight[2] * turns[1, t + 1])
        mass += to_same * ends[0, t + 1] + to_previous * ends[1, t + 1]
        total += top
        found[t + 1] = total + np.log(mass)
        large = max(max(all_same, all_previous), max(to_same, to_previous))
        if all_same < LOST * large and known[: t + 1].max() < 1:
            return False
        if all_previous < LOST * large and not (known[: t + 1] == 0).any():
            return False
        if large < 1e-100:
            all_same, all_previous = all_same / large, all_previous / large
            to_same, to_previous = to_same / large, to_previous / large
            total += np.log(large)
    return True


@nb.njit(cache=True, nogil=True)
def _in_logs(rows, weight, known, ends, turns, found):  # type: ignore[no-untyped-def]
    """Carry the logs of the four sums forward (time,); the other arguments are logs too."""
    zero, one, both, neither = rows
    time = len(zero)
    on = np.empty((2, time + 1))  # log mass of the ways on for paths that have not switched
    for t in range(time + 1):
        on[0, t] = add_logs(weight[0] + ends[0, t], weight[3] + turns[0, t])
        on[1, t] = add_logs(weight[1] + ends[1, t], weight[2] + turns[1, t])
    all_same, all_previous, to_same, to_previous = 0.0, 0.0, -np.inf, -np.inf
    for t in range(time):
        p0 = -np.inf if known[t] == 1 else zero[t]
        p1 = -np.inf if known[t] == 0 else one[t]
        to_same, to_previous = to_same + p0, to_previous + p1
        if t > 0 and known[t] < 0:
            to_same = add_logs(to_same, weight[2] + all_previous + both[t])
            to_previous = add_logs(to_previous, weight[3] + all_same + neither[t])
        all_same, all_previous = all_same + p0, all_previous + p1
        unswitched = add_logs(all_same + on[0, t + 1], all_previous + on[1, t + 1])
        switched = add_logs(to_same + ends[0, t + 1], to_previous + ends[1, t + 1])
        found[t + 1] = add_logs(unswitched, switched)
