"""Two models on one event: they agree, nearly agree or contradict each other, and it is said."""

import pandas as pd
import pytest

from attribution.var.check.companion import agreement, companion


def bands(**rows):
    return pd.DataFrame.from_dict(rows, orient="index", columns=["q25", "median", "q75"])


ONE = bands(a=[-4, -3, -2], b=[0, 1, 2], baseline=[9, 9, 9], unattributed=[5, 6, 7])


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (bands(a=[-3.5, -2.5, -1.5], b=[0, 1, 2]), "holds"),
        (bands(a=[-2.5, -1.0, 0], b=[0, 1, 2]), "undecided"),  # bands overlap, medians outside
        (bands(a=[-9, -3, 9], b=[0, 1, 2]), "holds"),  # a wide companion does not contradict
        (bands(a=[-9, -5, 9], b=[0, 1, 2]), "undecided"),
        (bands(a=[-1.5, -1.0, 0], b=[0, 1, 2]), "fails"),
    ],
)
def test_the_verdict_is_that_of_the_worst_channel(other, expected):
    assert agreement(ONE, other).verdict == expected


def test_what_is_left_over_is_not_compared():
    other = bands(a=[-4, -3, -2], b=[0, 1, 2], baseline=[0, 0, 0], unattributed=[0, 0, 0])
    assert agreement(ONE, other).inside == ("a", "b")


def test_the_finding_names_both_medians_of_every_channel():
    other = bands(a=[-1.5, -1.0, 0], b=[0.5, 1.5, 2])
    found = companion(ONE, other, names=("bvar", "factor"), window="crash", unit="log points")
    assert found.verdict == "fails"
    assert "a -3.0 and -1.0" in found.evidence
    assert "b +1.0 and +1.5" in found.evidence
    assert "crash" in found.evidence
