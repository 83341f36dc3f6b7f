"""A small question with a table, and data whose shocks obey it."""

from datetime import date
from math import inf
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from attribution.model.restriction import Cell, Channel, Identification
from attribution.model.spec import (
    Event,
    Exposure,
    Minnesota,
    ModelSpec,
    Sample,
    StructuralPrior,
    System,
    Window,
)
from attribution.sampling import engine
from attribution.var.estimate.bvar_signs import fit_bvar_signs

ARGUMENTS = (
    *("share", "log_scale", "signed", "banded", "own", "reach", "whitened"),
    *("slope", "state", "jump", "scale_slope", "own_log_scale", "dof"),
)
NAMES = ("software", "price", "volatility", "volume")
WINDOWS = (
    Window("crash", date(2025, 12, 2), date(2025, 12, 2)),
    Window("both", date(2025, 12, 1), date(2025, 12, 2)),
)
CELLS = {
    ("derisking", "software"): (-inf, -0.3),
    ("derisking", "volatility"): (0.0, inf),
    ("hedging", "software"): (-0.3, 0.3),
    ("hedging", "volatility"): (0.5, inf),
}


def signs_table(cells=CELLS, names=("derisking", "hedging")):
    return Identification(
        name="toy",
        path=None,
        outcome="price",
        direction=-1,
        channels=tuple(Channel(name, name) for name in names),
        cells=tuple(
            Cell(channel, variable, low, high, "reason", "source")
            for (channel, variable), (low, high) in cells.items()
        ),
    )


def signs_spec(*, identification=None, variables=NAMES, windows=WINDOWS, prior=None):
    return ModelSpec(
        name="toy",
        kind="bvar_signs",
        title="",
        references=(),
        sample=Sample("none", date(2025, 1, 1), date(2025, 12, 31)),
        event=Event("event", "price", windows, (date(2025, 12, 1), date(2025, 12, 3))),
        system=System(variables, 1),
        prior=Minnesota() if prior is None else prior,
        identification=signs_table() if identification is None else identification,
    )


@pytest.fixture(scope="session")
def signs_values():
    """Shocks that obey the table, series in different units, a crash on 1 and 2 December."""
    rng = np.random.default_rng(7)
    days = pd.bdate_range("2025-01-01", periods=260, name="time")
    unit = np.array([1.0, 2.0, 9.0, 100.0])
    impact = np.array(
        [
            [-0.8, 0.1, 0.5, 0.0],
            [-1.0, -0.9, 0.3, -0.4],
            [0.6, 0.9, -0.2, 0.1],
            [0.2, 0.4, 0.1, 1.0],
        ]
    )
    path = np.zeros((260, 4))
    for t in range(1, 260):
        path[t] = 0.2 * path[t - 1] + impact @ rng.normal(size=4)
    path[239:241, 1] -= 4.0
    return pd.DataFrame(path * unit, days, list(NAMES))


@pytest.fixture(scope="session")
def toy():
    """Builders of the table and of the question, and its plain parts."""
    return SimpleNamespace(
        names=NAMES, windows=WINDOWS, cells=CELLS, table=signs_table, spec=signs_spec
    )


@pytest.fixture(scope="session")
def signs_fit(toy, signs_values):
    """The toy question answered, with robust ranges for both windows."""
    return fit_bvar_signs(toy.spec(), signs_values, draws=2000, seed=1, robust_draws=20)


# The headline model's toy: three complete variables, one with missing spells, three channels.
CORE = ("price", "software", "volatility")
HELD = (
    Window("eve", date(2025, 9, 1), date(2025, 9, 1)),
    Window("crash", date(2025, 9, 2), date(2025, 9, 2)),
)
UNIT = np.array([3.0, 1.5, 40.0, 0.2])
TRUE_IMPACT = np.array(  # columns as in the prior: channels, software_news, noise of two series
    [
        [-0.55, -0.50, -0.55, 0.05, 0.00, 0.00],
        [-0.80, 0.00, 0.01, 0.40, 0.00, 0.00],
        [0.35, 0.85, 0.10, -0.10, 0.30, 0.00],
        [0.02, -0.05, 0.90, 0.00, 0.00, 0.30],
    ]
)


def in_units(variable, *sizes):
    """Elasticities of series of equal spread, in the units of the toy."""
    unit = UNIT[(*CORE, "liquidations").index(variable)] / UNIT[0]
    return tuple(None if size is None else size * unit for size in sizes)


SIZED = {
    ("derisking", "software"): in_units("software", -inf, -0.7, None),
    ("derisking", "volatility"): in_units("volatility", 0.0, inf, 0.6),
    ("derisking", "liquidations"): in_units("liquidations", -0.2, 0.2, None),
    ("hedging", "software"): in_units("software", -0.1, 0.1, None),
    ("hedging", "volatility"): in_units("volatility", 0.8, inf, None),
    ("liquidation", "software"): in_units("software", -0.1, 0.1, None),
    ("liquidation", "liquidations"): in_units("liquidations", 0.8, inf, None),
}


