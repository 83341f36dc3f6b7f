"""Long calibrations that passed on this code; runs about placebo events, when nothing happened."""

import json
import os
import sys
from datetime import date
from pathlib import Path

# Before numpy is loaded: one thread a process.  Threads that wait for each other over matrices of
# three rows made a sweep of a sampler fifty times as long where every core was taken.
for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")

import numpy as np
import pandas as pd
import pytest
from reach import digest

STORED = Path(__file__).with_name("stored.json")
PASSED: list[str] = []
DAY = date(2025, 10, 10)
CARD = """
schema = 1
title = "A market of our own"
file = "market.csv"
layout = "series"
index = "date"
clock = "16:00 America/New_York"
calendar = "XNYS"
source = "drawn by a test"

[series.coin]
unit = "USD"

[series.share]
unit = "USD"

[series.fear]
unit = "index points"

[columns.coin_return]
transform = "log_change"
of = "coin"
scale = 100
unit = "log points"

[columns.share_return]
transform = "log_change"
of = "share"
scale = 100
unit = "log points"

[columns.fear_change]
transform = "change"
of = "fear"
unit = "index points"
"""
VAR = """
schema = 1
kind = "var"
title = "A small recursive model"
references = []

[sample]
panel = "market"
start = 2024-02-01
end = 2025-03-31

[event]
name = "a fall"
outcome = "coin_return"

[[event.windows]]
name = "fall"
start = 2025-03-10
end = 2025-03-10

[[event.windows]]
name = "fall and after"
start = 2025-03-10
end = 2025-03-12

[system]
lags = 1
variables = ["share_return", "fear_change", "coin_return"]
"""
TABLE = """
[identification]
outcome = "coin_return"
direction = "-"

[identification.channels]
risk = "flight from risk"
native = "coin only"

[identification.cells.share_return]
risk = { at_most = -0.2, reason = "shares fall", source = "own" }
native = { between = [-0.15, 0.15], reason = "no leg in shares", source = "own" }

[identification.cells.fear_change]
risk = { sign = "+", reason = "fear rises", source = "own" }
"""


def pytest_addoption(parser):
    parser.addoption("--store", action="store_true", help="run and record stored calibrations")


def pytest_collection_modifyitems(config, items):
    """Skip a calibration marked ``stored`` whose record is of this very code."""
    if config.getoption("--store"):
        return
    records = json.loads(STORED.read_text(encoding="utf-8"))
    for item in items:
        record = records.get(item.nodeid)
        if item.get_closest_marker("stored") and record == digest(item.path):
            item.add_marker(pytest.mark.skip(reason="passed on this code; see tests/stored.json"))


def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed and "stored" in report.keywords:
        PASSED.append(report.nodeid)


def pytest_sessionfinish(session):
    """Write records of what passed; workers leave that to the process that leads them."""
    if not session.config.getoption("--store") or hasattr(session.config, "workerinput"):
        return
    records = json.loads(STORED.read_text(encoding="utf-8"))
    root = session.config.rootpath
    records |= {name: digest(root / name.partition("::")[0]) for name in PASSED}
    text = json.dumps(dict(sorted(records.items())), indent=1, ensure_ascii=False)
    STORED.write_text(text + "\n", encoding="utf-8")


@pytest.fixture
def attribution(monkeypatch, capsys):
    """Run the command line in this process: exit code, standard output, standard error."""
    from attribution.cli import main

    def said(*words):
        monkeypatch.setattr(sys, "argv", ["attribution", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code or 0, *capsys.readouterr()

    return said


@pytest.fixture(scope="session")
def refit():
    """Fit a shipped model about the placebo event."""
    from attribution.fit import Settings, fit

    def fitted(model, *, draws=2000, seed=5):
        return fit(model, event=(DAY, DAY), settings=Settings(draws, seed))

    return fitted


@pytest.fixture(scope="session")
def var_run(refit):
    return refit("var")


@pytest.fixture(scope="session")
def signs_run(refit):
    return refit("bvar_signs")


@pytest.fixture(scope="session")
def shipped():
    """The text of a shipped model, asked about a placebo: the row before, its own, the next."""

    def text(model, days=("2025-10-09", "2025-10-10", "2025-10-14")):
        old = (Path(__file__).parents[1] / "models" / f"{model}.toml").read_text(encoding="utf-8")
        for was, now in zip(("2026-02-04", "2026-02-05", "2026-02-06"), days, strict=True):
            assert was in old
            old = old.replace(was, now)
        return old

    return text


@pytest.fixture
def snapshot():
    """Every file below a folder, with its bytes."""

    def taken(folder):
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    return taken


@pytest.fixture
def quick(monkeypatch):
    """One figure of nothing, for tests that are about files."""
    from attribution.report.style import Picture, figure

    def one(tree, tables):
        return [Picture("one", "one", "one", figure(width=1, height=1))]

    monkeypatch.setattr("attribution.report.deliver.pictures", one)


@pytest.fixture
def own(tmp_path):
    """A data set with its card and two model files, all of the user's own."""
    from attribution.panel.timeline import expected_days

    days = expected_days("XNYS", date(2024, 1, 2), date(2025, 3, 31))
    rng = np.random.default_rng(11)
    risk, native, fear = rng.standard_normal((3, len(days))) * [[0.9], [1.4], [0.5]]
    fall = days == pd.Timestamp("2025-03-10")
    risk[fall], native[fall] = 4.0, 6.0
    frame = pd.DataFrame(
        {
            "date": days.strftime("%Y-%m-%d"),
            "coin": 100 * np.exp(np.cumsum(-risk - native) / 100 + 0.001),
            "share": 50 * np.exp(np.cumsum(-0.6 * risk + rng.normal(0, 0.4, len(days))) / 100),
            "fear": 20 + np.cumsum(0.5 * risk + fear) * 0.2,
        }
    ).round(6)
    frame.to_csv(tmp_path / "market.csv", index=False)
    (tmp_path / "market.toml").write_text(CARD, encoding="utf-8")
    (tmp_path / "mine.toml").write_text(VAR, encoding="utf-8")
    signs = VAR.replace('kind = "var"', 'kind = "bvar_signs"') + TABLE
    (tmp_path / "cones.toml").write_text(signs, encoding="utf-8")
    return tmp_path
