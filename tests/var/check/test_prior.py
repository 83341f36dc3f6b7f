"""The prior alone names no culprit, or the report says so."""

import numpy as np
import pytest
import xarray as xr

from attribution.var.check.ledger import neutral

NAMES = ["derisking", "hedging", "liquidation", "unattributed"]


def prior(centres, seed=3, draws=4000):
    """Contributions (draw, channel) around centres."""
    noise = np.random.default_rng(seed).normal(size=(draws, len(NAMES)))
    return xr.DataArray(
        np.asarray(centres) + noise, dims=("draw", "channel"), coords={"channel": NAMES}
    )


def test_equal_channels_are_neutral_and_their_probabilities_are_printed():
    found = neutral(prior([-1, -1, -1, 0]), observed=-10.0)
    assert found.verdict == "holds"
    assert "derisking 0.3" in found.evidence
    assert "neutral is 0.33" in found.evidence


def test_a_prior_that_favours_one_channel_fails():
    found = neutral(prior([-3, -1, -1, 0]), observed=-10.0)
    assert found.verdict == "fails"


def test_a_channel_that_the_prior_rules_out_fails_too():
    assert neutral(prior([-1, -1, 4, 0]), observed=-10.0).verdict == "fails"


def test_what_is_not_named_cannot_be_the_culprit():
    assert neutral(prior([-1, -1, -1, -50]), observed=-10.0).verdict == "holds"


@pytest.mark.parametrize(("observed", "verdict"), [(-10.0, "fails"), (10.0, "fails")])
def test_largest_means_in_the_direction_of_the_move(observed, verdict):
    found = neutral(prior([-5, 5, 0, 0]), observed)
    winner = "derisking" if observed < 0 else "hedging"
    assert found.verdict == verdict
    assert f"{winner} 1.00" in found.evidence
