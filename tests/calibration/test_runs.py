"""Records survive interruptions, do not depend on processes, and are never mixed."""

import csv
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from calibration import catalogue
from calibration.conjugate import Conjugate
from calibration.ranks import Calibration, Drawn, World, judge
from calibration.verdicts import write

from attribution.errors import DataError, SpecError
from attribution.validate.coverage import OF_THE_ENGINE, chosen, collect
from attribution.validate.crash import WORLDS
from attribution.validate.runner import RECORDS, Store, run

TASK = Calibration(Conjugate())


@dataclass(frozen=True)
class Coin:
    """A normal mean with a normal prior; ``bias`` spoils its posterior, odd data are refused."""

    name: str = "coin"
    bias: float = 0.0
    refuse_above: float = 99.0

    def simulate(self, rng):
        truth = rng.standard_normal()
        return World({"mean": truth}, truth + rng.standard_normal())

    def fit(self, data, rng):
        if data > self.refuse_above:
            raise DataError("data: too large; draw other data")
        draws = self.bias + 0.5 * data + np.sqrt(0.5) * rng.standard_normal(99)
        return Drawn({"mean": draws})


def records(folder):
    return sorted((folder / RECORDS).read_text(encoding="utf-8").splitlines())


def test_an_interrupted_run_goes_on_to_the_same_records(tmp_path):
    run(TASK, tmp_path / "whole", replications=12, seed=3)
    run(TASK, tmp_path / "cut", replications=5, seed=3)
    path = tmp_path / "cut" / RECORDS
    path.write_bytes(path.read_bytes()[:-20])  # stopped in the middle of a line
    run(TASK, tmp_path / "cut", replications=12, seed=3)
    assert records(tmp_path / "cut") == records(tmp_path / "whole")


@pytest.mark.slow
def test_two_processes_make_the_records_of_one(tmp_path):
    run(TASK, tmp_path / "one", replications=6, seed=3)
    run(TASK, tmp_path / "two", replications=6, seed=3, processes=2)
    assert records(tmp_path / "one") == records(tmp_path / "two")


def test_a_finished_run_is_not_run_again(tmp_path):
    said = []
    run(TASK, tmp_path, replications=4, seed=3, say=said.append)
    assert len(said) == 4
    assert said[-1].startswith("conjugate [########################] 4/4")
    said.clear()
    outcome = run(TASK, tmp_path, replications=4, seed=3, say=said.append)
    assert said == ["conjugate: 4 of 4 found"]
    assert outcome.numbers.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("design", "seed", "sentence"),
    [
        (Conjugate(lags=1), 3, r"it holds records with lags = 2, not 1; name another --out"),
        (Conjugate(), 4, r"it holds records of seed 3, not 4; name another --out folder"),
        (Conjugate("other"), 3, r"it holds records of task conjugate, not other"),
    ],
)
def test_other_settings_do_not_mix(tmp_path, design, seed, sentence):
    run(TASK, tmp_path, replications=1, seed=3)
    with pytest.raises(SpecError, match=sentence):
        run(Calibration(design), tmp_path, replications=2, seed=seed)


def test_a_version_that_made_other_records_does_not_mix(tmp_path, monkeypatch):
    run(TASK, tmp_path, replications=1, seed=3)
    monkeypatch.setattr("attribution.validate.runner.__version__", "99")
    with pytest.raises(SpecError, match="records of version"):
        run(TASK, tmp_path, replications=2, seed=3)


@pytest.mark.parametrize("asked", [{"replications": 0}, {"replications": 1, "processes": 0}])
def test_nothing_is_asked_for_in_vain(tmp_path, asked):
    with pytest.raises(SpecError, match="= 0; ask for at least one"):
        run(TASK, tmp_path, seed=1, **asked)


def test_folders_without_a_validation_are_refused(tmp_path):
    with pytest.raises(DataError, match="no validation has been saved there; run it first"):
        Store.existing(tmp_path)
    (tmp_path / "manifest.json").write_text("[", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        Store.existing(tmp_path)


def test_a_refusal_is_a_record_and_no_design_holds_with_one(tmp_path):
    task = Calibration(Coin(refuse_above=1.0))
    outcome = run(task, tmp_path, replications=40, seed=1)
    assert outcome.refused
    assert set(outcome.refused.values()) == {"DataError: data: too large; draw other data"}
    found = judge(outcome)
    assert (found.refused, found.replications) == (len(outcome.refused), 40 - found.refused)
    assert not found.holds
    assert np.isfinite(found.rows[0].p_value)


def test_a_biased_posterior_fails_and_a_right_one_holds(tmp_path):
    right = judge(run(Calibration(Coin()), tmp_path / "a", replications=300, seed=1))
    wrong = judge(run(Calibration(Coin(bias=0.3)), tmp_path / "b", replications=300, seed=1))
    assert right.holds and not wrong.holds
    assert wrong.rows[0].mean < 0.9  # draws too high: the truth lies low
    assert right.rows[0].covered[0.9] == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / 300))


def test_a_quantity_on_one_side_alone_is_a_fault_of_the_design():
    class Lame(Coin):
        def fit(self, data, rng):
            return replace(super().fit(data, rng), quantities={"median": np.zeros(9)})

    with pytest.raises(ValueError, match="coin: mean, median is not on both sides"):
        Calibration(Lame()).replicate(np.random.default_rng(0))


def test_tables_and_figure_are_written_and_gathered(tmp_path):
    outcome = run(TASK, tmp_path / "conjugate", replications=30, seed=3)
    found = judge(outcome)
    paths = write(found, outcome, tmp_path / "conjugate")
    assert [path.name for path in paths] == [
        "calibration.json",
        "calibration.csv",
        "ecdf.png",
        "ecdf.svg",
    ]
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    rows = list(csv.DictReader(paths[1].read_text(encoding="utf-8").splitlines()))
    saved = json.loads(paths[0].read_text(encoding="utf-8"))
    assert [row["quantity"] for row in rows] == list(saved["quantities"])
    assert saved["replications"] == 30 and saved["holds"] == found.holds
    gathered = json.loads(collect(tmp_path))
    assert gathered["designs"]["conjugate"] == saved


def test_the_verb_names_the_door_of_every_design_that_examines_the_engine():
    engine = [task.name for task, _ in catalogue.chosen(())] + ["event-null"]
    assert set(OF_THE_ENGINE) == set(engine)
    for name in engine:
        with pytest.raises(SpecError, match=f"run python tests/calibration/run.py {name} in"):
            chosen([name])


def test_without_a_name_the_verb_splits_crashes_of_every_world():
    assert [task.name for task, _ in chosen(())] == [f"bvar_signs-{world}" for world in WORLDS]
