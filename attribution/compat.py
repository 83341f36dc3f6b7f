"""One door to PyMC and ArviZ, on both lines: 5 and 0.23 on Python 3.11, 6 and 1 from 3.12 on.

Draws enter and leave as one `xarray.DataTree`; diagnostics take arrays (chain, draw, ...).
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xarray as xr

from attribution.errors import DataError, SpecError, nearest

SAMPLERS = ("pymc", "nutpie")
Density = Callable[[np.ndarray], tuple[float, np.ndarray]]
TAIL = (0.05, 0.95)  # the two lines have different defaults
ENGINE: Final = "h5netcdf"

# What the libraries say of their own rebuilding, and of calling our operations through Python.
warnings.filterwarnings("ignore", ".*ArviZ is undergoing a major refactor.*", FutureWarning)
EXPECTED = ".*Numba will use object mode.*"


def sample(
    model: Any,
    *,
    draws: int,
    tune: int,
    chains: int,
    cores: int,
    seed: int,
    target_accept: float = 0.85,
    progressbar: bool = False,
    sampler: str = "pymc",
    initvals: list[dict[str, Any]] | None = None,
    metric: np.ndarray | None = None,
    unconstrained: bool = False,
    mode: str = "NUMBA",
) -> xr.DataTree:
    """Sample a PyMC model by NUTS; convergence is the caller's to judge.

    Parameters
    ----------
    sampler : ``pymc`` or ``nutpie``; named, since an installed nutpie would else take over.
    initvals : one start per chain.
    metric : covariance (parameter, parameter) that scales the steps throughout, in the order of
        the model's value variables; if None the sampler adapts a diagonal of its own.
    unconstrained : whether to keep the draws before back-transformation in a group of their own.
    mode : PyTensor's compiler. ``NUMBA`` needs no C++ compiler and calls an operation of ours in
        some 40 microseconds, after 10 seconds of compilation on a fresh machine; ``FAST_COMPILE``
        compiles in one second and needs some 900 microseconds a call.

    Raises
    ------
    SpecError
        If the sampler is unknown or not installed, or a metric is given to nutpie.
    """
    if sampler not in SAMPLERS:
        raise SpecError(f"--sampler '{sampler}': unknown{nearest(sampler, SAMPLERS)}; correct it")
    if sampler == "nutpie":
        _require_nutpie()
        if metric is not None:
            raise SpecError("--sampler 'nutpie': adapts a metric of its own; pass metric=None")
    import pymc as pm

    nutpie = sampler == "nutpie"
    compiled = None if nutpie else {"mode": mode}
    step = None if metric is None else _nuts(model, metric, target_accept, mode)
    with model, warnings.catch_warnings():
        warnings.filterwarnings("ignore", EXPECTED, UserWarning)
        drawn = pm.sample(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=cores,
            random_seed=seed,
            initvals=initvals,
            nuts_sampler=sampler,
            step=step,
            compile_kwargs=compiled,
            idata_kwargs={"include_transformed": True} if unconstrained else None,
            **({"target_accept": target_accept} if step is None else {}),
            discard_tuned_samples=True,
            compute_convergence_checks=False,
            progressbar=progressbar,
            quiet=not progressbar,
        )
    tree: xr.DataTree = drawn if isinstance(drawn, xr.DataTree) else drawn.to_datatree()
    tree["posterior"].attrs["inference_library"] = sampler
    return tree


def _nuts(model: Any, metric: np.ndarray, target_accept: float, mode: str) -> Any:
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialFull

    with model, warnings.catch_warnings():
        warnings.filterwarnings("ignore", EXPECTED, UserWarning)
        return pm.NUTS(
            potential=QuadPotentialFull(metric),
            target_accept=target_accept,
            compile_kwargs={"mode": mode},
        )


def log_density(model: Any, mode: str = "NUMBA") -> tuple[Density, np.ndarray]:
    """Return the log density of the unconstrained parameters with its gradient, and a start."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", EXPECTED, UserWarning)
        compiled = model.logp_dlogp_function(ravel_inputs=True, mode=mode)
    function = compiled._pytensor_function
    point = model.initial_point()
    start = np.concatenate([np.ravel(point[variable.name]) for variable in model.value_vars])

    def density(x: np.ndarray) -> tuple[float, np.ndarray]:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", EXPECTED, UserWarning)
            value, gradient = function(np.asarray(x, float))
        return float(value), np.array(gradient, float)

    return density, start


def backward(model: Any) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Return the map from unconstrained parameters to the model's unobserved values, in order."""
    from pytensor.compile.mode import Mode

    function = model.compile_fn(
        model.unobserved_value_vars,
        inputs=model.value_vars,
        point_fn=False,
        mode=Mode("py", "fast_compile"),
    )
    shapes = [np.shape(model.initial_point()[variable.name]) for variable in model.value_vars]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def constrain(x: np.ndarray) -> list[np.ndarray]:
        parts = np.split(np.asarray(x, float), ends)
        return list(function(*(part.reshape(s) for part, s in zip(parts, shapes, strict=True))))

    return constrain


