"""The focus fund's design: what its fit may see, and where the truth of a few worlds lies."""

import numpy as np
import pytest
from calibration.catalogue import chosen
from calibration.focus_fund import CRASH, FocusFund
from calibration.ranks import Calibration
from scipy.stats import kstest

from attribution.validate.runner import one

DESIGN = FocusFund(days=50, draws=49, thin=8)


def test_the_catalogue_holds_the_design():
    ((task, size),) = chosen(["focus-fund"])
    assert task.name == "focus-fund"
    assert size >= 500


def test_the_last_row_bears_the_date_of_the_crash_and_is_not_seen():
    world = DESIGN.simulate(np.random.default_rng(0))
    assert not world.data.used[-1]
    assert world.data.used[:-1].all()
    assert world.data.y[-1] == 0.0
    assert world.data.x[0, -1, 2] == CRASH
    assert world.data.x[1, -1, 2] > CRASH


def test_places_of_the_truth_are_uniform_over_a_few_worlds():
    task = Calibration(DESIGN)
    records = [one(task, 5, number)[1] for number in range(60)]
    assert all(isinstance(record, dict) for record in records)
    for name in records[0]:
        places = np.array([record[name] for record in records])
        assert kstest(places, "uniform").pvalue > 1e-4, name
    whole = np.array([list(record.values()) for record in records])
    assert (np.abs(whole - 0.5) < 0.45).mean() == pytest.approx(0.9, abs=0.05)
