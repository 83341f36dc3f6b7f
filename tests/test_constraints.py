"""The lock: exact versions for every Python that is supported, and no host."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
EXTRAS = ("test", "docs", "parquet")


def lines():
    text = (ROOT / "tests" / "constraints.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def locked(python):
    """Canonical name to version, as an installer on this Python reads the file."""
    environment = {**default_environment(), "python_version": python}
    found = {}
    for requirement in map(Requirement, lines()):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} has two versions on Python {python}"
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            found[name] = pin.version
    return found


def wanted():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(item for extra in EXTRAS for item in extras[extra])]


def test_the_lock_names_no_host_and_no_path():
    for line in lines():
        assert re.fullmatch(r'[\w.-]+==[\w.]+(; python_version (<|==|>=) "3\.\d+")?', line)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_dependency_is_locked_within_its_range(python):
    versions = locked(python)
    for requirement in map(Requirement, wanted()):
        version = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement.name


def test_the_two_lines_of_the_sampler_are_apart():
    old, new = locked("3.11"), locked("3.12")
    assert old["pymc"].startswith("5.") and old["arviz"].startswith("0.")
    assert new["pymc"].startswith("6.") and new["arviz"].startswith("1.")
