"""Verdicts of a counterfactual change exactly where their limits stand."""

from types import SimpleNamespace

import numpy as np
import pytest

from attribution.studies.counterfactual.answer import findings_of
from attribution.studies.counterfactual.placebo import LEAST, Placebo

SPAN = SimpleNamespace(name="w", start="1", end="2")


def answered(*, controls=None, placebo=None, brought=0.0, seen=-10.0, form="returns"):
    """Two rows of a window after 40 rows of two controls, and what is found of them."""
    given = np.random.default_rng(0).uniform(-1, 1, (42, 2))
    given[:4] = [[1, 1], [1, -1], [-1, 1], [-1, -1]]
    given[40:] = [[0.2, 0.1], [-0.1, 0.3]] if controls is None else controls
    parts = np.zeros((4, 100, 2, 2))
    parts[..., 0, 0] = brought
    fit = SimpleNamespace(predicted=np.zeros((4, 100, 2)))
    return SimpleNamespace(
        question=SimpleNamespace(form=form, controls=("a", "b"), windows=(SPAN,)),
        rows=SimpleNamespace(pre=40, controls=given, windows={"w": np.array([0, 1])}),
        fit=fit,
        unit="log points",
        placebo={"w": calm(50) if placebo is None else placebo},
        observed=lambda name: np.array([seen, 0.0]),
        accounted=lambda name: parts.reshape(-1, 2, 2),
    )


def calm(windows, *, significant=0, larger=0, length=1):
    """Earlier windows of which some are significant, and some as far out as the event."""
    p, effect = np.full(windows, 0.5), np.full(windows, 0.5)
    p[:significant], effect[:larger] = 0.01, -2.0
    return Placebo(effect, np.ones(windows), p, (2.0, 0.04), length)


def verdict(name, **given):
    return {found.name: found for found in findings_of(answered(**given))}[name].verdict


@pytest.mark.parametrize(
    ("controls", "expected"),
    [
        ([[0.99, 0.0], [0.0, 0.0]], "holds"),
        ([[1.01, 0.0], [0.0, 0.0]], "fails"),
        ([[0.0, -0.99], [0.0, 0.0]], "holds"),
        ([[0.0, 0.0], [0.0, -1.01]], "fails"),
    ],
)
def test_one_control_beyond_its_own_range_is_an_extrapolation(controls, expected):
    assert verdict("extrapolation", controls=controls) == expected


def test_controls_each_in_range_may_be_out_of_it_together():
    given = answered(controls=[[0.9, -0.9], [0.0, 0.0]])
    line = np.linspace(-1, 1, 40)
    given.rows.controls[:40] = np.column_stack([line, line + 0.05 * np.cos(np.arange(40))])
    found = next(found for found in findings_of(given) if found.name == "extrapolation")
    assert "every control inside it" in found.evidence and found.verdict == "fails"


@pytest.mark.parametrize(
    ("windows", "significant", "length", "expected"),
    [  # a tenth and two errors: of 100 separate windows .16, of 100 that overlap in fives .234
        (100, 16, 1, "holds"),
        (100, 17, 1, "fails"),
        (100, 23, 5, "holds"),
        (100, 24, 5, "fails"),
        (LEAST, 0, 1, "holds"),
        (LEAST - 1, 0, 1, "undecided"),
    ],
)
def test_too_many_findings_in_earlier_windows_fail(windows, significant, length, expected):
    placebo = calm(windows, significant=significant, length=length)
    assert verdict("placebo_size", placebo=placebo) == expected


@pytest.mark.parametrize(
    ("windows", "larger", "expected"),
    [(39, 3, "holds"), (39, 4, "fails"), (LEAST, 1, "holds"), (LEAST - 1, 0, "undecided")],
)
def test_an_event_is_unusual_if_one_window_in_ten_lies_as_far_out(windows, larger, expected):
    assert verdict("placebo_rank", placebo=calm(windows, larger=larger)) == expected


@pytest.mark.parametrize(
    ("share", "brought", "expected"),
    [
        (1.0, -5.01, "holds"),
        (1.0, -4.99, "fails"),
        (0.97, -5.01, "holds"),
        (0.85, -5.01, "undecided"),
        (0.03, -5.01, "fails"),
    ],
)
def test_controls_account_for_most_of_a_move_from_a_half_of_it(share, brought, expected):
    draws = np.zeros((4, 100))
    draws[:, : round(100 * share)] = brought
    assert verdict("accounted_for", brought=draws) == expected


def test_of_no_move_no_share_can_be_said_and_of_levels_none_is_asked():
    assert verdict("accounted_for", seen=0.0, brought=1.0) == "undecided"
    names = [found.name for found in findings_of(answered(form="level"))]
    assert "accounted_for" not in names and "placebo_rank" in names
