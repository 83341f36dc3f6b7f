"""One door to PyMC and ArviZ, on both lines: 5 and 0.23 on Python 3.11, 6 and 1 from 3.12 on.

Draws enter and leave as one `xarray.DataTree`; ``diagnostics`` take arrays (chain, draw, ...).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import xarray as xr

from attribution.errors import SpecError, nearest
from attribution.folder.netcdf import load, save
from attribution.limits import SAMPLERS
from attribution.sampling.diagnostics import (
    ess_bulk,
    ess_tail,
    hdi,
    mcse_mean,
    mcse_quantile,
    psis,
    rhat,
    summary,
)
from attribution.screen import live

__all__ = [
    "allowed",
    "at_most",
    "backward",
    "ess_bulk",
    "ess_tail",
    "hdi",
    "inference_data",
    "load",
    "log_density",
    "mcse_mean",
    "mcse_quantile",
    "psis",
    "rhat",
    "sample",
    "save",
    "summary",
]


def flat_draws(posterior: xr.Dataset) -> Callable[[str], np.ndarray]:
    """Return what gives a parameter's draws (chain * draw, ...); no columns if it has none."""
    size = posterior.sizes["chain"] * posterior.sizes["draw"]

    def flat(name: str) -> np.ndarray:
        if name not in posterior.data_vars:
            return np.zeros((size, 0))
        array = posterior[name].to_numpy()
        return array.reshape(-1, *array.shape[2:])

    return flat


Density = Callable[[np.ndarray], tuple[float, np.ndarray]]

# What the libraries say of calling our operations through Python, and of their own compiled code.
EXPECTED = (
    ".*Numba will use object mode.*",
    ".*could not link to a BLAS.*",
    ".*is faster on contiguous arrays.*",
)


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        for message in EXPECTED:
            warnings.filterwarnings("ignore", message)
        yield


def sample(
    model: Any,
    *,
    draws: int,
    tune: int,
    chains: int,
    cores: int | None = None,
    seed: int,
    target_accept: float = 0.85,
    progressbar: bool = False,
    sampler: str = "pymc",
    initvals: list[dict[str, Any]] | None = None,
    metric: np.ndarray | None = None,
    unconstrained: bool = False,
    mode: str = "NUMBA",
    stage: str = "chains",
) -> xr.DataTree:
    """Sample a PyMC model by NUTS; convergence is the caller's to judge.

    Parameters
    ----------
    cores : processes that chains run in; what :func:`at_most` allows if None. Draws are the same.
    sampler : ``pymc`` or ``nutpie``; named, since an installed nutpie would else take over.
    initvals : one start per chain.
    metric : covariance (parameter, parameter) that scales the steps throughout, in the order of
        the model's value variables; if None the sampler adapts a diagonal of its own.
    unconstrained : whether to keep the draws before back-transformation in a group of their own.
    mode : PyTensor's compiler. ``NUMBA`` needs no C++ compiler and calls an operation of ours in
        some 40 microseconds, after 10 seconds of compilation on a fresh machine; ``FAST_COMPILE``
        compiles in one second and needs some 900 microseconds a call.
    progressbar : whether the live line of the screen tells how far the chains are.
    stage : what chains are called there.

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
    with model, _quiet(), _shown(progressbar, chains, tune + draws, stage) as told:
        drawn = pm.sample(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=allowed(USUAL) if cores is None else cores,
            random_seed=seed,
            initvals=initvals,
            nuts_sampler=sampler,
            step=step,
            compile_kwargs=compiled,
            idata_kwargs={"include_transformed": True} if unconstrained else None,
            **({"target_accept": target_accept} if step is None else {}),
            discard_tuned_samples=True,
            compute_convergence_checks=False,
            progressbar=False,
            quiet=True,
            **({} if nutpie or told is None else {"callback": told}),
        )
    tree: xr.DataTree = drawn if isinstance(drawn, xr.DataTree) else drawn.to_datatree()
    tree["posterior"].attrs["inference_library"] = sampler
    return tree


@contextmanager
def _shown(talk: bool, chains: int, each: int, stage: str) -> Iterator[Callable[..., None] | None]:
    """Give what PyMC calls after each iteration, to tell on the live line; None to tell nothing."""
    if not talk:
        yield None
        return
    with live() as line:
        made, bad = [0] * chains, 0

        def told(trace: Any, draw: Any) -> None:
            nonlocal bad
            made[draw.chain] += 1
            diverged = any(step.get("diverging", False) for step in draw.stats)
            bad += bool(diverged and not draw.tuning)
            said = f"{stage} {made.count(each)} of {chains} ended"
            line.step(sum(made), chains * each, chains=said, divergences=bad)

        yield told


def _nuts(model: Any, metric: np.ndarray, target_accept: float, mode: str) -> Any:
    import pymc as pm
    from pymc.step_methods.hmc.quadpotential import QuadPotentialFull

    with model, _quiet():
        return pm.NUTS(
            potential=QuadPotentialFull(metric),
            target_accept=target_accept,
            compile_kwargs={"mode": mode},
        )


def log_density(model: Any, mode: str = "NUMBA") -> tuple[Density, np.ndarray]:
    """Return the log density of the unconstrained parameters with its gradient, and a start."""
    with _quiet():
        compiled = model.logp_dlogp_function(ravel_inputs=True, mode=mode)
    function = compiled._pytensor_function
    point = model.initial_point()
    start = np.concatenate([np.ravel(point[variable.name]) for variable in model.value_vars])

    def density(x: np.ndarray) -> tuple[float, np.ndarray]:
        with _quiet():
            value, gradient = function(np.asarray(x, float))
        return float(value), np.array(gradient, float)

    return density, start


def backward(model: Any) -> Callable[[np.ndarray], list[np.ndarray]]:
    """Return the map from unconstrained parameters to the model's unobserved values, in order."""
    from pytensor.compile.mode import Mode

    with _quiet():
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
            "--sampler 'nutpie': not installed; install nutpie, or use 'pymc'"
        ) from None


def one_thread() -> AbstractContextManager[Any]:
    """Keep linear algebra on one thread: their number moves last bits, and so whole chains."""
    from threadpoolctl import threadpool_limits

    found: AbstractContextManager[Any] = threadpool_limits(limits=1)
    return found


def inference_data(groups: Mapping[str, xr.Dataset]) -> Any:
    """Return groups of ArviZ's schema: as ``InferenceData`` before 1.0, then as a tree."""
    import arviz as az

    if az.__version__.startswith("0."):
        return az.InferenceData(**groups)
    return xr.DataTree.from_dict(dict(groups))


USUAL = 2
"""Processes that chains run in if nobody says how many."""
_CORES: ContextVar[int | None] = ContextVar("cores", default=None)


@contextmanager
def at_most(cores: int | None) -> Iterator[None]:
    """Let sampling below use so many processes or threads; as many as usual if None."""
    token = _CORES.set(cores)
    try:
        yield
    finally:
        _CORES.reset(token)


def allowed(usual: int) -> int:
    """Return how many processes or threads sampling may use, where it would use ``usual``."""
    return _CORES.get() or usual


# A law and a size in; a random vector of the model at hand out.


def random_vector(law: Callable[..., Any], name: str, sigma: float, size: int) -> Any:
    """Random vector, or an empty constant: samplers do not take variables without elements."""
    return law(name, sigma=sigma, shape=size) if size else np.zeros(0)
