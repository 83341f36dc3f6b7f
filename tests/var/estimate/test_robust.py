"""Ranges that hold for every prior on rotations, beside the draws they belong to."""

import numpy as np
from numpy.testing import assert_allclose

from attribution.decompose import decompose
from attribution.var.estimate import bvar_signs as robust_module
from attribution.var.estimate.bvar_signs import fit_bvar_signs


def fit_of(model, data, **changes):
    settings = {"draws": 400, "seed": 1, "robust_draws": 4, "windows": ()} | changes
    return fit_bvar_signs(model, data, **settings)


def test_robust_ranges_contain_the_draws_and_leave_out_more_with_every_claim(
    toy, signs_fit, signs_values
):
    robust, posterior = signs_fit.robust, signs_fit.posterior
    assert robust.windows == ("crash", "both")
    assert robust.lower.shape == robust.upper.shape == (4, 5, 2, 2)
    for w, window in enumerate(toy.windows):
        parts, _, _ = decompose(posterior, signs_values, window).cumulated("price")
        own = parts[:, ::100, :2]
        assert (robust.lower[:, :, w] <= own + 1e-9).all()
        assert (robust.upper[:, :, w] >= own - 1e-9).all()
    assert robust.clear.shape == robust.upper.shape
    reached = np.maximum(np.maximum(-robust.upper, robust.lower), 0.0)
    assert (robust.clear <= reached + 1e-9).all(), "no search from inside passes what is certain"
    assert robust.converged.all()
    low, high = robust.no_assumption.T
    assert (robust.lower_at_mean > low[:, None] - 1e-9).all()
    assert (robust.upper_at_mean < high[:, None] + 1e-9).all()
    assert (robust.identification_strength > -0.005).all()
    assert (robust.identification_strength.max(1) > 0.05).all()
    assert_allclose(
        robust.identification_strength,
        1 - (robust.upper_at_mean - robust.lower_at_mean) / (high - low)[:, None],
    )
    assert (robust.dilution > low).all()
    assert (robust.dilution < high).all()
    claims = toy.cells | {("derisking", "volume"): (-0.5, 0.9), ("hedging", "volume"): (-0.5, 0.9)}
    tighter = fit_of(
        toy.spec(identification=toy.table(claims)), signs_values, draws=400, windows=None
    ).robust
    assert (tighter.identification_strength > robust.identification_strength - 0.02).all()


def test_no_windows_are_no_ranges(toy, signs_values):
    robust = fit_of(toy.spec(), signs_values).robust
    assert robust.windows == ()
    assert robust.lower.shape == (4, 1, 0, 2)


def test_where_no_second_start_is_found_nothing_is_said_to_converge(toy, signs_values, monkeypatch):
    monkeypatch.setattr(
        robust_module.bounds, "admissible", lambda root, *rest: (np.zeros(len(root), bool), root)
    )
    fit = fit_of(toy.spec(), signs_values, windows=None)
    robust = fit.robust
    assert not robust.converged.any()
    assert (robust.agreed == 0).all()
    assert np.isnan(robust.identification_strength).all()
    assert (robust.lower < robust.upper).all()  # from the draw's own rotation alone
