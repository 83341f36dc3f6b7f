"""The table made into numbers: what a cell says is what its prior says."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from attribution.errors import SpecError
from attribution.model.spec import StructuralPrior
from attribution.var.estimate.structural_prior import impact_prior

DRAWS = 100_000
WRONG_SIDE = 0.01
SD = {"price": 3.0, "software": 1.5, "volatility": 40.0, "liquidations": 0.2}


@pytest.fixture(scope="module")
def spec(headline):
    """The toy with elasticities in units, and one channel with a band away from zero."""
    return headline.spec(
        cells=headline.cells
        | {
            ("derisking", "software"): (-inf, -0.2, None),
            ("hedging", "volatility"): (4.0, inf, 10.0),
            ("derisking", "volatility"): (0.0, inf, 8.0),
            ("derisking", "liquidations"): (0.01, 0.05, None),
            ("hedging", "software"): (-0.1, 0.1, None),
            ("liquidation", "liquidations"): (0.6, inf, None),
        }
    )


@pytest.fixture(scope="module")
def prior(spec):
    return impact_prior(spec, SD)


@pytest.fixture(scope="module")
def drawn(prior):
    return prior.draw(np.random.default_rng(0), DRAWS)


def elasticity(prior, drawn, channel, variable):
    """Response of a series per unit by which the shock moves the outcome its normal way."""
    i, k = prior.variables.index(variable), prior.shocks.index(channel)
    outcome = prior.direction * drawn[:, 0, k]
    assert (outcome > 0).all()
    return drawn[:, i, k] / outcome * SD[variable] / SD["price"]


def near(frequency, probability):
    """Within four and a half standard errors of a frequency of that probability."""
    return abs(frequency - probability) < 4.5 * np.sqrt(probability * (1 - probability) / DRAWS)


@pytest.mark.parametrize(
    ("channel", "variable", "threshold", "median"),
    [
        ("derisking", "software", -0.2, -0.4),  # without a center: twice the threshold
        ("hedging", "volatility", 4.0, 10.0),
        ("liquidation", "liquidations", 0.6, 1.2),
    ],
)
def test_one_per_cent_of_the_prior_is_on_the_wrong_side_of_a_threshold(
    prior, drawn, channel, variable, threshold, median
):
    x = elasticity(prior, drawn, channel, variable)
    assert (np.sign(x) == np.sign(threshold)).all()
    assert near((np.abs(x) < abs(threshold)).mean(), WRONG_SIDE)
    assert near((x < median).mean(), 0.5)
    spread = np.log(median / threshold) / stats.norm.ppf(1 - WRONG_SIDE)
    assert stats.kstest(np.log(x[:5000] / median) / spread, "norm").pvalue > 1e-3


def test_a_bare_sign_has_its_center_as_median_and_the_stated_spread(spec, prior, drawn):
    x = elasticity(prior, drawn, "derisking", "volatility")
    assert (x > 0).all()
    assert near((x < 8.0).mean(), 0.5)
    assert near((x < 8.0 * np.exp(spec.structural.elasticity_sd)).mean(), stats.norm.cdf(1))


@pytest.mark.parametrize(
    ("channel", "variable", "low", "high"),
    [("hedging", "software", -0.1, 0.1), ("derisking", "liquidations", 0.01, 0.05)],
)
def test_a_band_is_the_mean_plus_and_minus_two_standard_deviations(
    prior, drawn, channel, variable, low, high
):
    x = elasticity(prior, drawn, channel, variable)
    standard = (x - (low + high) / 2) / ((high - low) / 4)
    assert abs(standard.mean()) < 4.5 / np.sqrt(DRAWS)
    assert abs(standard.std() - 1) < 4.5 / np.sqrt(2 * DRAWS)
    assert near(((x > low) & (x < high)).mean(), stats.norm.cdf(2) - stats.norm.cdf(-2))


def test_a_cell_that_the_table_leaves_out_is_free(spec, prior, drawn):
    x = elasticity(prior, drawn, "hedging", "liquidations")
    standard = x / (spec.structural.free_scale * SD["liquidations"] / SD["price"])
    assert abs(standard.mean()) < 4.5 / np.sqrt(DRAWS)
    assert abs(standard.std() - 1) < 4.5 / np.sqrt(2 * DRAWS)


def test_no_channel_is_favoured_in_the_variance_of_the_outcome(spec, prior, drawn):
    channels = len(spec.channels)
    square = drawn[:, 0, :channels] ** 2
    common = np.exp(2 * spec.structural.outcome_scale_sd**2)  # mean of the squared scale
    error = square.std(0) / np.sqrt(DRAWS)
    assert (np.abs(square.mean(0) - common / (channels + 1)) < 4.5 * error).all()
    assert (square.sum(1) < np.exp(2 * 5 * spec.structural.outcome_scale_sd)).all()
    first = square.argmax(1)
    assert all(near((first == k).mean(), 1 / channels) for k in range(channels))
    assert (np.sign(drawn[:, 0, :channels]) == prior.direction).all()


def test_unnamed_shocks_reach_every_row_and_noise_reaches_one(spec, prior, drawn):
    assert prior.shocks == (
        *spec.channels,
        "software_news",
        "volatility_noise",
        "liquidations_noise",
    )
    own = {"software_news": 1, "volatility_noise": 2, "liquidations_noise": 3}
    for shock, row in own.items():
        column = drawn[:, :, prior.shocks.index(shock)]
        assert (column[:, row] > 0).all()
        assert near((column[:, row] < spec.structural.own_median).mean(), 0.5)
        rest = np.delete(column, row, axis=1)
        if shock.endswith("_noise"):
            assert (rest == 0).all()
        else:
            settings = spec.structural
            expected = [settings.unnamed_on_outcome, *[settings.unnamed_reach] * 2]
            assert_allclose(rest.std(0), expected, rtol=4.5 / np.sqrt(2 * DRAWS))
    assert not {"price_noise", "price_news", "software_noise"} & set(prior.shocks)


def test_one_draw_of_standard_normals_at_zero_is_the_matrix_of_medians(prior):
    zeros = [np.zeros(len(getattr(prior, name))) for name in ("signed", "banded", "own", "reach")]
    share = np.full(prior.channels + 1, 1 / (prior.channels + 1))
    impact = prior.assemble(share, np.zeros(()), *zeros)
    assert impact.shape == prior.shape
    strength = np.sqrt(share[0])
    assert_allclose(impact[0, :3], -strength)
    assert_allclose(impact[1, 0], -0.4 * SD["price"] / SD["software"] * strength)
    assert_allclose(impact[3, 0], 0.03 * SD["price"] / SD["liquidations"] * strength)
    assert impact[3, 1] == 0


def test_a_change_of_unit_of_a_series_changes_nothing_but_the_cells_unit(headline):
    factor = 1000.0
    moved = {
        key: (low * factor, high * factor, None if center is None else center * factor)
        if key[1] == "volatility"
        else (low, high, center)
        for key, (low, high, center) in headline.cells.items()
    }
    one = impact_prior(headline.spec(), SD)
    two = impact_prior(headline.spec(cells=moved), SD | {"volatility": SD["volatility"] * factor})
    for name, array in vars(one).items():
        if isinstance(array, np.ndarray):
            assert_allclose(getattr(two, name), array, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((0.0, inf, None), "cell hedging / volatility: a bare sign has no size; add center"),
        ((-inf, 0.0, None), "a bare sign has no size"),
        ((-0.5, inf, None), r"'>= -0.5' is open and crosses zero, so it has no size; give both"),
        ((-inf, 0.5, 0.2), "is open and crosses zero"),
        ((0.0, inf, 0.0), "a bare sign has no size"),
        ((0.5, inf, 0.5), "center = 0.5 lies on the threshold, so the prior has no spread"),
    ],
)
def test_a_cell_without_a_size_is_refused(headline, bounds, message):
    spec = headline.spec(cells=headline.cells | {("hedging", "volatility"): bounds})
    with pytest.raises(SpecError, match=message):
        impact_prior(spec, SD)


def test_a_model_without_a_table_is_refused(headline):
    spec = replace(headline.spec(), identification=None, structural=StructuralPrior())
    with pytest.raises(SpecError, match="needs an identification table"):
        impact_prior(spec, SD)
