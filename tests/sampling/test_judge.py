"""When draws may not be trusted, the refusal says why, and two modes are reported as two."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from attribution.errors import DiagnosticsError
from attribution.sampling import engine
from attribution.sampling.judge import diagnose, finding, refuse

WINDOWS, CHANNELS = ("crash", "round-trip"), ("derisking", "hedging", "unattributed")


def draws(chains=4, length=1000, seed=0, scale=0.5):
    """Independent draws of contributions (chain, draw, window, channel)."""
    rng = np.random.default_rng(seed)
    mean = np.array([[-6.0, -4.0, -2.0], [-3.0, -1.0, 0.5]])
    x = mean + scale * rng.standard_normal((chains, length, 2, 3))
    return labelled(x)


def labelled(x):
    return xr.DataArray(
        x,
        dims=("chain", "draw", "window", "channel"),
        coords={"window": list(WINDOWS), "channel": list(CHANNELS)},
    )


def stats(contribution, *, energy=None, diverging=0):
    shape = contribution.shape[:2]
    out = np.zeros(shape, bool)
    out.ravel()[:diverging] = True
    noise = np.random.default_rng(1).standard_normal(shape)
    return {"diverging": out, "energy": noise if energy is None else energy}


def test_independent_draws_pass():
    good = draws()
    found = diagnose(good, stats(good))
    assert found.failures == ()
    assert found.modes == ((0, 1, 2, 3),)
    assert found.divergences == 0
    refuse(found, good)
    assert finding(found, 4000).verdict == "holds"
    assert finding(found, 4000).evidence.startswith("4,000 draws; R-hat at most 1.00")


def test_the_worst_entry_is_the_one_reported():
    shifted = draws()
    shifted[2, :, 1, 0] += 0.25
    found = diagnose(shifted, stats(shifted))
    assert found.where == "round-trip/derisking"
    x = shifted.to_numpy()
    assert_allclose(found.r_hat, engine.rhat(x)[1, 0])
    assert_allclose(found.r_hat, engine.rhat(x).max())
    assert_allclose(found.ess_bulk, engine.ess_bulk(x).min())
    assert_allclose(found.ess_tail, engine.ess_tail(x).min())
    assert_allclose(found.mcse, engine.mcse_mean(x).max())


def test_the_order_of_dimensions_does_not_matter_and_a_channel_that_is_zero_is_left_out():
    good = draws()
    good[..., 1] = 0.0
    turned = good.transpose("channel", "window", "draw", "chain")
    assert diagnose(good, stats(good)) == diagnose(turned, stats(good))
    assert diagnose(good, stats(good)).failures == ()


def ar(rho, shape, rng):
    x = np.zeros(shape)
    for t in range(1, shape[1]):
        x[:, t] = rho * x[:, t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal(
            (shape[0], *shape[2:])
        )
    return x


def bad_draws(kind):
    """Draws or statistics with one fault, and the words that name it."""
    good, rng = draws(), np.random.default_rng(3)
    if kind == "shifted":
        good[3, :, 0, 1] += 1.5
        return good, stats(good), r"R-hat 1\.\d+ of crash/hedging is above 1.01"
    if kind == "slow":
        slow = labelled(good.mean(("chain", "draw")).to_numpy() + ar(0.97, good.shape, rng))
        return slow, stats(slow), r"\d+ effective draws are fewer than 400"
    if kind == "wide":
        wide = draws(scale=50.0)
        return wide, stats(wide), r"the Monte Carlo error of a mean, 0\.\d+, is not below 0.1"
    if kind == "divergent":
        return good, stats(good, diverging=3), "3 transitions diverged"
    energy = np.cumsum(rng.standard_normal(good.shape[:2]), axis=1)
    energy[1:] = rng.standard_normal(energy[1:].shape)  # the worst chain counts
    return good, stats(good, energy=energy), r"the energy fraction 0\.0\d is not above 0.3"


@pytest.mark.parametrize("kind", ["shifted", "slow", "wide", "divergent", "energy"])
def test_each_failing_diagnostic_is_named_and_exits_with_three(kind):
    contribution, statistics, words = bad_draws(kind)
    found = diagnose(contribution, statistics)
    with pytest.raises(DiagnosticsError, match=words) as refusal:
        refuse(found, contribution)
    assert refusal.value.exit_code == 3
    assert str(refusal.value).startswith("the sampler did not converge: ")
    assert "ask for more --draws, or another --seed" in str(refusal.value)
    assert finding(found, 4000).verdict == "fails"
    if kind in ("wide", "divergent", "energy"):
        assert len(found.failures) == 1  # and nothing else is blamed


@pytest.mark.parametrize("name", ["r_hat", "ess_bulk", "ess_tail", "mcse"])
def test_a_diagnostic_that_is_not_a_number_fails(name):
    good = draws()
    found = replace(diagnose(good, stats(good)), **{name: np.nan})
    assert len(found.failures) == 1


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("r_hat", 1.0099, 1.0101),
        ("ess_bulk", 400.0, 399.0),
        ("ess_tail", 400.0, 399.0),
        ("mcse", 0.099, 0.101),
        ("divergences", 0, 1),
        ("energy", 0.31, 0.29),
        ("energy", np.nan, 0.1),
    ],
)
def test_each_limit_is_where_it_is_said_to_be(name, inside, outside):
    good = diagnose(draws(), {})
    assert replace(good, **{name: inside}).failures == ()
    assert len(replace(good, **{name: outside}).failures) == 1


def test_two_modes_are_reported_as_two_with_their_means():
    split = draws()
    split[[1, 3], :, 0, 0] += 4.0
    split[[1, 3], :, 0, 1] -= 4.0
    found = diagnose(split, stats(split))
    assert found.modes == ((0, 2), (1, 3))
    with pytest.raises(
        DiagnosticsError,
        match=r"2 modes in window 'crash' \(chains 0, 2: derisking -6\.0, hedging -4\.0, "
        r"unattributed -2\.0 \| chains 1, 3: derisking -2\.0, hedging -8\.0, unattributed -2\.0\)",
    ):
        refuse(found, split)


def refused(contribution, **how):
    found = diagnose(contribution, {})
    with pytest.raises(DiagnosticsError) as refusal:
        refuse(found, contribution, **how)
    return str(refusal.value)


def test_replicates_of_a_bootstrap_have_no_sampler_and_no_modes():
    split = draws()
    split[[1, 3], :, 0, 0] += 4.0
    said = refused(split, replicates=True)
    assert "replicates of the bootstrap do not settle the answer: R-hat" in said
    assert "sampler" not in said and "modes" not in said and "--seed" not in said
    assert said.endswith("ask for more --draws")


def test_too_few_draws_are_not_called_modes():
    few = draws().isel(draw=slice(0, 10))
    few[0] += 4.0
    said = refused(few)
    assert said.startswith("40 draws are too few to judge: ")
    assert "effective draws are fewer than 400" in said and "modes" not in said


@pytest.mark.parametrize(("heavy", "more"), [(2, False), (100, True)])
def test_weights_that_leave_a_handful_are_the_cause_and_no_seed_mends_them(heavy, more):
    """All weight on a few draws: more are asked for only where so many can be drawn."""
    good = draws()
    weight = np.zeros((good.sizes["chain"], good.sizes["draw"]))
    weight[:, : heavy // 2] = 1.0
    found = replace(diagnose(good, {}), ess_bulk=float(weight.sum()))
    with pytest.raises(DiagnosticsError) as refusal:
        refuse(found, good, weight=weight)
    said = str(refusal.value)
    assert f"leave {weight.sum():.0f} of equal weight" in said
    assert "another --seed would not help: widen or drop some" in said
    assert ("or ask for some" in said) is more


def test_three_modes_are_three():
    split = draws()
    split[1] += 5.0
    split[2] -= 5.0
    assert diagnose(split, stats(split)).modes == ((0, 3), (1,), (2,))


def test_a_sampler_without_statistics_is_judged_by_its_draws_alone():
    found = diagnose(draws(), {})
    assert np.isnan(found.energy)
    assert found.failures == ()


def test_the_energy_fraction_is_that_of_betancourt():
    good = draws()
    rng = np.random.default_rng(5)
    energy = rng.standard_normal(good.shape[:2]) * np.array([1.0, 2.0, 3.0, 4.0])[:, None]
    found = diagnose(good, stats(good, energy=energy)).energy
    by_hand = [((e[1:] - e[:-1]) ** 2).mean() / ((e - e.mean()) ** 2).mean() for e in energy]
    assert_allclose(found, min(by_hand))
    assert 1.8 < found < 2.2  # independent energies
