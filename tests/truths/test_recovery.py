"""Known shocks come back under their own labels."""

from datetime import date

import numpy as np
import pytest

from attribution.core import propagate
from attribution.decompose import decompose
from attribution.model.spec import Event, ModelSpec, Sample, System
from attribution.var.estimate.var import estimate_var


def only(world, first, last, j):
    """What shock j alone adds in a window: run it from a dead calm, day by day."""
    path = np.zeros((last + 1, len(world.variables)))
    for t in range(first, last + 1):
        path[t] = world.impact[:, j] * world.path[t, j]
        for lag in range(1, len(world.lags) + 1):
            path[t] += world.lags[lag - 1] @ path[t - lag]
    return path[first:]


@pytest.mark.parametrize(("first", "last"), [(65, 65), (65, 69), (10, 79)])
def test_the_true_parameters_return_the_true_contributions_under_their_labels(world, first, last):
    split = decompose(world.posterior(), world.values, world.window(first, last))
    scale = np.abs(split.contribution[0, 0]).sum(-1) + np.abs(split.observed) + 1.0
    for j, name in enumerate(world.shocks):
        k = split.channels.index(name)
        gap = np.abs(split.contribution[0, 0, :, :, k] - only(world, first, last, j))
        assert (gap <= 1e-10 * scale).all(), name


def test_the_true_parameters_return_the_true_shocks(world):
    values = world.values.to_numpy()
    errors = propagate.residuals(world.lags, world.intercept, values[:2], values[2:])
    found = np.linalg.solve(world.impact, errors.T).T
    # backward error of a linear solve: condition number times rounding times the data's size
    bound = 1e2 * np.finfo(float).eps * np.linalg.cond(world.impact) * np.abs(world.path).max()
    assert np.abs(found - world.path[2:]).max() <= bound


def test_swapping_two_impact_columns_still_adds_up_but_tells_another_story(world):
    """Additivity is necessary, not sufficient: only recovery sees a swapped label."""
    truth = world.posterior()
    swapped = decompose(
        type(truth)(**{**vars(truth), "impact": truth.impact[..., [1, 0, 2, 3]]}),
        world.values,
        world.window(65, 66),
    )
    right = only(world, 65, 66, 0)
    assert not np.allclose(swapped.contribution[0, 0, :, :, 0], right, rtol=0.01)


def test_a_recursive_var_recovers_the_shocks_of_a_recursive_world(simulation):
    rng = np.random.default_rng(8)
    names = ("supply", "activity", "price")
    impact = np.array([[2.0, 0, 0], [-0.6, 1.0, 0], [0.5, 0.8, 30.0]])
    unit = np.array([1.0, 1.0, 30.0])
    lags = np.array([[[0.4, 0.1, 0], [0.1, 0.3, 0.1], [-0.2, 0.3, 0.5]]]) * unit[:, None] / unit
    world = simulation(
        impact, lags, np.array([0.1, 0, 1.0]), rng.normal(size=(1500, 3)), names, names
    )
    window = world.window(1480, 1484)
    spec = ModelSpec(
        name="recursive",
        kind="var",
        title="",
        references=(),
        sample=Sample("none", date(2000, 1, 1), date(2050, 1, 1)),
        event=Event("event", "price", (window,), (window.start, window.end)),
        system=System(names, 1),
    )
    fit = estimate_var(spec, world.values, draws=400, seed=3)
    parts, _, _ = decompose(fit.posterior, world.values, window).cumulated("price")
    truth = np.array([only(world, 1480, 1484, j)[:, 2].sum() for j in range(3)])
    centre = decompose(fit.point, world.values, window).cumulated("price")[0][0, 0, :3]
    spread = parts[..., :3].std((0, 1))
    # three nearly normal statistics: 4 sd is exceeded by chance once in 5,000
    assert (np.abs(centre - truth) < 4 * spread).all()
    assert (parts[..., 3] == 0).all()
    assert not (np.abs(centre[[1, 0, 2]] - truth) < 4 * spread).all()