def headline_spec(*, cells=SIZED, names=("derisking", "hedging", "liquidation"), **changes):
    auxiliary = changes.pop("auxiliary", ("liquidations",))
    identification = Identification(
        name="toy",
        path=None,
        outcome="price",
        direction=-1,
        channels=tuple(Channel(name, name) for name in names),
        cells=tuple(
            Cell(channel, variable, low, high, "reason", "source", center)
            for (channel, variable), (low, high, center) in cells.items()
        ),
    )
    plain = {
        "name": "toy",
        "kind": "bvar",
        "title": "",
        "references": (),
        "sample": Sample("none", date(2025, 1, 1), date(2025, 12, 31)),
        "event": Event("event", "price", HELD, (date(2025, 9, 1), date(2025, 9, 3))),
        "system": System(CORE, 1, auxiliary=auxiliary),
        "structural": StructuralPrior(
            unnamed=("software",),
            unnamed_reach=0.3,
            own_median=0.5,
            own_sd=0.6,
            scale_columns=("lagged_level",),
        ),
        "identification": identification,
        "exposures": (Exposure("derisking", "stress", "reason"),),
    }
    return ModelSpec(**(plain | changes))


@pytest.fixture(scope="session")
def headline():
    """Builder of the question, and what is true of the data that answer it."""
    return SimpleNamespace(
        spec=headline_spec, cells=SIZED, core=CORE, impact=TRUE_IMPACT * UNIT[:, None], unit=UNIT
    )


@pytest.fixture(scope="session")
def headline_data():
    """Panel and the shocks behind it; hedging crashes the price on 2 September."""
    rng = np.random.default_rng(11)
    days = pd.bdate_range("2024-10-07", "2025-09-12", name="time")
    count = len(days)
    shocks = rng.standard_normal((count, TRUE_IMPACT.shape[1])) * np.sqrt(
        4 / rng.chisquare(6, (count, 1))
    )
    jumped = rng.random((count, 3)) < 0.04
    shocks[:, :3] *= np.where(jumped, 3.0, 0.9)
    crash = days.get_loc(pd.Timestamp("2025-09-02"))
    shocks[crash, :4] = [1.5, 6.0, 0.5, -0.5]
    path = np.zeros((count, 4))
    for t in range(1, count):
        path[t, :3] = 0.15 * path[t - 1, :3]
        path[t] += TRUE_IMPACT @ shocks[t]
    values = pd.DataFrame(path * UNIT, days, [*CORE, "liquidations"])
    values.iloc[:40, 3] = np.nan
    values["stress"] = rng.standard_normal(count)
    values["lagged_level"] = np.sin(np.arange(count) / 15)
    return SimpleNamespace(values=values, shocks=pd.DataFrame(shocks, days), crash=days[crash])


@pytest.fixture(scope="session")
def density_gaps():
    """Log density of a sampled model less its kernel, its priors in closed form and Jacobians."""

    def gaps(model, kernel, laws):
        """Relative gaps at three points; ``laws`` are those of the parameters, by name."""
        density, start = engine.log_density(model, "FAST_COMPILE")
        backward = engine.backward(model)
        drawn = [v.name for v in model.unobserved_value_vars]
        free = {v.name: v for v in model.free_RVs}
        begun = model.initial_point()
        sizes = [np.size(begun[v.name]) for v in model.value_vars]
        assert set(free) == {"whitened", *laws} & {"whitened", *drawn}

        def inner(x):
            return dict(zip(drawn, map(np.asarray, backward(x)), strict=True))

        def log_jacobian(name, x):
            """Of free coordinates to the parameter, by differences; a simplex loses its last."""
            place = list(free).index(name)
            first, kept = sum(sizes[:place]), sizes[place]
            step = 1e-6 * np.eye(len(x))[first : first + kept]
            slope = [(inner(x + h)[name] - inner(x - h)[name]).ravel() / 2e-6 for h in step]
            return np.linalg.slogdet(np.array(slope)[:, :kept])[1]

        for seed in range(3):
            at = start + 0.3 * np.random.default_rng(seed).standard_normal(len(start))
            inside = inner(at)
            argument = {"dof": 2.1 + inside["tail"]} | {
                name: inside.get({"state": "burst"}.get(name, name) if "burst" in laws else name)
                for name in ARGUMENTS[:-1]
            }
            empty = {name: np.zeros(0) for name, x in argument.items() if x is None}
            total = kernel.value_and_gradient(**argument | empty)[0]
            for name in set(free) - {"whitened"}:
                total += np.sum(laws[name].logpdf(inside[name])) + log_jacobian(name, at)
            yield abs(density(at)[0] - total) / abs(total)

    return gaps
