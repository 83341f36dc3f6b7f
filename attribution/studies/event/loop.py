r"""Moves with and without the mark of forced orders in; the density of which one is true out.

.. math:: \ln L = \ln\bigl\{a\,e^{V(0)} + (1 - a)\,e^{V(m)}\bigr\}

with V(m) the log density of all moves where forced orders meet the market m times over.  Whether
they are absorbed is a property of the market and not of a day, so that whole sums are mixed and not
days.  The indicator is integrated out exactly; given parameters its own probability is that of the
first term.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

# The days of a density of moves with feedback: everything in it that no parameter touches.

SCALARS = (
    "mu", "s0", "s1", "nu", "log_impact", "exponent",
    "alpha_long", "base_long", "power_long", "tau_long", "funding_long",
    "alpha_short", "base_short", "power_short", "tau_short", "funding_short",
    "liquidation_multiple", "gross_gamma", "gamma_width", "face", "pass_through",
    "dealer_position", "overlay", "through", "vol_down", "vol_up",
)  # fmt: skip
"""Order of the scalar parameters; ``through`` is the futures leg's flow that reaches spot."""


@dataclass(frozen=True)
class Days:
    """What no parameter touches; arrays are (day,) unless said otherwise.

    Attributes
    ----------
    move, noise, funding, volatility : log units, centred log scale, standardised, fraction.
    drivers : (day, driver).
    log_unit, log_volume : coefficient of impact at unit scale and exponent zero, and the log of
        what its power divides by; zero where the law is linear.
    floor : crossover of impact squared.
    log_size : log of the move over its reference.
    log_held : log of open interest, USD million.
    total : (side, day), liquidated, longs first; published : whether both are known.
    held : whether the day's move is given, and its density left out.
    named, latent : position among named days, and among those without totals; -1 elsewhere.
    relative : price over that of the event's day.
    noted : row of the tables below, -1 where notes do not trade.
    book, book_slope : (noted, node), at the day's move.
    put, put_slope, put_by_vol : (noted,), at the day's move and volatility.
    vol : (node,).
    """

    move: np.ndarray
    noise: np.ndarray
    funding: np.ndarray
    volatility: np.ndarray
    drivers: np.ndarray
    log_unit: np.ndarray
    log_volume: np.ndarray
    floor: float
    log_size: np.ndarray
    log_held: np.ndarray
    total: np.ndarray
    published: np.ndarray
    held: np.ndarray
    named: np.ndarray
    latent: np.ndarray
    relative: np.ndarray
    noted: np.ndarray
    book: np.ndarray
    book_slope: np.ndarray
    put: np.ndarray
    put_slope: np.ndarray
    put_by_vol: np.ndarray
    vol: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """Arguments of the kernel, in order."""
        return (
            self.move, self.noise, self.funding, self.volatility, self.drivers, self.log_unit,
            self.log_volume, np.array([self.floor]), self.log_size, self.log_held, self.total,
            self.published, self.held, self.named, self.latent, self.relative, self.noted,
            self.book, self.book_slope, self.put, self.put_slope, self.put_by_vol, self.vol,
        )  # fmt: skip


# Parts of the kernel of moves with feedback that stand alone: cells, published totals.

