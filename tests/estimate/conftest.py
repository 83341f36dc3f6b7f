"""A small question with a table, and data whose shocks obey it."""

from datetime import date
from math import inf
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from attribution.estimate.bvar_signs import fit_bvar_signs
from attribution.model.spec import (
    Cell,
    Channel,
    Event,
    Identification,
    Minnesota,
    ModelSpec,
    Sample,
    System,
    Window,
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
