"""What the data taught: prior and posterior draws enter, densities and their overlap leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from attribution.report import numbers
from attribution.report.draws import channels, contribution, group, weights
from attribution.report.style import QUIET, colours, drawing, panels, zero_line

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CELLS = 4096


class Learned(NamedTuple):
    """Prior and posterior of one contribution.

    Attributes
    ----------
    edges : (cell + 1,), log points, equally spaced.
    prior, posterior : (cell,), densities per log point.
    prior_sd, posterior_sd : log points.
    overlap : area the two densities share; one if the data taught nothing, zero if apart.
    """

    edges: np.ndarray
    prior: np.ndarray
    posterior: np.ndarray
    prior_sd: float
    posterior_sd: float
    overlap: float


def spread(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the weighted standard deviation."""
    return float(np.sqrt(weight @ (values - weight @ values) ** 2))


def density(values: np.ndarray, weight: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Estimate a density between equally spaced edges: a histogram under a Gaussian kernel.

    The bandwidth is Silverman's, with the interquartile range against heavy tails, and never
    below one cell.

    References
    ----------
    silverman1986, eq. 3.31
    """
    low, high = np.quantile(values, (0.25, 0.75), weights=weight, method="inverted_cdf")
    step = edges[1] - edges[0]
    narrow = min(spread(values, weight), (high - low) / 1.34)
    width = max(0.9 * narrow * np.sum(weight**2) ** 0.2, step)
    mass, _ = np.histogram(values, bins=edges, weights=weight)
    reach = min(int(np.ceil(4 * width / step)), len(mass) // 2 - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    return np.asarray(np.convolve(mass, kernel / kernel.sum(), mode="same") / step)


def learned(tree: xr.DataTree, window: str) -> dict[str, Learned]:
    """Compare prior and posterior of the contribution of each channel.

    The prior draws are contributions under impact matrices drawn from the prior, given the
    observed event, so that both speak of the same days.
    """
    weight = weights(tree)
    before = group(tree, "prior")["contribution"].sel(window=window)
    posterior = contribution(tree, window)
    found = {}
    for i, name in enumerate(channels(tree)):
        prior = before.sel(channel=name).to_numpy().ravel()
        found[name] = densities(prior, posterior[:, i], weight)
    return found


def densities(prior: np.ndarray, posterior: np.ndarray, weight: np.ndarray) -> Learned:
    """Compare prior draws, all of one weight, with posterior draws of weights that sum to one."""
    flat = np.full(len(prior), 1.0 / len(prior))
    edges = _edges(prior, posterior)
    first, second = density(prior, flat, edges), density(posterior, weight, edges)
    shared = float(np.minimum(first, second).sum() * (edges[1] - edges[0]))
    spreads = spread(prior, flat), spread(posterior, weight)
    return Learned(edges, first, second, *spreads, shared)


def _edges(prior: np.ndarray, posterior: np.ndarray) -> np.ndarray:
    """Hold all but one in a thousand of the posterior on either side, and the bulk of the prior.

    Beyond the posterior the two share nothing, and cells that had to reach the far tails of a
    prior would be too coarse for the posterior.
    """
    ends = np.array([np.quantile(prior, (0.025, 0.975)), np.quantile(posterior, (0.001, 0.999))])
    low, high = ends[:, 0].min(), ends[:, 1].max()
    room = 0.1 * (high - low) or 1.0
    return np.linspace(low - room, high + room, CELLS + 1)


def contraction_table(tree: xr.DataTree, window: str) -> pd.DataFrame:
    r"""Tabulate what the data taught on each contribution of a window.

    .. math:: \mathrm{contraction} = 1 - \sigma^2_{posterior} / \sigma^2_{prior}

    Returns
    -------
    Index channel; ``prior_sd`` and ``posterior_sd`` in log points, ``contraction``, ``overlap``.
    """
    rows = {
        name: {
            "prior_sd": it.prior_sd,
            "posterior_sd": it.posterior_sd,
            "contraction": 1.0 - (it.posterior_sd / it.prior_sd) ** 2,
            "overlap": it.overlap,
        }
        for name, it in learned(tree, window).items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


# Prior against posterior: what the data taught about each contribution.

POINTS = 300  # of a curve in a panel: finer than a pixel


@drawing
def prior_against_posterior(tree: xr.DataTree, *, window: str) -> Figure:
    """Draw the density of each contribution before (dashed) and after (filled) the data.

    Returns
    -------
    One panel a channel, all on one scale of log points; the area shared is written in each.
    """
    found = learned(tree, window)
    paint = colours(list(found))
    drawn, axes = panels(len(found), columns=4, row_height=1.5, sharex=True)
    ends = reach(list(found.values()))
    for axis, (name, it) in zip(axes, found.items(), strict=True):
        density_panel(axis, it, ends, colour=paint[name])
        axis.set_title(numbers.wrapped(name, 20))
        axis.text(
            0.98, 0.97, f"overlap {it.overlap:.2f}", transform=axis.transAxes, ha="right", va="top",
            fontsize=7.5,
        )  # fmt: skip
    axes[0].set_xlim(ends)
    drawn.supxlabel(f"contribution, {tree.attrs['outcome_unit']}", fontsize=8.5)
    drawn.supylabel("density, per log point", fontsize=8.5)
    return drawn


def density_panel(axis: Axes, it: Learned, ends: tuple[float, float], *, colour: str) -> None:
    """Draw both densities of one quantity between two ends."""
    inside = np.flatnonzero((it.edges[:-1] >= ends[0]) & (it.edges[1:] <= ends[1]))
    shown = inside[:: max(len(inside) // POINTS, 1)]
    centre = (it.edges[shown] + it.edges[shown + 1]) / 2
    prior, posterior = it.prior[shown], it.posterior[shown]
    axis.fill_between(centre, posterior, color=colour, alpha=0.55, linewidth=0)
    axis.plot(centre, posterior, color=colour, linewidth=1.1)
    axis.plot(centre, prior, color=QUIET, linewidth=1.1, linestyle=(0, (3, 1.5)))
    zero_line(axis, vertical=True)
    axis.set_ylim(0, 1.32 * max(it.posterior.max(), it.prior.max()))
    axis.set_yticks([])


def reach(found: list[Learned]) -> tuple[float, float]:
    """Show where any density is above a fiftieth of its peak: tails are long and empty."""
    ends = []
    for it in found:
        for curve in (it.prior, it.posterior):
            inside = it.edges[:-1][curve > curve.max() / 50]
            ends += [inside[0], inside[-1]]
    return min(ends), max(ends)
