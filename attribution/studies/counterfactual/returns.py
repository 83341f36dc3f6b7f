"""Returns: a regression with heavy tails and betas that may wander; rows in, NUTS draws out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from attribution.sampling import engine
from attribution.studies.counterfactual.question import ControlPrior, CounterfactualQuestion
from attribution.studies.counterfactual.rows import CounterfactualRows

# What every form of a counterfactual hands over: draws of where the outcome should have been.

CHAINS = 4


@dataclass(frozen=True)
class Counterfactual:
    """Draws of the counterfactual, in the outcome's unit.

    Attributes
    ----------
    predicted : (chain, draw, row after the pre-period); with the noise of single rows.
    expected : the same without that noise: its mean given coefficients and level.
    accounted : (chain, draw, row after the pre-period, control); what each control's move brings:
        its coefficient times its distance from its mean of the pre-period (returns), or from its
        last value there (level).
    fitted : (sample, row of the pre-period); expected plus noise.
    coefficients : (chain, draw, control); unit of the outcome per unit of the control, as they
        stand at the end of the pre-period; zero where a control is out.
    posterior : further draws (chain, draw, ...), standardised where their names say so.
    paths : quantiles of coefficients that wander (step, quantile, control); None if they do not.
    stats : ``diverging`` (chain, draw) where NUTS was used; empty where draws are independent.
    """

    predicted: np.ndarray
    expected: np.ndarray
    accounted: np.ndarray
    fitted: np.ndarray
    coefficients: np.ndarray
    posterior: xr.Dataset
    paths: np.ndarray | None = None
    stats: Mapping[str, np.ndarray] = field(default_factory=dict)


def moved(gap: np.ndarray, window: np.ndarray, *, level: bool) -> np.ndarray:
    """Add up, over a window, what stands on rows (..., row after the pre-period).

    Changes add up; of a level it is the last row's over the eve's, which is zero while the
    pre-period lasts: there a gap to the counterfactual has not begun.
    """
    if not level:
        return np.asarray(gap[..., window].sum(-1))
    eve = gap[..., window[0] - 1] if window[0] else 0.0
    return np.asarray(gap[..., window[-1]] - eve)


def chained(draws: np.ndarray) -> np.ndarray:
    """Lay independent draws (draw, ...) out as chains of equal length."""
    return draws.reshape(CHAINS, -1, *draws.shape[1:])


BAND, QUANTILES = 400, (0.05, 0.25, 0.5, 0.75, 0.95)
LOCAL_DF = 3.0
"""Tail of the horseshoe's local scales: lighter than Cauchy's, whose funnel NUTS cannot enter."""
ACCEPT = {"normal": 0.97, "horseshoe": 0.995}


def counterfactual_returns(
    question: CounterfactualQuestion,
    rows: CounterfactualRows,
    *,
    draws: int,
    seed: int,
    tune: int = 1000,
    cores: int | None = None,
    progress: bool = False,
    mode: str = "NUMBA",
) -> Counterfactual:
    r"""Predict the return that the controls' returns imply.

    .. math::
        r_t = \alpha + x_t'\beta_{b(t)} + \sigma e^{\gamma' s_t} e_t, \quad e_t \sim t_\nu, \qquad
        \beta_{b+1} = \beta_b + \omega \odot z_b

    Both sides are measured from their mean in the pre-period and divided by their sd there, so that
    a constant added to a series changes nothing; ``s`` are the scale columns, standardised.
    Blocks b of equal length are counted back from the end of the pre-period, so that every row
    after it belongs to a step not yet seen.

    Parameters
    ----------
    draws : over all chains, a multiple of four.

    References
    ----------
    brodersen2015; piironen2017
    """
    model = returns_model(question, rows)
    tree = engine.sample(
        model,
        draws=draws // CHAINS,
        tune=tune,
        chains=CHAINS,
        cores=cores,
        seed=seed,
        target_accept=ACCEPT[question.prior.law],
        progressbar=progress,
        mode=mode,
    )
    return _collect(question, rows, tree, np.random.default_rng([seed, 1]))


def blocks(question: CounterfactualQuestion, rows: int, ahead: int) -> tuple[np.ndarray, int]:
    """Step that each row belongs to, first the pre-period's, and the number of steps seen."""
    if question.betas.law == "fixed":
        return np.zeros(rows + ahead, int), 1
    every = question.betas.every
    seen = -(-rows // every)
    back = seen - 1 - np.arange(rows - 1, -1, -1) // every
    return np.r_[back, seen + np.arange(ahead) // every], seen


def returns_model(question: CounterfactualQuestion, rows: CounterfactualRows) -> Any:
    """Build the PyMC model of the pre-period; wandering betas are non-centred."""
    import pymc as pm

    n, k = rows.pre, len(question.controls)
    y, x, s = _standard(rows)
    block, seen = blocks(question, n, 0)
    with pm.Model() as model:
        alpha = pm.Normal("alpha", 0.0, 1.0)
        first = _coefficients(pm, question.prior, n, k)
        if seen > 1:
            omega = pm.HalfNormal("walk_sd", question.betas.sd, shape=k)
            step = pm.Normal("step", 0.0, 1.0, shape=(seen - 1, k))
            later = first + omega * step.cumsum(axis=0)
            path = pm.math.concatenate([first[None, :], later], axis=0)
            mean = alpha + (x[:n] * path[block]).sum(axis=1)
        else:
            mean = alpha + x[:n] @ first
        log_scale = pm.Normal("log_scale", -0.3, 0.7)
        if s.shape[1]:
            slope = pm.Normal("scale_slope", 0.0, 0.5, shape=s.shape[1])
            log_scale = log_scale + s[:n] @ slope
        tail = pm.Gamma("tail", 2.0, 0.1)
        pm.StudentT("y", nu=2.0 + tail, mu=mean, sigma=pm.math.exp(log_scale), observed=y[:n])
    return model


def _coefficients(pm: Any, prior: ControlPrior, rows: int, k: int) -> Any:
    """First coefficients, standardised: normal, or the regularised horseshoe, non-centred."""
    if prior.law == "normal":
        return pm.Normal("beta", 0.0, prior.sd, shape=k)
    guess = prior.expected / max(k - prior.expected, 0.5) / np.sqrt(rows)
    common = pm.HalfStudentT("common", 1.0, guess)
    local = pm.HalfStudentT("local", LOCAL_DF, 1.0, shape=k)
    slab = pm.InverseGamma("slab", 2.0, 2.0 * prior.sd**2)
    raw = pm.Normal("raw", 0.0, 1.0, shape=k)
    width = common * local * pm.math.sqrt(slab / (slab + (common * local) ** 2))
    return pm.Deterministic("beta", raw * width)


def _standard(rows: CounterfactualRows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = rows.pre
    scale = rows.scale
    if scale.shape[1]:
        scale = (scale - scale[:n].mean(0)) / scale[:n].std(0, ddof=1)
    seen, sds = rows.controls[:n], rows.controls[:n].std(0, ddof=1)
    controls = np.ascontiguousarray((rows.controls - seen.mean(0)) / sds)
    level, spread = rows.outcome[:n].mean(), rows.outcome[:n].std(ddof=1)
    return (rows.outcome - level) / spread, controls, scale


def _collect(
    question: CounterfactualQuestion,
    rows: CounterfactualRows,
    tree: xr.DataTree,
    rng: np.random.Generator,
) -> Counterfactual:
    """Turn standardised draws into draws of the outcome."""
    n, drawn = rows.pre, tree["posterior"].to_dataset()
    ahead = len(rows.outcome) - n
    spread, sds = rows.outcome[:n].std(ddof=1), rows.controls[:n].std(0, ddof=1)
    controls = rows.controls - rows.controls[:n].mean(0)
    block, seen = blocks(question, n, ahead)
    path = _path(drawn, seen, int(block[-1]) + 1, rng) * spread / sds
    alpha = rows.outcome[:n].mean() + drawn["alpha"].to_numpy()[..., None] * spread
    accounted = controls[n:] * path[:, :, block[n:]]
    expected = alpha + accounted.sum(-1)
    dof = 2.0 + drawn["tail"].to_numpy()[..., None]
    sigma = spread * np.exp(_log_scale(drawn, _standard(rows)[2]))
    noise = rng.standard_t(dof, size=expected.shape)
    flat = path.reshape(-1, *path.shape[2:])
    some = np.linspace(0, len(flat) - 1, min(BAND, len(flat))).astype(int)
    mean = alpha.reshape(-1, 1)[some]
    mean = mean + np.einsum("nk,dnk->dn", controls[:n], flat[some][:, block[:n]])
    width = sigma[..., :n].reshape(len(flat), -1)[some]
    fitted = mean + width * rng.standard_t(dof.reshape(-1, 1)[some], size=mean.shape)
    wander = np.quantile(flat[:, :seen], QUANTILES, axis=0).swapaxes(0, 1) if seen > 1 else None
    kept = [name for name in drawn.data_vars if name not in ("step", "raw", "local")]
    return Counterfactual(
        predicted=expected + sigma[..., n:] * noise,
        expected=expected,
        accounted=accounted,
        fitted=fitted,
        coefficients=path[:, :, seen - 1],
        posterior=_named(drawn[kept], question),
        paths=wander,
        stats={"diverging": tree["sample_stats"]["diverging"].to_numpy()},
    )


def _named(posterior: xr.Dataset, question: CounterfactualQuestion) -> xr.Dataset:
    """Name the axes that the sampler numbers."""
    names = {"beta": question.controls, "walk_sd": question.controls, "scale_slope": question.scale}
    dims = {f"{name}_dim_0": "column" if name == "scale_slope" else "control" for name in names}
    out = posterior.drop_vars([d for d in dims if d in posterior.coords])
    out = out.rename({d: new for d, new in dims.items() if d in out.dims})
    values = {"control": list(question.controls), "column": list(question.scale)}
    return out.assign_coords({d: v for d, v in values.items() if d in out.dims})


def _path(drawn: xr.Dataset, seen: int, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Standardised coefficients (chain, draw, step, control), those of steps to come drawn."""
    first = drawn["beta"].to_numpy()[:, :, None, :]
    if steps == 1:
        return first
    step = drawn["step"].to_numpy() if seen > 1 else np.zeros((*first.shape[:2], 0, first.shape[3]))
    fresh = rng.standard_normal((*step.shape[:2], steps - seen, step.shape[3]))
    walk = drawn["walk_sd"].to_numpy()[:, :, None, :] * np.concatenate([step, fresh], axis=2)
    path: np.ndarray = np.concatenate([first, first + walk.cumsum(2)], axis=2)
    return path


def _log_scale(drawn: xr.Dataset, scale: np.ndarray) -> np.ndarray:
    """Log scale of every row, standardised: (chain, draw, row)."""
    base = drawn["log_scale"].to_numpy()[..., None]
    if not scale.shape[1]:
        return np.broadcast_to(base, (*base.shape[:2], len(scale)))
    out: np.ndarray = base + np.einsum("ns,cds->cdn", scale, drawn["scale_slope"].to_numpy())
    return out