LOG_ROOT = 0.5 * math.log(2.0 * math.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def cell(nodes, x):  # type: ignore[no-untyped-def]
    """Node below x, or -1 and the last node outside; share of the way to the next."""
    last = len(nodes) - 1
    if x < nodes[0]:
        return 0, 0.0, False
    if x >= nodes[last]:
        return last - 1, 1.0, False
    low, high = 0, last
    while high - low > 1:
        mid = (low + high) // 2
        if x < nodes[mid]:
            high = mid
        else:
            low = mid
    return low, (x - nodes[low]) / (nodes[low + 1] - nodes[low]), True


@njit(cache=True, nogil=True, error_model="numpy")
def closed(th, t, against, reach, funding, log_held, log_size, total, d):  # type: ignore[no-untyped-def]
    """Log density of what was liquidated on both sides of a day."""
    value = 0.0
    for side in range(2):
        at = 6 + 5 * side
        answer = reach if side == against else 0.0
        level, spread = th[at + 1] + answer, th[at + 3]
        mean = log_held[t] + th[at] + th[at + 4] * funding[t] + math.log(level)
        gap = (math.log(total[side, t]) - mean) / spread
        value += -0.5 * gap * gap - math.log(spread) - LOG_ROOT
        pull = gap / spread
        d[at] += pull
        d[at + 1] += pull / level
        if answer > 0.0:
            d[at + 2] += pull * answer * log_size[t] / level
        d[at + 3] += (gap * gap - 1.0) / spread
        d[at + 4] += pull * funding[t]
    return value


# The density of moves that set off flows which move the price again, with its gradient.

ROOT_PI = math.sqrt(0.5 * math.pi)


@dataclass(frozen=True)
class Slopes:
    r"""Log density of moves and published liquidations, without constants of Student's t.

    .. math::
        \ln p(r_t) = \ln t_\nu\bigl(r_t - I_t(F_t) - \mu - \beta' f_t;\ s_t\bigr) + \ln(1 - g_t),
        \qquad
        g_t = I_t'(F_t)\,F_t'(r_t)

    A kernel over days, since flows, slopes and their derivatives share most of their terms.

    Attributes
    ----------
    value : minus infinity where the loop gain of a day is one or more; slopes are then zero.
    scalars : in the order of ``SCALARS``; beta (driver,); unwound (named,); zeta (side, latent).

    References
    ----------
    frey1997; schonbucher2000
    """

    value: float
    scalars: np.ndarray
    beta: np.ndarray
    unwound: np.ndarray
    zeta: np.ndarray


def loop_price(
    scalars: np.ndarray, beta: np.ndarray, unwound: np.ndarray, zeta: np.ndarray, days: Days
) -> Slopes:
    """Sum the log density over days.

    Parameters
    ----------
    scalars : in the order of ``SCALARS``.
    beta : (driver,), log units for one standard deviation.
    unwound : (named,), USD million.
    zeta : (side, latent), standardised shocks of liquidations that were not published.
    """
    out = np.zeros(len(SCALARS)), np.zeros(len(beta)), np.zeros(len(unwound)), np.zeros(zeta.shape)
    value = _days(scalars, beta, unwound, zeta, *days.arrays, *out)
    return Slopes(value, *out)


@njit(cache=True, nogil=True, error_model="numpy")
def _days(  # type: ignore[no-untyped-def]
    th, beta, unwound, zeta,
    move, noise, funding, volatility, drivers, log_unit, log_volume, floors, log_size, log_held,
    total, published, held, named, latent, relative, noted, book, book_slope, put, put_slope,
    put_by_vol, vol,
    d, d_beta, d_unwound, d_zeta,
):  # fmt: skip
    mu, s0, s1, nu, scale, power = th[0], th[1], th[2], th[3], th[4], th[5]
    meets, gross, width, face, chi = th[16], th[17], th[18], th[19], th[20]
    position, omega, through = th[21], th[22], th[23]
    floor, value = floors[0], 0.0
    for t in range(len(move)):
        r = move[t]
        flow = slope = 0.0
        # listed options
        height = -gross * relative[t]
        bell = math.exp(-0.5 * (r / width) ** 2)
        area = height * width * ROOT_PI * math.erf(r / (width * math.sqrt(2.0)))
        flow += position * area
        slope += position * height * bell
        # notes
        k = noted[t]
        if k >= 0:
            v = th[24] if r < 0.0 else th[25]
            y = volatility[t]
            j, way, inside = cell(vol, chi * y)
            gap = vol[j + 1] - vol[j]
            note = book[k, j] + way * (book[k, j + 1] - book[k, j])
            steep = book_slope[k, j] + way * (book_slope[k, j + 1] - book_slope[k, j])
            by_vol = by_both = 0.0
            if inside:
                by_vol = (book[k, j + 1] - book[k, j]) / gap
                by_both = (book_slope[k, j + 1] - book_slope[k, j]) / gap
            answer = put_slope[k] + put_by_vol[k] * v
            flow += face * (note + omega * put[k])
            slope += face * (steep + by_vol * chi * v + omega * answer)
        # liquidations of the side that the move goes against
        side = 0 if r < 0.0 else 1
        at = 6 + 5 * side
        base, raised = th[at + 1], th[at + 2]
        sign = -1.0 if side == 0 else 1.0
        reach = math.exp(raised * log_size[t]) if r != 0.0 else 0.0
        if held[t]:
            if published[t]:
                value += closed(th, t, side, reach, funding, log_held, log_size, total, d)
            continue
        forced = shock = 0.0
        if r != 0.0:
            if published[t]:
                forced = sign * total[side, t] * reach / (base + reach)
            else:
                if latent[t] >= 0:
                    shock = th[at + 3] * zeta[side, latent[t]]
                center = log_held[t] + th[at] + th[at + 4] * funding[t]
                forced = sign * math.exp(center + shock) * reach
            flow += meets * forced
            slope += meets * raised * forced / r
        if named[t] >= 0:
            flow -= (1.0 - through) * unwound[named[t]]
        # impact, and the density
        wide = flow * flow + floor
        half = 0.5 * math.log(wide)
        unit = math.exp(scale + log_unit[t] - power * log_volume[t] + (power - 1.0) * half)
        ratio = (power * flow * flow + floor) / wide
        gain = unit * ratio * slope
        if not gain < 1.0:
            d[:] = 0.0
            d_beta[:] = 0.0
            d_unwound[:] = 0.0
            d_zeta[:] = 0.0
            return -np.inf
        rest = r - unit * flow - mu
        for i in range(len(beta)):
            rest -= drivers[t, i] * beta[i]
        log_scale = s0 + s1 * noise[t]
        square = (rest * math.exp(-log_scale)) ** 2
        tail = math.log1p(square / nu)
        value += -log_scale - 0.5 * (nu + 1.0) * tail + math.log1p(-gain)
        # backwards
        pull = (nu + 1.0) * square / (nu + square)
        fit = pull / rest if rest != 0.0 else 0.0
        d[0] += fit
        for i in range(len(beta)):
            d_beta[i] += fit * drivers[t, i]
        d[1] += pull - 1.0
        d[2] += (pull - 1.0) * noise[t]
        d[3] += -0.5 * tail + 0.5 * pull / nu
        room = -1.0 / (1.0 - gain)
        d_slope = room * unit * ratio
        d_log = fit * unit * flow + room * gain
        d[4] += d_log
        d[5] += d_log * (half - log_volume[t]) + room * slope * unit * flow * flow / wide
        bend = (power - 1.0) * flow / wide * (ratio + 2.0 * floor / wide)
        d_flow = fit * unit * ratio + room * slope * unit * bend
        d[17] += position * (d_flow * area + d_slope * height * bell) / gross
        turn = r / width
        d[18] += position * (
            d_flow * (area - height * r * bell) / width + d_slope * height * bell * turn**2 / width
        )
        d[21] += d_flow * area + d_slope * height * bell
        if k >= 0:
            d[19] += d_flow * (note + omega * put[k])
            d[19] += d_slope * (steep + by_vol * chi * v + omega * answer)
            d[20] += face * (d_flow * by_vol * y + d_slope * (by_both * y + by_vol * v))
            d[22] += face * (d_flow * put[k] + d_slope * answer)
            d[24 if r < 0.0 else 25] += d_slope * face * (by_vol * chi + omega * put_by_vol[k])
        if r != 0.0:
            d_forced = meets * (d_flow + d_slope * raised / r)
            d[16] += d_flow * forced + d_slope * raised * forced / r
            d[at + 2] += meets * d_slope * forced / r
            if published[t]:
                d[at + 1] -= d_forced * forced / (base + reach)
                d[at + 2] += d_forced * forced * log_size[t] * base / (base + reach)
            else:
                d[at] += d_forced * forced
                d[at + 2] += d_forced * forced * log_size[t]
                d[at + 4] += d_forced * forced * funding[t]
                if latent[t] >= 0:
                    d[at + 3] += d_forced * forced * zeta[side, latent[t]]
                    d_zeta[side, latent[t]] += d_forced * forced * th[at + 3]
        if named[t] >= 0:
            d_unwound[named[t]] -= (1.0 - through) * d_flow
            d[23] += d_flow * unwound[named[t]]
        if published[t]:
            value += closed(th, t, side, reach, funding, log_held, log_size, total, d)
    return value


MULTIPLE = SCALARS.index("liquidation_multiple")


@dataclass(frozen=True)
class Mixed:
    """The density with its slopes, and the probability given parameters that no mark was left."""

    slopes: Slopes
    chance: float


def loop_mixture(
    scalars: np.ndarray,
    beta: np.ndarray,
    unwound: np.ndarray,
    zeta: np.ndarray,
    days: Days,
    absorbed: float,
) -> Mixed:
    """Mix the density of moves over whether forced orders leave a mark on the price.

    Where only one of the two has a density, that one is what is left; where neither has, the value
    is minus infinity, slopes are zero, and the probability is not a number.

    Parameters
    ----------
    scalars, beta, unwound, zeta : as :func:`~attribution.studies.event.loop.loop_price` takes them.
    absorbed : prior probability that they leave none, a; zero asks for one density only.
    """
    marked = loop_price(scalars, beta, unwound, zeta, days)
    if absorbed == 0.0:
        return Mixed(marked, 0.0)
    none = scalars.copy()
    none[MULTIPLE] = 0.0
    clean = loop_price(none, beta, unwound, zeta, days)
    clean.scalars[MULTIPLE] = 0.0  # it stands at zero, whatever the multiple is
    first, second = np.log(absorbed) + clean.value, np.log1p(-absorbed) + marked.value
    value = float(np.logaddexp(first, second))
    if value == -np.inf:
        return Mixed(marked, np.nan)
    own = float(np.exp(first - value))
    return Mixed(Slopes(value, *_weighed(own, clean, marked)), own)


def _weighed(own: float, clean: Slopes, marked: Slopes) -> list[np.ndarray]:
    """Slopes of both accounts by their probabilities; one without any has no say, even infinite."""
    both = (
        (clean.scalars, marked.scalars),
        (clean.beta, marked.beta),
        (clean.unwound, marked.unwound),
        (clean.zeta, marked.zeta),
    )
    if own in (0.0, 1.0):
        return [one if own else other for one, other in both]
    return [own * one + (1.0 - own) * other for one, other in both]
