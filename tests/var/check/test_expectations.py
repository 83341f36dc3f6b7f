"""The model's own tests: the posterior probability of the sign that the model file expects."""

import numpy as np
import pytest

from attribution.model.spec import Expectation
from attribution.var.check.companion import judge

UNITS = {"basis": "basis points", "creations": "million dollars"}
CLAIMS = (
    Expectation("basis", "unwind", 1, "futures are bought back"),
    Expectation("creations", "selling", -1, "holders redeem"),
    Expectation("basis", "liquidation", -1, "futures fall below spot"),
)


def slopes(**means):
    """Draws of every series' slopes, one column an expectation of the series."""
    rng = np.random.default_rng(0)
    return {
        name: np.array(mean) + rng.standard_normal((2_000, 20, len(mean)))
        for name, mean in means.items()
    }


def test_each_claim_meets_its_own_column_and_its_own_sign():
    found = judge(CLAIMS, slopes(basis=[3.0, -3.0], creations=[3.0]), UNITS)
    assert [f.name for f in found] == ["basis: unwind", "creations: selling", "basis: liquidation"]
    assert [f.verdict for f in found] == ["holds", "fails", "holds"]
    assert found[0].probability > 0.99
    assert found[1].probability < 0.01
    swapped = judge(CLAIMS, slopes(basis=[-3.0, 3.0], creations=[-3.0]), UNITS)
    assert [f.verdict for f in swapped] == ["fails", "holds", "fails"]


@pytest.mark.parametrize(
    ("mean", "verdict"), [(1.4, "holds"), (1.1, "undecided"), (-1.1, "undecided"), (-1.4, "fails")]
)
def test_a_verdict_needs_nine_draws_in_ten(mean, verdict):
    from scipy.stats import norm

    (found,) = judge(CLAIMS[:1], slopes(basis=[mean]), UNITS)
    assert found.verdict == verdict
    assert abs(found.probability - norm.cdf(mean)) < 4.5 * 0.5 / np.sqrt(40_000)


def test_few_draws_near_nine_in_ten_decide_nothing():
    """The probability is one of 60 draws, each with a slope of its own that repeats share."""
    rng = np.random.default_rng(1)
    centre = np.where(np.arange(60) < 55, 3.0, -3.0)[:, None, None]
    drawn = {"basis": centre + 0.1 * rng.standard_normal((60, 20, 1))}
    (found,) = judge(CLAIMS[:1], drawn, UNITS)
    assert found.probability == pytest.approx(55 / 60)
    assert found.error == pytest.approx(np.sqrt(55 * 5 / 60**3))
    assert found.verdict == "undecided"


def test_the_evidence_carries_its_numbers_its_unit_and_its_reason():
    found, other, _ = judge(CLAIMS, slopes(basis=[3.0, 0.0], creations=[2.0]), UNITS)
    assert found.evidence.startswith("+3.0 basis points a shock of one scale, 90 % +1.4 to +4.6")
    assert "no restriction touched the series" in found.evidence
    assert found.question == "Does a shock of unwind raise basis? (futures are bought back)"
    assert other.question.startswith("Does a shock of selling lower creations?")
    assert "million dollars" in other.evidence


def test_no_expectation_no_finding():
    assert judge((), slopes(basis=[1.0]), UNITS) == ()
