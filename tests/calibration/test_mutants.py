"""Ten faults, seeded one at a time, are seen by calibration; without a fault the designs hold."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from calibration import uniformity
from calibration.ranks import LIMIT, RANKS, Calibration, rank

from attribution.validate.runner import one

PATH = Path(__file__).parent / "mutants.py"
LOADED = importlib.util.spec_from_file_location("mutants", PATH)
mutants = importlib.util.module_from_spec(LOADED)
sys.modules["mutants"] = mutants
LOADED.loader.exec_module(mutants)

FAST = ("unit-effect decomposition", "P transposed", "event leak", "regime off by one")
SEED = 20
LONG = (pytest.mark.slow, pytest.mark.stored)


def smallest(design, replications, seed=SEED):
    """Smallest p-value over the quantities of a design, times how many they are."""
    task = Calibration(design)
    records = [one(task, seed, number)[1] for number in range(replications)]
    assert not [record for record in records if isinstance(record, str)]
    places = {name: np.array([record[name] for record in records]) for name in records[0]}
    found = {name: uniformity.p_value(rank(p, RANKS), RANKS + 1) for name, p in places.items()}
    return min(found.values()) * len(found)


def by_name(names):
    return [
        pytest.param(mutant, id=mutant.name, marks=[] if mutant.name in names else LONG)
        for mutant in mutants.MUTANTS
    ]


def test_there_are_ten():
    assert len({mutant.name for mutant in mutants.MUTANTS}) == 10
    assert {*FAST} < {mutant.name for mutant in mutants.MUTANTS}


@pytest.mark.parametrize("mutant", by_name(FAST))
def test_a_seeded_fault_is_seen(mutant, monkeypatch):
    mutant.patch(monkeypatch)
    assert smallest(mutant.design, mutant.replications) < LIMIT


@pytest.mark.parametrize("mutant", by_name(FAST))
def test_the_same_design_holds_without_the_fault(mutant):
    # one design in two hundred fails by chance; the seed is fixed
    assert smallest(mutant.design, mutant.replications) >= LIMIT
