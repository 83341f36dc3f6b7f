"""One target, one search: on the shipped tables, not on toys."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

import attribution as at
from attribution.core.rotations import cone_gibbs, ellipse
from attribution.errors import SpecError
from attribution.panel import read_panel
from attribution.var.estimate.cones import cone_chains, table_cones
from attribution.var.estimate.conjugate import conjugate_form, estimation_sample
from attribution.var.identify.slice import _Map
from attribution.var.kinds.by_rotations import impact_cones
from attribution.var.kinds.shape import claims_of

DAY = "2026-02-05"


@pytest.fixture(scope="module")
def shipped():
    """Posterior without the table, cones and compiled claims of the shipped model."""
    spec = at.read_model("bvar_signs")
    panel = read_panel(spec, None)
    frame = estimation_sample(spec, panel.values, "out", last=spec.event.hold_out[1])
    reduced = conjugate_form(spec, frame, np.random.default_rng(0), chains=4).posterior
    claims = claims_of(spec, spec.identification, panel)
    names = list(spec.system.variables)
    rows = panel.values.loc[:DAY, names].to_numpy(float)

    def crash(impact):
        """Contributions of each channel, at the posterior mean of the coefficients."""
        error = rows[-1] - np.append(1.0, rows[-2]) @ reduced.mean
        at_outcome = impact[:, names.index(spec.event.outcome)]
        return (at_outcome * np.linalg.solve(impact, error))[:, : len(claims.channels)]

    return spec, reduced, table_cones(spec), claims, crash


def normals_of(reduced, impact, rng):
    """Invert the map of the slices: normals (draw, coordinate) behind impact matrices."""
    draws, n = impact.shape[:2]
    factor = np.linalg.cholesky(impact @ impact.swapaxes(1, 2))
    upper = np.triu(rng.standard_normal((draws, n, n)), 1)
    places = np.arange(n)
    upper[:, places, places] = np.sqrt(rng.chisquare(n - places, (draws, n)))
    turned = np.linalg.solve(factor, impact) @ upper
    root = np.broadcast_to(np.linalg.cholesky(reduced.scale), factor.shape)
    bartlett = np.linalg.solve(factor, root)
    square = np.diagonal(bartlett, axis1=1, axis2=2) ** 2
    law = stats.chi2(reduced.dof - places[::-1])
    below, above = law.cdf(square), law.sf(square)
    straight = np.where(below < above, ndtri(below), -ndtri(above))
    rows, columns = np.tril_indices(n, -1)
    parts = turned.reshape(draws, -1), straight, bartlett[:, rows, columns]
    return np.concatenate(parts, axis=1)


def test_compiled_claims_of_the_shipped_table_are_the_cones_of_the_table(shipped):
    spec, _, cones, claims, _ = shipped
    ours = impact_cones(claims, spec.identification)
    np.testing.assert_array_equal(ours.ends, cones.ends)
    for one, other in zip(
        np.split(ours.rows, ours.ends[:-1]), np.split(cones.rows, cones.ends[:-1]), strict=True
    ):
        sorted_ = [rows[np.lexsort(rows.T)] for rows in (one, other)]
        np.testing.assert_allclose(*sorted_, atol=1e-12)
    assert [ours.cells[i] for i in ours.owner if i >= 0]  # each row knows its cell
    assert set(ours.owner) == {-1, *range(len(ours.cells))}


def test_slices_leave_the_draws_of_the_gibbs_sampler_where_they_are(shipped):
    """Both have one target: moves by either kernel do not shift the distribution of the other."""
    _, reduced, cones, claims, crash = shipped
    rng = np.random.default_rng(3)
    impact = cone_chains(reduced, cones, 30, rng, place="shipped").reshape(-1, *reduced.scale.shape)
    of = _Map(reduced, claims, None)
    states = normals_of(reduced, impact, rng)
    factor, q, _ = of.draws(states)
    np.testing.assert_allclose(factor @ q, impact, rtol=1e-8, atol=1e-10)
    found = of.violation(states)
    assert found.max() < 0
    for _ in range(15):
        states, found = ellipse.sweep(of.violation, states, found, of.blocks, 0.0, rng)
    factor, q, _ = of.draws(states)
    moved = crash(factor @ q) - crash(impact)
    error = moved.std(0) / np.sqrt(len(moved))
    assert (error > 0).all()
    assert (np.abs(moved.mean(0)) < 4 * error).all()


def test_wherever_it_starts_the_gibbs_sampler_ends_in_one_answer(shipped):
    """A cloud of slices that had stood still at -0.1, 2 to 4, ... went to the same place."""
    _, reduced, cones, _, crash = shipped
    rng = np.random.default_rng(4)
    spread = np.sqrt(np.diag(reduced.scale) / reduced.dof)

    def run(stretch, draws):
        chains = [
            cone_gibbs.sample(
                cones.start(spread * stretch, own), reduced.scale, reduced.dof, cones.rows,
                cones.ends, draws=draws, burn_in=3000, thin=80, rng=own,
            )
            for own in rng.spawn(10)
        ]  # fmt: skip
        return np.array([crash(chain).mean(0) for chain in chains])

    near = run(np.ones(len(spread)), 60)
    far = run(np.geomspace(0.02, 50.0, len(spread)), 60)
    error = np.sqrt((near.var(0, ddof=1) + far.var(0, ddof=1)) / 10)
    assert (np.abs(near.mean(0) - far.mean(0)) < 4.5 * error).all()


def test_a_table_of_cones_is_not_searched_by_slices_and_others_not_by_gibbs(shipped):
    spec = replace(shipped[0], kind="svar", path=None)
    with pytest.raises(SpecError, match="'gibbs' draws the same posterior; use that one"):
        at.fit(spec, settings=at.Settings(draws=400, sampler="slice"))
    table = spec.identification
    cell = replace(table.cells[0], per="shock")
    bound = replace(spec, identification=replace(table, cells=(cell, *table.cells[1:])))
    with pytest.raises(SpecError, match="use sampler 'slice', or leave"):
        at.fit(bound, settings=at.Settings(draws=400, sampler="gibbs"))


@pytest.mark.slow
def test_two_kinds_of_model_give_one_answer_to_the_shipped_question(shipped):
    signs = shipped[0]
    svar = replace(signs, kind="svar", path=None)
    means, errors = [], []
    for spec, sampler in ((signs, None), (svar, "gibbs")):
        run = at.fit(spec, settings=at.Settings(draws=2000, seed=2, sampler=sampler))
        parts = run.tree["posterior/contribution"].sel(window="crash")
        means.append(parts.mean(("chain", "draw")).to_numpy())
        errors.append(parts.std(("chain", "draw")).to_numpy() / np.sqrt(1000))
    assert (np.abs(means[0] - means[1]) < 4 * np.hypot(*errors)).all()


@pytest.mark.slow
def test_on_a_shipped_table_that_rejection_can_serve_both_searches_agree():
    means, errors = [], []
    for sampler in ("accept", "gibbs"):
        run = at.fit("coarse", settings=at.Settings(draws=4000, seed=2, sampler=sampler))
        weight = run.tree["weights/weight"]
        parts = run.tree["posterior/contribution"].sel(window="crash")
        mean = (parts * weight).sum(("chain", "draw")) / weight.sum()
        square = ((parts - mean) ** 2 * weight).sum(("chain", "draw")) / weight.sum()
        size = float(weight.sum() ** 2 / (weight**2).sum())
        means.append(mean.to_numpy())
        errors.append(np.sqrt(square.to_numpy() / (0.8 * size)))
    assert (np.abs(means[0] - means[1]) < 4 * np.hypot(*errors)).all()
