"""Draws of every chain in; whether the sampler can be trusted out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr

from attribution.errors import DiagnosticsError
from attribution.finding import Finding
from attribution.sampling import engine
from attribution.sampling.diagnostics import weight_size

R_HAT, ESS, MCSE, ENERGY = 1.01, 400.0, 0.1, 0.3
"""Limits: R-hat at most, effective draws at least, Monte Carlo error of a mean below one unit of
the printed decimal (log points), energy fraction at least."""
APART = 1.1
"""R-hat between two chains above which they are in different modes."""
FEASIBLE = 200_000
"""Draws that one may ask for."""


@dataclass(frozen=True)
class Sampling:
    """Diagnostics of the contributions, worst over windows and channels.

    Attributes
    ----------
    r_hat, ess_bulk, ess_tail, mcse : of contributions and baselines; mcse in the outcome's unit.
    divergences : number of divergent transitions.
    energy : lowest Bayesian fraction of missing information of a chain; NaN where there is none.
    modes : chains that agree among themselves, as groups of chain numbers.
    where : the window and channel of the worst R-hat.
    """

    r_hat: float
    ess_bulk: float
    ess_tail: float
    mcse: float
    divergences: int
    energy: float
    modes: tuple[tuple[int, ...], ...]
    where: str

    @property
    def failures(self) -> tuple[str, ...]:
        """What is outside its limit, in words."""
        found = []
        if not self.r_hat <= R_HAT:
            found.append(f"R-hat {self.r_hat:.3f} of {self.where} is above {R_HAT}")
        size = float(np.minimum(self.ess_bulk, self.ess_tail))  # NaN where either is NaN
        if not size >= ESS:
            found.append(f"{size:.0f} effective draws are fewer than {ESS:.0f}")
        if not self.mcse < MCSE:
            found.append(f"the Monte Carlo error of a mean, {self.mcse:.3f}, is not below {MCSE}")
        if self.divergences:
            found.append(f"{self.divergences} transitions diverged")
        if np.isfinite(self.energy) and not self.energy > ENERGY:
            found.append(f"the energy fraction {self.energy:.2f} is not above {ENERGY}")
        return tuple(found)


def diagnose(contribution: xr.DataArray, stats: Mapping[str, np.ndarray]) -> Sampling:
    """Judge the contributions (chain, draw, window, channel), not only the coefficients.

    Parameters
    ----------
    stats : the sampler's ``diverging`` and ``energy`` (chain, draw), where there are any.

    References
    ----------
    vehtari2021
    """
    draws = contribution.transpose("chain", "draw", "window", "channel")
    moving = draws.to_numpy().std((0, 1)) > 0
    if not moving.any():
        raise DiagnosticsError(
            "every draw of every contribution is the same; ask for more --draws, or check that the"
            " model has something to estimate"
        )
    x = draws.to_numpy()[:, :, moving]
    labels = [
        f"{window}/{channel}"
        for window in draws["window"].to_numpy()
        for channel in draws["channel"].to_numpy()
    ]
    labels = [label for label, kept in zip(labels, moving.ravel(), strict=True) if kept]
    r_hat = engine.rhat(x)
    energy = np.asarray(stats.get("energy", np.full((1, 2), np.nan)))
    return Sampling(
        r_hat=float(r_hat.max()),
        ess_bulk=float(engine.ess_bulk(x).min()),
        ess_tail=float(engine.ess_tail(x).min()),
        mcse=float(engine.mcse_mean(x).max()),
        divergences=int(np.asarray(stats.get("diverging", 0)).sum()),
        energy=float(
            np.min(np.mean(np.diff(energy, axis=1) ** 2, axis=1) / energy.var(1))
            if energy.shape[1] > 2
            else np.nan
        ),
        modes=_modes(x) if r_hat.max() > R_HAT else (tuple(range(len(x))),),
        where=labels[int(r_hat.argmax())],
    )


def _modes(x: np.ndarray) -> tuple[tuple[int, ...], ...]:
    """Group chains of (chain, draw, quantity): a chain joins a group whose first it agrees with."""
    groups: list[list[int]] = []
    for chain in range(len(x)):
        for group in groups:
            if engine.rhat(x[[group[0], chain]]).max() <= APART:
                group.append(chain)
                break
        else:
            groups.append([chain])
    return tuple(tuple(group) for group in groups)


def refuse(
    sampling: Sampling,
    contribution: xr.DataArray,
    *,
    weight: np.ndarray | None = None,
    replicates: bool = False,
) -> None:
    """Refuse draws that failed a diagnostic, and say why they did; two modes are reported as two.

    Parameters
    ----------
    weight : (chain, draw); alike if None.
    replicates : whether the draws are replicates of a bootstrap, which no sampler made.

    Raises
    ------
    DiagnosticsError
        Naming what failed, the cause as far as it shows, and what would help.
    """
    if not sampling.failures:
        return
    total = contribution.sizes["chain"] * contribution.sizes["draw"]
    failed = "; ".join(sampling.failures)
    worth = float(total) if weight is None or np.ptp(weight) == 0 else weight_size(weight)
    if replicates:
        raise DiagnosticsError(
            f"{total:,} replicates of the bootstrap do not settle the answer: {failed}; ask for"
            " more --draws"
        )
    if worth < min(ESS, 0.5 * total):
        needed = int(np.ceil(1.2 * total * ESS / worth))
        more = f", or ask for some {needed:,} --draws" if needed <= FEASIBLE else ""
        raise DiagnosticsError(
            f"the weights of {total:,} draws leave {worth:.0f} of equal weight: {failed}; claims"
            " that weigh (exact zeros, narratives, rankings) hold where hardly a draw lies, and"
            f" another --seed would not help: widen or drop some{more}"
        )
    if total < ESS:
        raise DiagnosticsError(
            f"{total:,} draws are too few to judge: {failed}; ask for more --draws"
        )
    message = f"the sampler did not converge: {failed}"
    if len(sampling.modes) > 1:
        message += f"; {_said(sampling, contribution)}"
    raise DiagnosticsError(f"{message}; ask for more --draws, or another --seed")


def _said(sampling: Sampling, contribution: xr.DataArray) -> str:
    """Give the means of each mode over the first window."""
    window = str(contribution["window"].to_numpy()[0])
    parts = contribution.sel(window=window)
    said = [
        f"chains {', '.join(map(str, group))}: "
        + ", ".join(
            f"{channel} {float(parts.sel(channel=channel)[list(group)].mean()):.1f}"
            for channel in parts["channel"].to_numpy()
        )
        for group in sampling.modes
    ]
    return f"the chains found {len(said)} modes in window '{window}' ({' | '.join(said)})"


def finding(sampling: Sampling, draws: int) -> Finding:
    """Report the diagnostics in one line."""
    failed = "; ".join(sampling.failures)
    return Finding(
        name="sampling",
        question="Did the sampler converge on the contributions themselves?",
        evidence=(
            f"{draws:,} draws; R-hat at most {sampling.r_hat:.3f}, bulk and tail effective draws at"
            f" least {sampling.ess_bulk:,.0f} and {sampling.ess_tail:,.0f}, Monte Carlo error of a"
            f" mean at most {sampling.mcse:.3f}, {sampling.divergences} divergences"
            + (f"; {failed}" if failed else "")
        ),
        verdict="fails" if failed else "holds",
    )


def begun_again(count: int, chains: int) -> tuple[Finding, ...]:
    """Say how many chains did not start where their pilot had ended; nothing where all did."""
    if not count:
        return ()
    return (
        Finding(
            name="modes of little mass",
            question="Did every pilot chain find its way to a mode that holds mass?",
            evidence=(
                f"{count} of {chains} pilot chains ended in a mode with less than a twentieth of"
                " the heaviest one's mass (Laplace), and began again from another chain; what that"
                " mode holds is missing from the draws"
            ),
            verdict="holds" if 2 * count < chains else "undecided",
        ),
    )


# Draws of a study's sampler in; whether they can be trusted, as a finding and as numbers, out.


@dataclass(frozen=True)
class Sampled:
    """Numbers for the manifest, and the finding; both empty where nothing was sampled."""

    diagnostics: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def sampled(
    draws: Mapping[str, np.ndarray], stats: Mapping[str, np.ndarray], place: str
) -> Sampled:
    """Judge draws (chain, draw, ...) of everything that matters; refuse those that fail.

    Raises
    ------
    DiagnosticsError
        Naming what failed, and where.

    References
    ----------
    vehtari2021
    """
    flat = {name: x.reshape(*x.shape[:2], -1) for name, x in draws.items()}
    joined = np.concatenate(list(flat.values()), axis=2)
    names = [name for name, x in flat.items() for _ in range(x.shape[2])]
    r_hat = engine.rhat(joined)
    bulk, tail = float(engine.ess_bulk(joined).min()), float(engine.ess_tail(joined).min())
    worst, where = float(r_hat.max()), names[int(r_hat.argmax())]
    diverged = int(np.asarray(stats.get("diverging", 0)).sum())
    failed = []
    if not worst <= R_HAT:
        failed.append(f"R-hat {worst:.3f} of {where} is above {R_HAT}")
    if not min(bulk, tail) >= ESS:
        failed.append(f"{min(bulk, tail):.0f} effective draws are fewer than {ESS:.0f}")
    if diverged:
        failed.append(f"{diverged} transitions diverged")
    if failed:
        raise DiagnosticsError(
            f"{place}: the sampler did not converge: {', '.join(failed)}; ask for more --draws, or"
            " another --seed",
            draws=draws,
        )
    kept = joined.shape[0] * joined.shape[1]
    finding = Finding(
        name="sampling",
        question="Did the sampler converge on parameters and answers?",
        evidence=(
            f"{kept:,} draws; R-hat at most {worst:.3f}, bulk and tail effective draws at least"
            f" {bulk:,.0f} and {tail:,.0f}, {diverged} divergences"
        ),
        verdict="holds",
    )
    numbers = {
        "max_rhat": worst,
        "min_ess_bulk": bulk,
        "min_ess_tail": tail,
        "divergences": float(diverged),
    }
    return Sampled(numbers, (finding,))