def _require_nutpie() -> None:
    try:
        import nutpie  # noqa: F401
    except ImportError:
        raise SpecError(
            "--sampler 'nutpie': not installed; install attribution[fast] or use 'pymc'"
        ) from None


def rhat(x: np.ndarray) -> np.ndarray:
    """Rank-normalised split R-hat of every entry of (chain, draw, ...) [vehtari2021]."""
    return _diagnose("rhat", x)


def ess_bulk(x: np.ndarray) -> np.ndarray:
    """Bulk effective sample size of every entry of (chain, draw, ...) [vehtari2021]."""
    return _diagnose("ess", x, method="bulk")


def ess_tail(x: np.ndarray) -> np.ndarray:
    """Lower of the effective sample sizes of the 5 % and the 95 % quantile [vehtari2021]."""
    return _diagnose("ess", x, method="tail", prob=TAIL)


def mcse_mean(x: np.ndarray) -> np.ndarray:
    """Monte Carlo standard error of the mean of every entry of (chain, draw, ...)."""
    return _diagnose("mcse", x, method="mean")


def mcse_quantile(x: np.ndarray, prob: float) -> np.ndarray:
    """Monte Carlo standard error of a quantile of every entry of (chain, draw, ...)."""
    return _diagnose("mcse", x, method="quantile", prob=prob)


def _diagnose(name: str, x: np.ndarray, **settings: Any) -> np.ndarray:
    import arviz as az

    dims = ("chain", "draw", *(f"axis_{i}" for i in range(np.ndim(x) - 2)))
    result = getattr(az, name)(xr.Dataset({"x": (dims, np.asarray(x, float))}), **settings)
    return np.asarray(result["x"].to_numpy(), dtype=float)


def psis(log_weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Pareto-smoothed importance sampling over all entries [vehtari2024].

    Returns
    -------
    Smoothed log weights of the shape given, whose weights have mean one; the tail's k, which is
    minus infinity where all weights are equal.
    """
    flat = np.asarray(log_weights, float).ravel()
    if np.ptp(flat) == 0:
        return np.zeros(np.shape(log_weights)), -np.inf
    import arviz as az

    if hasattr(az, "psislw"):
        smoothed, k = az.psislw(flat)
    else:
        from arviz_stats.base import array_stats

        smoothed, k = array_stats.psislw(-flat)  # the new line takes log likelihoods, not weights
    smoothed = smoothed - np.logaddexp.reduce(smoothed) + np.log(flat.size)
    return smoothed.reshape(np.shape(log_weights)), float(k)


def hdi(x: np.ndarray, prob: float = 0.94) -> np.ndarray:
    """Shortest interval (..., bound) that holds ``prob`` of the draws of (chain, draw, ...)."""
    draws = np.sort(np.reshape(x, (-1, *np.shape(x)[2:])), axis=0)
    inside = int(np.floor(prob * len(draws)))
    start = np.argmin(draws[inside:] - draws[: len(draws) - inside], axis=0)[None]
    bounds = [np.take_along_axis(draws, start + skip, axis=0)[0] for skip in (0, inside)]
    return np.stack(bounds, axis=-1)


def summary(tree: xr.DataTree) -> pd.DataFrame:
    """Moments, 94 % highest-density interval and diagnostics of every posterior scalar."""
    posterior = tree["posterior"].to_dataset()
    names, columns = [], []
    for name, array in posterior.data_vars.items():
        shape = array.shape[2:]
        names += [_label(name, array, index) for index in np.ndindex(*shape)]
        columns.append(array.to_numpy().reshape(*array.shape[:2], -1))
    x = np.concatenate(columns, axis=2)
    interval = hdi(x)
    return pd.DataFrame(
        {
            "mean": x.mean((0, 1)),
            "sd": x.std((0, 1), ddof=1),
            "hdi_low": interval[:, 0],
            "hdi_high": interval[:, 1],
            "mcse_mean": mcse_mean(x),
            "ess_bulk": ess_bulk(x),
            "ess_tail": ess_tail(x),
            "r_hat": rhat(x),
        },
        index=names,
    )


def _label(name: Any, array: xr.DataArray, index: tuple[int, ...]) -> str:
    if not index:
        return str(name)
    dims = array.dims[2:]
    values = [
        array[d].to_numpy()[i] if d in array.coords else i for d, i in zip(dims, index, strict=True)
    ]
    return f"{name}[{', '.join(str(value) for value in values)}]"


def save(tree: xr.DataTree, path: Path) -> None:
    """Write a tree as NetCDF: the file is complete, or it is not there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    temporary = Path(name)
    try:
        tree.to_netcdf(temporary, engine=ENGINE)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: Path) -> xr.DataTree:
    """Read a saved tree into memory and close the file.

    Raises
    ------
    DataError
        If the file is missing or is not one of ours.
    """
    if not path.is_file():
        raise DataError(f"{path.name}: no such file in {path.parent}; run 'attribution fit' first")
    try:
        with xr.open_datatree(path, engine=ENGINE) as tree:
            return tree.load()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DataError(
            f"{path.name}: cannot be read as a saved run ({error}); run 'attribution fit' again"
        ) from None
